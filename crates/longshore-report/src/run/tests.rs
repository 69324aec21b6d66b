//! Runs as they look in every display.

use longshore_event::{Conclusion, Event, RunSink, RunState};

use super::script::{Script, six_jobs_to_the_end};
use super::{Json, Plain, Verbosity, ansi, end};
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
