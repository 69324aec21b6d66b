//! Events as they are written and read, and what they add up to.

use std::collections::BTreeMap;

use longshore_event::{
    Annotation, AnnotationLevel, Conclusion, Event, EventKind, ImageEvent, JobEvent, JobKey, JobOutline,
    JobStatus, LogChunk, RunEvent, RunId, RunOutline, RunState, StepEvent, StepNumber, StepStage, StepStatus,
    Timestamp,
};

fn story() -> Vec<Event> {
    let outline = |key: &str| JobOutline { key: key.into(), name: key.into(), needs: Vec::new() };
    let started = RunEvent::Started(Box::new(RunOutline {
        schema: longshore_event::SCHEMA.into(),
        workflow: "ci".into(),
        path: ".github/workflows/ci.yml".into(),
        title: "a commit".into(),
        event: "push".into(),
        git_ref: Some("refs/heads/main".into()),
        sha: None,
        number: 3,
        attempt: 1,
        directory: "/src".into(),
        jobs: vec![outline("build"), outline("test")],
    }));
    let build = Some(JobKey::from("build"));
    let cell = Some(JobKey::from("test/2"));
    let one = Some(StepNumber(1));
    let kinds: Vec<(Option<JobKey>, Option<StepNumber>, EventKind)> = vec![
        (None, None, started.into()),
        (build.clone(), None, JobEvent::Queued { name: "build".into(), reason: None }.into()),
        (
            build.clone(),
            None,
            JobEvent::Started {
                name: "Build".into(),
                runs_on: vec!["ubuntu-latest".into()],
                image: "host".into(),
                steps: vec![],
            }
            .into(),
        ),
        (build.clone(), None, ImageEvent::Present { item: "sha256:1".into() }.into()),
        (
            build.clone(),
            one,
            StepEvent::Started { name: "Run make".into(), id: "__run".into(), stage: StepStage::Main }.into(),
        ),
        (build.clone(), one, LogChunk { lines: vec!["a".into(), "b".into()] }.into()),
        (build.clone(), one, Annotation::new(AnnotationLevel::Error, "wrong").into()),
        (
            build.clone(),
            one,
            StepEvent::Finished {
                outcome: Conclusion::Failure,
                conclusion: Conclusion::Success,
                exit_code: Some(2),
                outputs: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
                error: Some("exit code 2".into()),
            }
            .into(),
        ),
        (
            build,
            None,
            JobEvent::Finished {
                conclusion: Conclusion::Success,
                continue_on_error: false,
                outputs: BTreeMap::new(),
                url: None,
                error: None,
                kept: false,
            }
            .into(),
        ),
        (cell, None, JobEvent::Skipped { name: "test (2)".into(), reason: "`if` is false".into() }.into()),
        (None, None, RunEvent::Finished { conclusion: Conclusion::Success }.into()),
    ];
    let numbered = kinds.into_iter().zip(1..);
    numbered
        .map(|((job, step, kind), seq)| Event {
            seq,
            at: Timestamp(1000 + seq),
            run: RunId(7),
            job,
            step,
            kind,
        })
        .collect()
}

#[test]
fn what_is_written_is_read_again() {
    for event in story() {
        let text = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(read, event, "{text}");
    }
}

#[test]
fn the_wire_names_family_and_fact() {
    let types: Vec<String> = story()
        .iter()
        .map(|event| serde_json::to_value(event).unwrap()["type"].as_str().unwrap_or("none").to_owned())
        .collect();
    let expected = [
        "run.started",
        "job.queued",
        "job.started",
        "image.present",
        "step.started",
        "log",
        "annotation",
        "step.finished",
        "job.finished",
        "job.skipped",
        "run.finished",
    ];
    assert_eq!(types, expected);
    let finished = serde_json::to_string(&story()[7]).unwrap();
    assert_eq!(
        finished,
        r#"{"seq":8,"at":1008,"run":7,"job":"build","step":1,"type":"step.finished","outcome":"failure","conclusion":"success","exit_code":2,"outputs":{"k":"v"},"error":"exit code 2"}"#
    );
}

#[test]
fn events_add_up_and_count_once() {
    let mut state = RunState::default();
    for event in story().iter().chain(&story()) {
        state.apply(event);
    }
    assert_eq!(state.conclusion, Some(Conclusion::Success));
    let names: Vec<&str> = state.jobs.iter().map(|job| job.key.as_str()).collect();
    assert_eq!(names, ["build", "test/2"], "the cell takes the place of the job whose matrix was not known");
    let build = &state.jobs[0];
    assert_eq!(build.status, JobStatus::Finished(Conclusion::Success));
    let step = &build.steps[&StepNumber(1)];
    assert_eq!(step.status, StepStatus::Finished(Conclusion::Failure, Conclusion::Success));
    assert_eq!((step.lines, step.exit_code), (2, Some(2)));
    assert_eq!(state.annotations.len(), 1);
}
