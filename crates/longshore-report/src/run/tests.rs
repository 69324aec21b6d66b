//! Runs as they look in every display.

use std::io;

use longshore_event::{
    Annotation, AnnotationLevel, Conclusion, Event, JobEvent, JobKey, RunId, RunSink, RunState, StepEvent,
    StepNumber,
};

use super::html::Artifact;
use super::script::{Script, Shared, six_jobs_to_the_end};
use super::{Display, Format, GitHub, Json, Options, Plain, StepLogs, Verbosity, ansi, end, html, junit};
use crate::Style;

fn plain(events: &[Event], verbosity: Verbosity, style: Style) -> String {
    let mut text = Vec::new();
    let mut display = Plain::new(&mut text, verbosity, style);
    events.iter().for_each(|event| display.take(event));
    display.finish().unwrap();
    String::from_utf8(text).unwrap()
}

fn state(events: &[Event]) -> RunState {
    let mut state = RunState::default();
    events.iter().for_each(|event| state.apply(event));
    state
}

/// One job that passes.
fn one_job() -> Script {
    let mut script = Script::new(1, "Build", &[("build", "build", &[])]);
    script.start("build", "build", &["Set up job", "Run make", "Complete job"]);
    script.whole("build", 1, "Set up job", 12).step("build", 2, "Run make");
    script.log("build", 2, &["##[group]Run make", "##[command]make", "##[endgroup]", "cc -o shop"]);
    script.wait(1_234).pass("build", 2).whole("build", 3, "Complete job", 1);
    script.end_job("build", Conclusion::Success).end(Conclusion::Success);
    script
}

#[test]
fn plain_lines_tell_what_a_person_wants() {
    insta::assert_snapshot!("plain_one", plain(&one_job().events, Verbosity::Brief, Style::PLAIN));
    insta::assert_snapshot!("plain_one_verbose", plain(&one_job().events, Verbosity::Verbose, Style::PLAIN));
    let events = six_jobs_to_the_end().events;
    insta::assert_snapshot!("plain_six", plain(&events, Verbosity::Brief, Style::PLAIN));
    insta::assert_snapshot!("plain_six_verbose", plain(&events, Verbosity::Verbose, Style::PLAIN));
    insta::assert_snapshot!("plain_six_quiet", plain(&events, Verbosity::Quiet, Style::PLAIN));
    assert_eq!(plain(&one_job().events, Verbosity::Quiet, Style::PLAIN), "");
}

#[test]
fn colour_changes_no_word() {
    let events = six_jobs_to_the_end().events;
    let coloured = plain(&events, Verbosity::Verbose, Style { color: true, width: 140 });
    let words: Vec<_> = coloured.lines().map(|line| ansi::terminal(line, false).into_owned()).collect();
    let plain = plain(&events, Verbosity::Verbose, Style::PLAIN);
    assert_eq!(words, plain.lines().collect::<Vec<_>>());
}

