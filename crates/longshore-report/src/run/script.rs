//! Runs to show in tests: events as a runner would tell them, at times that are given.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use longshore_event::{
    Annotation, AnnotationLevel, Conclusion, Event, EventKind, ImageEvent, JobEvent, JobKey, JobOutline,
    LogChunk, RunEvent, RunId, RunOutline, SCHEMA, ServiceState, StepEvent, StepNumber, StepOutline,
    StepStage, Timestamp,
};

/// When scripts begin.
pub(super) const BEGIN: u64 = 1_700_000_000_000;

/// Makes the events of one run.
pub(super) struct Script {
    run: u64,
    at: u64,
    pub(super) events: Vec<Event>,
}

impl Script {
    /// A run with jobs `(key, name, needs)`.
    pub(super) fn new(run: u64, workflow: &str, jobs: &[(&str, &str, &[&str])]) -> Self {
        let mut script = Self { run, at: BEGIN, events: Vec::new() };
        let jobs = jobs.iter().map(|(key, name, needs)| JobOutline {
            key: (*key).to_owned(),
            name: (*name).to_owned(),
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        });
        let outline = RunOutline {
            schema: SCHEMA.to_owned(),
            workflow: workflow.to_owned(),
            path: ".github/workflows/ci.yml".to_owned(),
            title: "Add a test".to_owned(),
            event: "push".to_owned(),
            git_ref: Some("refs/heads/main".to_owned()),
            sha: Some("8e8c483db84b4bee98b60c0593521ed34d9990e8".to_owned()),
            number: 3,
            attempt: 1,
            directory: "/home/ann/shop".to_owned(),
            jobs: jobs.collect(),
        };
        script.push(None, None, RunEvent::Started(Box::new(outline)));
        script
    }

    /// So many milliseconds pass.
    pub(super) fn wait(&mut self, milliseconds: u64) -> &mut Self {
        self.at += milliseconds;
        self
    }

    pub(super) fn push(
        &mut self,
        job: Option<&str>,
        step: Option<u32>,
        kind: impl Into<EventKind>,
    ) -> &mut Self {
        self.events.push(Event {
            seq: self.events.len() as u64 + 1,
            at: Timestamp(self.at),
            run: RunId(self.run),
            job: job.map(JobKey::from),
            step: step.map(StepNumber),
            kind: kind.into(),
        });
        self
    }

    pub(super) fn queue(&mut self, job: &str, name: &str, reason: Option<&str>) -> &mut Self {
        let event = JobEvent::Queued { name: name.to_owned(), reason: reason.map(str::to_owned) };
        self.push(Some(job), None, event)
    }

    pub(super) fn start(&mut self, job: &str, name: &str, steps: &[&str]) -> &mut Self {
        let steps = (1..).zip(steps).map(|(number, name)| StepOutline { number, name: (*name).to_owned() });
        let event = JobEvent::Started {
            name: name.to_owned(),
            runs_on: vec!["ubuntu-latest".to_owned()],
            image: "host".to_owned(),
            steps: steps.collect(),
        };
        self.push(Some(job), None, event)
    }

    pub(super) fn service(&mut self, job: &str, name: &str, state: ServiceState) -> &mut Self {
        let event = JobEvent::Service {
            name: name.to_owned(),
            image: format!("{name}:16"),
            state,
            ports: BTreeMap::new(),
        };
        self.push(Some(job), None, event)
    }

    pub(super) fn step(&mut self, job: &str, step: u32, name: &str) -> &mut Self {
        let runner = matches!(name, "Set up job" | "Complete job");
        let stage = if runner { StepStage::Runner } else { StepStage::Main };
        let event = StepEvent::Started { name: name.to_owned(), id: format!("__{step}"), stage };
        self.push(Some(job), Some(step), event)
    }

    pub(super) fn log(&mut self, job: &str, step: u32, lines: &[&str]) -> &mut Self {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        self.push(Some(job), Some(step), LogChunk { lines })
    }

    pub(super) fn pass(&mut self, job: &str, step: u32) -> &mut Self {
        let event = StepEvent::Finished {
            outcome: Conclusion::Success,
            conclusion: Conclusion::Success,
            exit_code: Some(0),
            outputs: BTreeMap::new(),
            error: None,
        };
        self.push(Some(job), Some(step), event)
    }

    pub(super) fn fail(&mut self, job: &str, step: u32, conclusion: Conclusion) -> &mut Self {
        let event = StepEvent::Finished {
            outcome: Conclusion::Failure,
            conclusion,
            exit_code: Some(1),
            outputs: BTreeMap::new(),
            error: None,
        };
        self.push(Some(job), Some(step), event)
    }

    pub(super) fn skip(&mut self, job: &str, step: u32, name: &str, condition: Option<&str>) -> &mut Self {
        let event = StepEvent::Skipped {
            name: name.to_owned(),
            id: format!("__{step}"),
            stage: StepStage::Main,
            condition: condition.map(str::to_owned),
        };
        self.push(Some(job), Some(step), event)
    }

    /// A step from beginning to end.
    pub(super) fn whole(&mut self, job: &str, step: u32, name: &str, milliseconds: u64) -> &mut Self {
        self.step(job, step, name).wait(milliseconds).pass(job, step)
    }

    pub(super) fn end_job(&mut self, job: &str, conclusion: Conclusion) -> &mut Self {
        let event = JobEvent::Finished {
            conclusion,
            continue_on_error: false,
            outputs: BTreeMap::new(),
            url: None,
            error: None,
            kept: conclusion == Conclusion::Failure,
        };
        self.push(Some(job), None, event)
    }

