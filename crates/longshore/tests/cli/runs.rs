//! `longshore runs` and `longshore logs`, of a history that the crate's own recorder makes.

use std::collections::BTreeMap;
use std::path::Path;

use longshore_event::{
    Annotation, AnnotationLevel, Conclusion, Event, EventKind, JobEvent, JobKey, JobOutline, LogChunk,
    RunEvent, RunId, RunOutline, RunSink as _, StepEvent, StepNumber, StepOutline, StepStage, Timestamp,
};
use longshore_history::{History, RunRecorder};

use crate::context::TestContext;

/// A run that is being told of, at a given time.
struct Told {
    recorder: RunRecorder,
    seq: u64,
    at: u64,
}

/// 2020-01-02T03:04:05Z.
const THEN: u64 = 1_577_934_245_000;

fn history(context: &TestContext) -> History {
    History::open(context.project().parent().unwrap().join("state/runs"))
}

impl Told {
    fn begin(context: &TestContext, project: &Path, workflow: &str, at: u64) -> Self {
        let directory = project.canonicalize().unwrap().display().to_string();
        let path = format!(".github/workflows/{workflow}.yml");
        let recorder = history(context).begin(&directory, &path).unwrap();
        let mut told = Self { seq: 0, at, recorder };
        let outline = |key: &str, needs: &[&str]| JobOutline {
            key: key.into(),
            name: key.into(),
            needs: needs.iter().map(|id| (*id).to_owned()).collect(),
        };
        let outline = RunOutline {
            schema: longshore_event::SCHEMA.into(),
            workflow: workflow.to_uppercase(),
            path,
            title: "Mend the\u{1b}[31m parser".into(),
            event: "push".into(),
            git_ref: Some("refs/heads/main".into()),
            sha: Some("0123456789abcdef0123456789abcdef01234567".into()),
            number: told.recorder.number(),
            attempt: told.recorder.attempt(),
            directory,
            jobs: vec![outline("build", &[]), outline("test", &["build"])],
        };
        told.tell(None, None, RunEvent::Started(Box::new(outline)));
        told
    }

    fn tell(&mut self, job: Option<&str>, step: Option<u32>, kind: impl Into<EventKind>) {
        self.seq += 1;
        self.at += 500;
        let (job, step) = (job.map(JobKey::from), step.map(StepNumber));
        let event = Event {
            seq: self.seq,
            at: Timestamp(self.at),
            run: self.recorder.id(),
            job,
            step,
            kind: kind.into(),
        };
        self.recorder.take(&event);
    }

    fn job(&mut self, key: &str, name: &str, steps: &[&str]) {
        let steps =
            (1..).zip(steps).map(|(number, name)| StepOutline { number, name: (*name).into() }).collect();
        let kind = JobEvent::Started {
            name: name.into(),
            runs_on: vec!["ubuntu-latest".into()],
            image: "host".into(),
            steps,
        };
        self.tell(Some(key), None, kind);
    }

    fn step(&mut self, job: &str, number: u32, name: &str, lines: &[&str]) {
        let kind =
            StepEvent::Started { name: name.into(), id: format!("__{number}"), stage: StepStage::Main };
        self.tell(Some(job), Some(number), kind);
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        self.tell(Some(job), Some(number), LogChunk { lines });
    }

    fn step_ends(&mut self, job: &str, number: u32, conclusion: Conclusion) {
        let kind = StepEvent::Finished {
            outcome: conclusion,
            conclusion,
            exit_code: Some(i32::from(conclusion != Conclusion::Success)),
            outputs: BTreeMap::new(),
            error: None,
        };
        self.tell(Some(job), Some(number), kind);
    }

    fn job_ends(&mut self, job: &str, conclusion: Conclusion) {
        let kind = JobEvent::Finished {
            conclusion,
            continue_on_error: false,
            outputs: BTreeMap::from([("version".to_owned(), "1.2".to_owned())]),
            url: None,
            error: None,
            kept: conclusion == Conclusion::Failure,
        };
        self.tell(Some(job), None, kind);
    }

