//! Runs as they are recorded, read, followed, lost and removed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use longshore_event::{
    Conclusion, Event, EventKind, JobEvent, JobKey, JobOutline, LogChunk, RunEvent, RunId, RunOutline,
    RunSink as _, RunState, SCHEMA, StepEvent, StepNumber, StepOutline, StepStage, Timestamp,
};
use longshore_history::{
    BeginError, FindError, History, LogQuery, RemoveError, Retention, Run, RunRecorder, RunSelector,
    RunStatus,
};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Records events with numbers and times of their own.
struct Teller {
    recorder: RunRecorder,
    live: RunState,
    seq: u64,
    at: u64,
}

impl Teller {
    fn begin(history: &History, directory: &str, workflow: &str, at: u64) -> Self {
        let recorder = history.begin(directory, workflow).unwrap();
        let mut teller = Self { recorder, live: RunState::default(), seq: 0, at };
        teller.start(directory, workflow);
        teller
    }

    fn start(&mut self, directory: &str, workflow: &str) {
        let outline = RunOutline {
            schema: SCHEMA.into(),
            workflow: "ci".into(),
            path: workflow.into(),
            title: "a commit".into(),
            event: "push".into(),
            number: self.recorder.number(),
            attempt: self.recorder.attempt(),
            directory: directory.into(),
            jobs: vec![JobOutline { key: "build".into(), name: "Build".into(), needs: vec![] }],
            ..RunOutline::default()
        };
        self.tell(None, None, RunEvent::Started(Box::new(outline)));
    }

    fn tell(&mut self, job: Option<&str>, step: Option<u32>, kind: impl Into<EventKind>) {
        self.seq += 1;
        self.at += 10;
        let event = Event {
            seq: self.seq,
            at: Timestamp(self.at),
            run: self.recorder.id(),
            job: job.map(JobKey::from),
            step: step.map(StepNumber),
            kind: kind.into(),
        };
        self.recorder.take(&event);
        self.live.apply(&event);
    }

    fn job(&mut self, job: &str, steps: u32) {
        let outline = |number| StepOutline { number, name: format!("step {number}") };
        let steps = (1..=steps).map(outline).collect();
        let (name, image) = (job.to_uppercase(), "host".to_owned());
        self.tell(Some(job), None, JobEvent::Started { name, runs_on: vec![], image, steps });
    }

    fn step(&mut self, job: &str, step: u32) {
        let (name, id) = (format!("step {step}"), format!("__{step}"));
        self.tell(Some(job), Some(step), StepEvent::Started { name, id, stage: StepStage::Main });
    }

    fn print(&mut self, job: &str, step: u32, lines: &[&str]) {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        self.tell(Some(job), Some(step), LogChunk { lines });
    }

    fn step_ends(&mut self, job: &str, step: u32) {
        let conclusion = Conclusion::Success;
        let kind = StepEvent::Finished {
            outcome: conclusion,
            conclusion,
            exit_code: Some(0),
            outputs: BTreeMap::new(),
            error: None,
        };
        self.tell(Some(job), Some(step), kind);
    }

    fn job_ends(&mut self, job: &str) {
        let kind = JobEvent::Finished {
            conclusion: Conclusion::Success,
            continue_on_error: false,
            outputs: BTreeMap::new(),
            url: None,
            error: None,
            kept: false,
        };
        self.tell(Some(job), None, kind);
    }

    fn end(mut self) -> RunId {
        self.tell(None, None, RunEvent::Finished { conclusion: Conclusion::Success });
        self.recorder.id()
    }
}

fn texts(run: &Run, tail: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    let query = LogQuery { job: &|_| true, step: None, tail, follow: false };
    run.read_logs(
        &query,
        &mut |entry| {
            lines.push(format!("{}/{} {}", entry.job.key, entry.number.0, entry.text));
            ControlFlow::Continue(())
        },
        &mut || ControlFlow::Continue(()),
    )
    .unwrap();
    lines
}