#[test]
fn json_is_the_events() {
    let events = six_jobs_to_the_end().events;
    let mut text = Vec::new();
    let mut display = Json::new(&mut text);
    events.iter().for_each(|event| display.take(event));
    display.finish().unwrap();
    let text = String::from_utf8(text).unwrap();
    let back: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(back, events);
    assert!(text.starts_with(r#"{"seq":1,"at":1700000000000,"run":12,"type":"run.started","schema":"1.0","#));
}

#[test]
fn the_end_says_what_to_do() {
    let mut text = String::new();
    end::write(&state(&six_jobs_to_the_end().events), Style::PLAIN, &mut text);
    insta::assert_snapshot!("end_six", text);
    let mut interrupted = six_jobs_to_the_end().events;
    interrupted.truncate(20);
    let mut text = String::new();
    end::write(&state(&interrupted), Style::PLAIN, &mut text);
    insta::assert_snapshot!("end_interrupted", text);
}

#[test]
fn what_is_true_of_several_jobs_or_of_a_step_and_its_job_is_said_once() {
    let mut script = Script::new(
        3,
        "CI",
        &[("build", "build", &[]), ("test/1", "test (a)", &[]), ("test/2", "test (b)", &[])],
    );
    script.start("build", "build", &["Set up job"]).step("build", 1, "Set up job");
    let error = Some("no network".to_owned());
    let (conclusion, outputs) = (Conclusion::Failure, std::collections::BTreeMap::new());
    let step = StepEvent::Finished {
        outcome: conclusion,
        conclusion,
        exit_code: None,
        outputs: outputs.clone(),
        error: error.clone(),
    };
    let job =
        JobEvent::Finished { conclusion, continue_on_error: false, outputs, url: None, error, kept: false };
    script.push(Some("build"), Some(1), step).push(Some("build"), None, job);
    for (key, name) in [("test/1", "test (a)"), ("test/2", "test (b)")] {
        let warning = Annotation::new(AnnotationLevel::Warning, "skipped: nothing here runs it");
        let skipped = JobEvent::Skipped { name: name.to_owned(), reason: "nothing here runs it".to_owned() };
        script.push(Some(key), None, warning).push(Some(key), None, skipped);
    }
    script.end(conclusion);
    insta::assert_snapshot!("plain_once", plain(&script.events, Verbosity::Brief, Style::PLAIN));
    insta::assert_snapshot!("tree_once", {
        let mut text = String::new();
        super::tree::write(&state(&script.events), Style::PLAIN, &mut text);
        text
    });
}

#[test]
fn a_hosted_runner_gets_groups_and_annotations() {
    let mut events = six_jobs_to_the_end().events;
    let mut finding = Annotation::new(AnnotationLevel::Notice, "50% slower\nthan before");
    finding.title = Some("Speed: a, b".to_owned());
    finding.file = Some("src/a,b.rs".to_owned());
    (finding.line, finding.end_line, finding.column, finding.end_column) =
        (Some(3), Some(3), Some(1), Some(9));
    let last = events.len() - 1;
    events[last - 1].kind = finding.into();
    let mut text = Vec::new();
    let mut display = GitHub::new(&mut text);
    events.iter().for_each(|event| display.take(event));
    display.finish().unwrap();
    insta::assert_snapshot!("github_six", String::from_utf8(text).unwrap());
}

#[test]
fn a_hosted_runner_gets_every_line_however_long_the_log_is() {
    let mut script = Script::new(1, "CI", &[("a", "a", &[]), ("b", "b", &[])]);
    script
        .start("a", "a", &["Run a"])
        .start("b", "b", &["Run b"])
        .step("a", 1, "Run a")
        .step("b", 1, "Run b");
    let line = "x".repeat(1_000);
    for _ in 0..600 {
        script.log("a", 1, &[&line]).log("b", 1, &[&line]);
    }
    script.pass("a", 1).pass("b", 1);
    let mut text = Vec::new();
    let mut display = GitHub::new(&mut text);
    script.events.iter().for_each(|event| display.take(event));
    display.finish().unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().filter(|shown| *shown == line).count(), 1_200);
    assert!(text.contains("::group::a: Run a\n") && text.contains("::group::a: Run a (goes on)\n"));
    assert_eq!(text.matches("::group::").count(), text.matches("::endgroup::").count());
}

/// The logs of a run, from its events.
fn logs(events: Vec<Event>) -> impl StepLogs {
    move |run: RunId, job: &JobKey, step: StepNumber, line: &mut dyn FnMut(&str)| -> io::Result<()> {
        let of_step =
            |event: &&Event| event.run == run && event.job.as_ref() == Some(job) && event.step == Some(step);
        for event in events.iter().filter(of_step) {
            if let longshore_event::EventKind::Log(chunk) = &event.kind {
                chunk.lines.iter().for_each(|text| line(text));
            }
        }
        Ok(())
    }
}

#[test]
fn junit_has_jobs_as_suites() {
    let events = six_jobs_to_the_end().events;
    let mut text = Vec::new();
    junit::write(&[&state(&events)], &mut logs(events), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    roxmltree::Document::parse(&text).unwrap();
    insta::assert_snapshot!("junit_six", text);
}

#[test]
fn html_is_one_file() {
    let events = six_jobs_to_the_end().events;
    let artifacts = [Artifact { name: "coverage <1>".to_owned(), bytes: 1_500_000 }];
    let mut text = Vec::new();
    html::write(&state(&events), &artifacts, &mut logs(events), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("</head>").unwrap();
    assert!(head.contains("default-src 'none'"));
    insta::assert_snapshot!("html_six", body);
}

#[test]
fn html_shows_the_ends_of_a_long_log() {
    let mut script = Script::new(1, "CI", &[("a", "a", &[])]);
    script.start("a", "a", &["Run a"]).step("a", 1, "Run a").log("a", 1, &["x"]).pass("a", 1);
    let mut million = |_: RunId, _: &JobKey, _: StepNumber, line: &mut dyn FnMut(&str)| {
        (1..=100_000).for_each(|number| line(&format!("line {number}.")));
        Ok(())
    };
    let mut text = Vec::new();
    html::write(&state(&script.events), &[], &mut million, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("line 1000.") && !text.contains("line 1001.") && text.contains("line 98001."));
    assert!(text.contains("┄ 97000 lines are left out here") && text.contains("line 100000."));
}

#[test]
fn the_display_is_the_one_that_was_asked_for() {
    let options = |format, verbosity| Options { format, verbosity, style: Style::PLAIN, window: None };
    let events = one_job().events;
    for (format, start) in
        [(Format::Text, "Build: push"), (Format::Json, "{\"seq\":1"), (Format::GitHub, "::group::")]
    {
        let mut text = Vec::new();
        let mut display = Display::new(&mut text, options(format, Verbosity::Brief));
        events.iter().for_each(|event| display.take(event));
        display.idle();
        display.finish().unwrap();
        drop(display);
        assert!(String::from_utf8(text).unwrap().starts_with(start), "{format:?}");
    }
}

#[test]
fn output_waits_no_longer_than_for_an_idle_moment() {
    let mut script = Script::new(1, "CI", &[("a", "a", &[])]);
    script.start("a", "a", &["Run a"]).step("a", 1, "Run a").log("a", 1, &["working"]);
    for format in [Format::Text, Format::Json, Format::GitHub] {
        let stream = Shared::default();
        let options = Options { format, verbosity: Verbosity::Verbose, style: Style::PLAIN, window: None };
        let mut display = Display::new(stream.clone(), options);
        script.events.iter().for_each(|event| display.take(event));
        assert!(!stream.text().contains("working"), "{format:?}");
        display.idle();
        assert!(stream.text().contains("working"), "{format:?}");
    }
}

/// A stream that nobody reads.
struct Closed;

impl io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_failure_of_a_stream_is_told_at_the_end() {
    for format in [Format::Text, Format::Json, Format::GitHub] {
        let options = Options { format, verbosity: Verbosity::Brief, style: Style::PLAIN, window: None };
        let mut display = Display::new(Closed, options);
        one_job().events.iter().for_each(|event| display.take(event));
        assert_eq!(display.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe, "{format:?}");
    }
}