    fn end(mut self, conclusion: Conclusion) -> RunId {
        self.tell(None, None, RunEvent::Finished { conclusion });
        self.recorder.id()
    }
}

/// A run whose tests failed in one cell of two.
fn failing(context: &TestContext) -> RunId {
    let mut told = Told::begin(context, &context.project(), "ci", THEN);
    told.job("build", "Build", &["Set up job", "Run make"]);
    told.step("build", 1, "Set up job", &["##[group]Runner", "host", "##[endgroup]"]);
    told.step_ends("build", 1, Conclusion::Success);
    told.step("build", 2, "Run make", &["cc main.c", "\u{1b}[32mok\u{1b}[0m\u{1b}[2J"]);
    told.step_ends("build", 2, Conclusion::Success);
    told.job_ends("build", Conclusion::Success);
    for (cell, version, conclusion) in
        [("test/1", "3.11", Conclusion::Success), ("test/2", "3.12", Conclusion::Failure)]
    {
        told.job(cell, &format!("test ({version})"), &["Run tests"]);
        told.step(cell, 1, "Run tests", &["one", "two", &format!("##[error]of {version}")]);
        if conclusion == Conclusion::Failure {
            let annotation = Annotation {
                file: Some("a.py".into()),
                line: Some(3),
                ..Annotation::new(AnnotationLevel::Error, "wrong")
            };
            told.tell(Some(cell), Some(1), annotation);
        }
        told.step_ends(cell, 1, conclusion);
        told.job_ends(cell, conclusion);
    }
    told.end(Conclusion::Failure)
}

fn ok(context: &TestContext, arguments: &[&str]) -> String {
    let ended = context.run(arguments);
    assert_eq!(ended.code, 0, "{arguments:?}\n{}", ended.shown());
    ended.stdout
}