#[test]
fn what_is_replayed_is_what_was_told() {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path().join("runs"));
    assert_eq!(history.runs().unwrap().count(), 0, "a history that is not there is empty");
    let mut teller = Teller::begin(&history, "/src", "ci.yml", 1_700_000_000_000);
    let id = teller.recorder.id();
    let run = history.run(id).unwrap();
    assert_eq!(run.summary().unwrap().status, RunStatus::Running);
    teller.job("build", 2);
    teller.step("build", 1);
    teller.print("build", 1, &["one", "", "three"]);
    teller.step_ends("build", 1);
    teller.job("../../x/2", 1);
    teller.step("../../x/2", 1);
    teller.print("../../x/2", 1, &["far away"]);
    assert_eq!(run.state().unwrap().jobs, teller.live.jobs);
    let live = teller.live.clone();
    teller.job_ends("build");
    assert_eq!(teller.end(), RunId(1));

    let summary = history.runs().unwrap().next().unwrap();
    assert_eq!(summary.status, RunStatus::Finished(Conclusion::Success));
    assert_eq!((summary.outline.number, summary.outline.title.as_str()), (1, "a commit"));
    assert_eq!(summary.duration(Timestamp(0)), 90);
    let state = run.state().unwrap();
    assert_eq!(state.outline, live.outline);
    assert_eq!(state.jobs[1], live.jobs[1]);
    assert_eq!(texts(&run, None), ["build/1 one", "build/1 ", "build/1 three", "../../x/2/1 far away"]);
    assert_eq!(texts(&run, Some(1)), ["build/1 three", "../../x/2/1 far away"]);
    let names: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["runs"], "nothing leads outside");
}

#[test]
fn ids_and_numbers_are_given_out_once_among_all() {
    let root = tempfile::tempdir().unwrap();
    let open = || History::open(root.path());
    let begin = |workflow: &str| {
        let recorder = open().begin("/src", workflow).unwrap();
        (recorder.id().0, recorder.number())
    };
    let mut given: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..10).map(|_| begin("a.yml")).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    given.sort_unstable();
    let expected: Vec<(u64, u64)> = (1..=80).map(|number| (number, number)).collect();
    assert_eq!(given, expected);
    assert_eq!(begin("b.yml"), (81, 1));
    // A directory that somebody made and was killed; and counters that are gone or damaged.
    fs::create_dir(root.path().join("82")).unwrap();
    assert_eq!(begin("b.yml"), (83, 2));
    Teller::begin(&open(), "/src", "b.yml", 0).end();
    open().remove(RunId(84)).unwrap();
    assert_eq!(begin("b.yml").0, 85, "ids of what is gone are not given out again");
    Teller::begin(&open(), "/src", "b.yml", 0).end();
    for damage in [Some(&b"{\"version\":1,"[..]), Some(b""), None] {
        match damage {
            Some(text) => fs::write(root.path().join("counters.json"), text).unwrap(),
            None => fs::remove_file(root.path().join("counters.json")).unwrap(),
        }
        let last = open().runs().unwrap().next().unwrap();
        let next = Teller::begin(&open(), "/src", "b.yml", 0).end();
        assert!(next > last.id);
        assert_eq!(open().runs().unwrap().next().unwrap().outline.number, last.outline.number + 1);
    }
    fs::write(root.path().join("counters.json"), "{\"version\":2,\"next\":[]}").unwrap();
    assert!(
        matches!(open().begin("/src", "a.yml"), Err(BeginError::Counter(_))),
        "a newer version is left alone"
    );
}

#[test]
fn runs_are_found_by_id_and_as_the_last_of_a_project() {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    let missing = history.select(RunSelector::Last, Some("/a")).unwrap_err();
    assert_eq!(missing.to_string(), "there are no runs of `/a`");
    for project in ["/a", "/b", "/a", "/b"] {
        Teller::begin(&history, project, "ci.yml", 0).end();
    }
    // What is not ours.
    for name in ["05", "x", "9.bak"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    fs::write(root.path().join("99"), "").unwrap();
    std::os::unix::fs::symlink("1", root.path().join("98")).unwrap();
    let ids: Vec<u64> = history.runs().unwrap().map(|run| run.id.0).collect();
    assert_eq!(ids, [4, 3, 2, 1]);
    let last = |project| history.select(RunSelector::Last, project).unwrap().id().0;
    assert_eq!((last(None), last(Some("/a"))), (4, 3));
    assert_eq!("#2".parse(), Ok(RunSelector::Id(RunId(2))));
    assert_eq!(history.select("2".parse().unwrap(), Some("/a")).unwrap().id(), RunId(2));
    for id in [98, 99, 7] {
        let error = history.run(RunId(id)).unwrap_err();
        assert!(matches!(error, FindError::Missing { newest: Some(RunId(4)), .. }), "{error}");
    }
    assert!("latest".parse::<RunSelector>().is_err() && "-1".parse::<RunSelector>().is_err());
}

/// Not a test: what is killed by the next one.
#[test]
#[ignore = "a process to be killed"]
fn record_until_killed() {
    let root = std::env::var("HISTORY_TO_RECORD_IN").unwrap();
    let mut teller = Teller::begin(&History::open(root), "/src", "ci.yml", 0);
    teller.job("build", 1);
    teller.step("build", 1);
    for number in 0_u64.. {
        teller.print("build", 1, &[&number.to_string(), &"x".repeat(1000)]);
    }
}

#[test]
fn a_killed_run_is_interrupted_and_its_log_whole() {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "record_until_killed", "--ignored"])
        .env("HISTORY_TO_RECORD_IN", root.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let log = root.path().join("1/logs/build/1.log");
    while fs::metadata(&log).map_or(0, |log| log.len()) < 100_000 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::yield_now();
    }
    let status = || history.runs().unwrap().next().unwrap().status;
    assert_eq!(status(), RunStatus::Running);
    assert!(matches!(history.remove(RunId(1)), Err(RemoveError::Running { .. })));
    assert!(matches!(history.reopen(RunId(1)), Err(BeginError::Running { .. })));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status(), RunStatus::Interrupted);
    for (number, lines) in texts(&history.run(RunId(1)).unwrap(), None).chunks(2).enumerate() {
        assert_eq!(lines[0], format!("build/1 {number}"));
    }
}