    pub(super) fn end(&mut self, conclusion: Conclusion) -> &mut Self {
        self.push(None, None, RunEvent::Finished { conclusion })
    }

    pub(super) fn find(
        &mut self,
        job: &str,
        step: u32,
        level: AnnotationLevel,
        at: Option<(&str, u32)>,
        message: &str,
    ) -> &mut Self {
        let mut annotation = Annotation::new(level, message);
        annotation.file = at.map(|(file, _)| file.to_owned());
        annotation.line = at.map(|(_, line)| line);
        self.push(Some(job), Some(step), annotation)
    }
}

/// Six jobs: one passes, one fails with an excerpt, cells of a matrix, one waits and is skipped.
pub(super) fn six_jobs() -> Script {
    let mut script = Script::new(
        12,
        "CI",
        &[
            ("lint", "lint", &[]),
            ("test", "test", &[]),
            ("matrix", "matrix", &[]),
            ("deploy", "Deploy it", &["lint", "test"]),
        ],
    );
    script.start("lint", "lint", &["Set up job", "Run make lint", "Complete job"]).wait(40);
    script.start("test", "test", &["Set up job", "Checkout", "Run pytest", "Upload", "Complete job"]);
    script.whole("lint", 1, "Set up job", 20).step("lint", 2, "Run make lint");
    script.log("lint", 2, &["##[group]Run make lint", "make lint", "##[endgroup]", "all is well"]);
    script.step("test", 1, "Set up job").service("test", "postgres", ServiceState::Starting);
    let digest = format!("sha256:{}", "ab".repeat(32));
    script.push(Some("test"), Some(1), ImageEvent::Queued { item: digest.clone(), total: Some(10_000_000) });
    script.wait(1_000);
    script.push(
        Some("test"),
        Some(1),
        ImageEvent::Transferred { item: digest.clone(), done: 0, total: Some(10_000_000) },
    );
    script.wait(1_000);
    script.push(
        Some("test"),
        Some(1),
        ImageEvent::Transferred { item: digest.clone(), done: 4_000_000, total: Some(10_000_000) },
    );
    script.wait(1_500).push(Some("test"), Some(1), ImageEvent::Unpacked { item: digest });
    script.service("test", "postgres", ServiceState::Ready).pass("test", 1);
    script.find("lint", 2, AnnotationLevel::Warning, Some(("src/shop.py", 7)), "line too long");
    script.pass("lint", 2).whole("lint", 3, "Complete job", 3).end_job("lint", Conclusion::Success);
    for (cell, version) in [("matrix/1", "3.11"), ("matrix/2", "3.12"), ("matrix/3", "3.13")] {
        script.queue(cell, &format!("matrix ({version})"), (cell == "matrix/3").then_some("a free place"));
    }
    script.start("matrix/1", "matrix (3.11)", &["Set up job", "Run tox"]);
    script.start("matrix/2", "matrix (3.12)", &["Set up job", "Run tox"]);
    script.whole("test", 2, "Checkout", 120).step("test", 3, "Run pytest");
    script.whole("matrix/1", 1, "Set up job", 15).step("matrix/1", 2, "Run tox");
    script.whole("matrix/2", 1, "Set up job", 15).step("matrix/2", 2, "Run tox");
    script.log("matrix/1", 2, &["py311: \u{1b}[32mOK\u{1b}[0m", "\u{1b}[2Jcongratulations"]);
    let lines: Vec<String> = (1..=60).map(|number| format!("tests/test_{number}.py .....")).collect();
    script.log("test", 3, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    script.wait(2_200);
    script
}

/// The same up to its end.
pub(super) fn six_jobs_to_the_end() -> Script {
    let mut script = six_jobs();
    script.log(
        "test",
        3,
        &["E   assert 3 == 4", "##[error]tests/test_cart.py:12: assert 3 == 4", "1 failed"],
    );
    script.find("test", 3, AnnotationLevel::Error, Some(("tests/test_cart.py", 12)), "assert 3 == 4");
    script.log("test", 3, &["##[error]Process completed with exit code 1."]);
    script.find("test", 3, AnnotationLevel::Error, None, "Process completed with exit code 1.");
    script.fail("test", 3, Conclusion::Failure).skip("test", 4, "Upload", None);
    script.push(
        Some("lint"),
        Some(2),
        StepEvent::Summary {
            markdown: "## Lint\n\n| file | findings |\n|---|--:|\n| src/shop.py | 1 |\n".to_owned(),
        },
    );
    script.whole("test", 5, "Complete job", 2).end_job("test", Conclusion::Failure);
    script.pass("matrix/1", 2).end_job("matrix/1", Conclusion::Success);
    script.start("matrix/3", "matrix (3.13)", &["Set up job", "Run tox"]).whole(
        "matrix/3",
        1,
        "Set up job",
        10,
    );
    script.step("matrix/3", 2, "Run tox").wait(900).fail("matrix/3", 2, Conclusion::Success);
    script.end_job("matrix/3", Conclusion::Success);
    script.pass("matrix/2", 2).end_job("matrix/2", Conclusion::Success);
    let skipped = JobEvent::Skipped { name: "Deploy it".to_owned(), reason: "`test` failed".to_owned() };
    script.push(Some("deploy"), None, skipped).end(Conclusion::Failure);
    script
}

/// A stream that the test can read.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    /// What was written since it was asked for.
    pub(super) fn text(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}