#[test]
fn runs_are_listed_newest_first() {
    let context = TestContext::with_state();
    let empty = context.run(&["runs"]);
    assert_eq!(empty.code, 0);
    assert!(empty.stderr.contains("no such runs of this project; `--all` lists"), "{}", empty.shown());

    failing(&context);
    Told::begin(&context, &context.project(), "nightly", THEN).end(Conclusion::Success);
    drop(Told::begin(&context, &context.project(), "ci", THEN));
    let other = context.project().join("../other");
    std::fs::create_dir_all(&other).unwrap();
    Told::begin(&context, &other, "ci", THEN).end(Conclusion::Cancelled);
    let alive = Told::begin(&context, &context.project(), "ci", THEN);

    let columns =
        "table {{.ID}}\\t{{.Status}}\\t{{.Workflow}}\\t{{.Number}}\\t{{.Title}}\\t{{.Event}}\\t{{.Ref}}";
    insta::assert_snapshot!(ok(&context, &["runs", "--format", columns]));
    let table = ok(&context, &["runs"]);
    assert!(table.starts_with("RUN       STATUS        WORKFLOW   TITLE"), "{table}");
    let ids = |arguments: &[&str]| {
        let text = ok(&context, &[&["runs", "--format", "{{.ID}}"][..], arguments].concat());
        text.lines().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    for (arguments, expected) in [
        (&[][..], "5 3 2 1"),
        (&["--all"], "5 4 3 2 1"),
        (&["-n", "2"], "5 3"),
        (&["-n", "0"], "5 3 2 1"),
        (&["--workflow", "ci.yml"], "5 3 1"),
        (&["--workflow", "Nightly"], "2"),
        (&["--workflow", ".github/workflows/nightly.yml"], "2"),
        (&["--status", "failure", "--status", "interrupted"], "3 1"),
        (&["--status", "running"], "5"),
        (&["--workflow", "none"], ""),
    ] {
        assert_eq!(ids(arguments), expected, "{arguments:?}");
    }
    assert_eq!(ok(&context, &["runs", "list", "--format", "{{.ID}}", "-n1"]), "5\n");
    assert_eq!(ok(&context, &["runs", "ls", "--format", "{{.ID}}", "-n1"]), "5\n");
    let line = ok(&context, &["runs", "--status", "failure", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&json["ID"], &json["Ref"]), (&"1".into(), &"refs/heads/main".into()));
    assert_eq!((&json["Started"], &json["DurationMs"]), (&"2020-01-02T03:04:05.5Z".into(), &"10000".into()));
    assert_eq!(context.run(&["runs", "--status", "failed"]).code, 2);
    assert_eq!(context.run(&["runs", "--format", "{{.Nothing}}"]).code, 2);
    drop(alive);
    assert_eq!(ids(&["--status", "interrupted"]), "5 3");
}

#[test]
fn a_run_is_shown_with_its_jobs_and_steps() {
    let context = TestContext::with_state();
    failing(&context);
    let shown = ok(&context, &["runs", "show"]);
    let (head, ago) =
        shown.split_once(" (").map(|(head, rest)| (head, rest.split_once(")\n").unwrap().1)).unwrap();
    insta::assert_snapshot!(format!("{head}\n{ago}"));
    assert_eq!(context.run(&["runs", "show", "--exit-status"]).code, 1);
    let json: serde_json::Value =
        serde_json::from_str(&ok(&context, &["runs", "show", "1", "--format", "json"])).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());

    let mut told = Told::begin(&context, &context.project(), "ci", THEN);
    told.job("build", "Build", &["Run make", "Run later"]);
    told.step("build", 1, "Run make", &["half"]);
    let shown = ok(&context, &["runs", "show", "last"]);
    assert!(shown.contains("running for") && shown.contains("longshore logs -f 2"), "{shown}");
    drop(told);
    let shown = ok(&context, &["runs", "show", "#2"]);
    assert!(shown.contains("interrupted after 1.0 s"), "{shown}");
    let steps: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(steps.contains(&vec!["1", "Run", "make", "interrupted", "0", "ms", "1", "line"]), "{shown}");
    assert!(steps.contains(&vec!["2", "Run", "later", "did", "not", "run"]), "{shown}");
}

#[test]
fn logs_are_printed_by_job_and_step() {
    let context = TestContext::with_state();
    failing(&context);
    insta::assert_snapshot!(ok(&context, &["logs"]));
    for (arguments, expected) in [
        (&["1", "-j", "build", "--step", "2", "--tail", "1"][..], "\u{1b}[32mok\u{1b}[0m\u{1b}[2J\n"),
        (&["--failed"], "==> test (3.12) / 1 Run tests (failed) <==\none\ntwo\n##[error]of 3.12\n"),
        (
            &["-j", "test/1", "-s", "run tests", "-t", "-n", "1"],
            "2020-01-02T03:04:11.000Z ##[error]of 3.11\n",
        ),
        (
            &["last", "-j", "test", "-n1"],
            "==> test (3.11) / 1 Run tests <==\n##[error]of 3.11\n\n\
             ==> test (3.12) / 1 Run tests (failed) <==\n##[error]of 3.12\n",
        ),
        (&["-j", "Build", "-s", "__1", "-f"], "##[group]Runner\nhost\n##[endgroup]\n"),
        (
            &["-j", "TEST (3.12)", "-n1", "--format", "json"],
            "{\"job\":\"test/2\",\"step\":1,\"name\":\"Run tests\",\"at\":\"2020-01-02T03:04:13.500Z\",\"text\":\"##[error]of 3.12\"}\n",
        ),
        (&["-j", "build", "-s2", "--color", "always"], "cc main.c\n\u{1b}[32mok\u{1b}[0m\n"),
    ] {
        assert_eq!(ok(&context, &[&["logs"], arguments].concat()), expected, "{arguments:?}");
    }
    for (arguments, error) in [
        (&["-j", "biuld"][..], "error: run 1 has no job `biuld`\nhelp: did you mean `build`?\n"),
        (
            &["-j", "x", "-f"],
            "error: run 1 has no job `x`\nhelp: it has `build`, `Build`, `test/1`, `test (3.11)`, `test/2`, `test (3.12)`\n",
        ),
        (
            &["-j", "build", "-s", "9"],
            "error: run 1 has no step `9` in `build`\nhelp: it has `Set up job`, `Run make`\n",
        ),
        (&["7"], "error: there is no run 7\nhelp: the newest is 1; `longshore runs --all` lists every run\n"),
    ] {
        let ended = context.run(&[&["logs"], arguments].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (2, error), "{arguments:?}");
    }
    let ended = context.run(&["logs", "yesterday"]);
    assert!(
        ended.code == 2 && ended.stderr.contains("a run is a number such as `7` or `#7`, or `last`"),
        "{}",
        ended.stderr
    );
    let quiet = Told::begin(&context, &context.project(), "ci", THEN).end(Conclusion::Success);
    let ended = context.run(&["logs", "--failed"]);
    assert_eq!(
        (ended.code, ended.stderr),
        (0, format!("no step failed that printed anything in run {quiet}\n"))
    );
}