#[test]
fn torn_lines_are_as_if_they_had_never_begun() {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    let mut teller = Teller::begin(&history, "/src", "ci.yml", 0);
    teller.job("build", 1);
    teller.step("build", 1);
    teller.print("build", 1, &["whole"]);
    let (seq, live) = (teller.seq, teller.live.clone());
    drop(teller);
    let tear = |path: &str| {
        let mut file = OpenOptions::new().append(true).open(root.path().join(path)).unwrap();
        file.write_all(b"2023-11-14T22:13:20.050Z {\"seq\":99,\"at\":0,\"run\":1,\"type\":\"run.fin")
            .unwrap();
    };
    tear("1/events.ndjson");
    tear("1/logs/build/1.log");
    let run = history.run(RunId(1)).unwrap();
    assert_eq!(run.summary().unwrap().status, RunStatus::Interrupted);
    assert_eq!(run.summary().unwrap().ended, Some(Timestamp(30)));
    assert_eq!(run.state().unwrap().jobs, live.jobs);
    assert_eq!(texts(&run, None), ["build/1 whole"]);

    let recorder = history.reopen(RunId(1)).unwrap();
    assert_eq!(run.summary().unwrap().status, RunStatus::Running);
    let mut teller = Teller { recorder, live, seq, at: 100 };
    teller.print("build", 1, &["again"]);
    teller.step_ends("build", 1);
    let live = teller.live.clone();
    teller.end();
    assert_eq!(texts(&run, None), ["build/1 whole", "build/1 again"]);
    assert_eq!(run.state().unwrap().jobs, live.jobs);
    let again = history.begin_again(RunId(1)).unwrap();
    assert_eq!((again.id(), again.number(), again.attempt()), (RunId(2), 1, 2));
}

#[test]
fn events_of_newer_programs_are_passed_over_or_refused() {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    let mut teller = Teller::begin(&history, "/src", "ci.yml", 0);
    let mut file = OpenOptions::new().append(true).open(root.path().join("1/events.ndjson")).unwrap();
    file.write_all(
        b"{\"seq\":2,\"at\":1,\"run\":1,\"type\":\"run.dreaming\",\"of\":\"sheep\"}\nnot json\n\n",
    )
    .unwrap();
    teller.job("build", 1);
    let id = teller.end();
    assert_eq!(history.run(id).unwrap().state().unwrap().jobs.len(), 1);

    let events = root.path().join("1/events.ndjson");
    let text = fs::read_to_string(&events).unwrap().replacen("\"schema\":\"1.0\"", "\"schema\":\"2.0\"", 1);
    fs::write(&events, text).unwrap();
    let error = history.run(id).unwrap().summary().unwrap_err();
    assert!(error.to_string().contains("version 2.0"), "{error}");
    assert_eq!(history.runs().unwrap().count(), 0);
}

#[test]
fn growing_logs_are_followed_to_the_end() {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    let mut teller = Teller::begin(&history, "/src", "ci.yml", 0);
    teller.job("build", 2);
    teller.step("build", 1);
    teller.print("build", 1, &["a", "b", "c"]);
    let run = history.run(RunId(1)).unwrap();
    let query = LogQuery { job: &|job| job.key.as_str() == "build", step: None, tail: Some(1), follow: true };
    let mut seen = Vec::new();
    let mut round = 0;
    run.read_logs(
        &query,
        &mut |entry| {
            seen.push(format!("{} {}", entry.number.0, entry.text));
            ControlFlow::Continue(())
        },
        &mut || {
            round += 1;
            match round {
                1 => {
                    teller.print("build", 1, &["d"]);
                    teller.step_ends("build", 1);
                    teller.step("build", 2);
                    teller.print("build", 2, &["e", "f", "g"]);
                }
                2 => teller.job("other", 1),
                _ => teller.job_ends("build"),
            }
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    assert_eq!(seen, ["1 c", "1 d", "2 e", "2 f", "2 g"], "the end of what was there, and all that came");
    assert_eq!(round, 3, "it ends with the job, not with the run");

    let query = LogQuery { job: &|_| true, step: None, tail: None, follow: true };
    let mut teller = Some(teller);
    run.read_logs(&query, &mut |_| ControlFlow::Continue(()), &mut || {
        drop(teller.take());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(teller.is_none(), "it ends when the recorder is gone, told or not");
}

#[test]
fn old_runs_go_but_the_last_of_each_workflow_stays() {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    let now = 100 * DAY;
    let alive = Teller::begin(&history, "/a", "ci.yml", 0);
    for (project, workflow, age) in [
        ("/a", "ci.yml", 31),
        ("/a", "ci.yml", 29),
        ("/a", "nightly.yml", 31),
        ("/b", "ci.yml", 40),
        ("/b", "ci.yml", 1),
    ] {
        let mut teller = Teller::begin(&history, project, workflow, now - age * DAY);
        let artifacts = teller.recorder.make_directory("artifacts").unwrap();
        fs::create_dir(artifacts.join("locked")).unwrap();
        fs::write(artifacts.join("locked/small"), "x").unwrap();
        fs::write(artifacts.join("big"), vec![b'x'; 100_000]).unwrap();
        fs::set_permissions(artifacts.join("locked"), std::os::unix::fs::PermissionsExt::from_mode(0o000))
            .unwrap();
        teller.job("build", 1);
        teller.end();
    }
    let left = || history.runs().unwrap().map(|run| run.id.0).collect::<Vec<_>>();
    let month =
        Retention { max_age: Some(Duration::from_hours(30 * 24)), keep_minimum: 1, max_total_bytes: None };
    let prunable: Vec<u64> =
        history.prunable(&month, Timestamp(now)).unwrap().iter().map(|run| run.id.0).collect();
    assert_eq!(prunable, [2, 5]);
    fs::create_dir(root.path().join("50")).unwrap();
    let pruned = history.prune(&month, Timestamp(now)).unwrap();
    assert!(pruned.failed.is_empty() && pruned.freed() >= 200_000, "{pruned:?}");
    assert_eq!(left(), [6, 4, 3, 1]);
    assert!(!root.path().join("50").exists(), "what never began is gone");

    let small = Retention { max_age: None, keep_minimum: 0, max_total_bytes: Some(280_000) };
    history.prune(&small, Timestamp(now)).unwrap();
    assert_eq!(left(), [6, 4, 1], "the oldest goes, and never what lives");
    let none = Retention { max_age: Some(Duration::ZERO), keep_minimum: 0, max_total_bytes: None };
    history.prune(&none, Timestamp(now)).unwrap();
    assert_eq!(left(), [1]);
    assert!(is_empty(&root.path().join("trash")));
    drop(alive);
    assert!(matches!(history.remove(RunId(7)), Err(RemoveError::Missing { .. })));
    history.remove(RunId(1)).unwrap();
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).unwrap().next().is_none()
}

#[test]
fn what_a_crash_left_of_a_removal_is_swept() {
    let root = tempfile::tempdir().unwrap();
    let history = History::open(root.path());
    Teller::begin(&history, "/a", "ci.yml", 0).end();
    // Killed after the renaming.
    fs::create_dir(root.path().join("trash")).unwrap();
    fs::rename(root.path().join("1"), root.path().join("trash/1.0")).unwrap();
    fs::write(root.path().join("trash/file"), "").unwrap();
    std::os::unix::fs::symlink("/etc", root.path().join("trash/link")).unwrap();
    assert_eq!(history.runs().unwrap().count(), 0);
    History::open(root.path());
    assert!(is_empty(&root.path().join("trash")) && Path::new("/etc/passwd").exists());
}