#[test]
fn logs_are_followed_until_the_job_ends() {
    let context = TestContext::with_state();
    let mut told = Told::begin(&context, &context.project(), "ci", THEN);
    told.job("build", "Build", &["Run make"]);
    told.step("build", 1, "Run make", &["one", "two"]);
    let mut follower = context.command(&["logs", "-f", "-j", "build", "-s", "1", "-n", "1"]);
    let mut follower = follower.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut output = std::io::BufReader::new(follower.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        line
    };
    assert_eq!(next(), "two\n");
    told.tell(Some("build"), Some(1), LogChunk { lines: vec!["three".into()] });
    assert_eq!(next(), "three\n");
    told.tell(Some("build"), Some(1), LogChunk { lines: vec!["four".into()] });
    told.step_ends("build", 1, Conclusion::Success);
    assert_eq!((next().as_str(), next().as_str()), ("four\n", ""));
    assert!(follower.wait().unwrap().success(), "although the run goes on");
}

#[test]
fn runs_are_removed_singly_and_by_age() {
    let context = TestContext::with_state();
    for _ in 0..3 {
        Told::begin(&context, &context.project(), "ci", THEN).end(Conclusion::Success);
    }
    Told::begin(&context, &context.project(), "nightly", THEN).end(Conclusion::Success);
    let alive = Told::begin(&context, &context.project(), "ci", THEN);
    let ended = context.run(&["runs", "rm", "5", "9", "2"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, "2\n"), "{}", ended.stderr);
    insta::assert_snapshot!(ended.stderr);

    let said = ok(&context, &["runs", "prune"]);
    assert_eq!(said, "Total reclaimed space: 0B\n", "ten of each workflow are kept by default");
    context.write("longshore.toml", "[history]\nkeep-runs = 2\n");
    let dry = ok(&context, &["runs", "prune", "--dry-run"]);
    assert!(dry.starts_with("Would remove runs:\n1\n\nTotal reclaimed space: "), "{dry}");
    let json: serde_json::Value =
        serde_json::from_str(&ok(&context, &["runs", "prune", "--format", "json"])).unwrap();
    assert_eq!((&json["removed"][0]["run"], &json["removed"][1]), (&1.into(), &serde_json::Value::Null));
    let said = ok(&context, &["runs", "prune", "--keep", "0", "--keep-days", "4294967295"]);
    assert_eq!(said, "Total reclaimed space: 0B\n", "none is so old");
    let said = ok(&context, &["runs", "prune", "--keep", "1"]);
    assert!(said.starts_with("Removed runs:\n3\n"), "{said}");
    drop(alive);
    assert!(ok(&context, &["runs", "prune", "--keep", "0"]).starts_with("Removed runs:\n4\n5\n"));
    assert_eq!(ok(&context, &["runs", "--format", "{{.ID}}"]), "");
}
