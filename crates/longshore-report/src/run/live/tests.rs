//! The tree at given times in given windows, and what is left of it.

use std::sync::{Arc, Mutex};

use longshore_event::{Conclusion, Event, RunSink, Timestamp};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr as _;

use super::super::script::{BEGIN, Script, Shared, six_jobs, six_jobs_to_the_end};
use super::super::tracked::Tracking;
use super::screen::Screen;
use super::{Live, Size, Window, frame};
use crate::Style;

fn draw(events: &[Event], columns: usize, rows: usize) -> Vec<String> {
    let mut tracking = Tracking::default();
    for event in events {
        tracking.take(event);
    }
    let now = Timestamp(events.iter().map(|event| event.at.0).max().unwrap_or(BEGIN) + 1_000);
    frame::frame(&tracking, now, Size { columns, rows }, Style { color: false, width: columns })
}

/// A matrix of 256 cells of which some have ended, one badly, and eight run.
fn many_cells() -> Script {
    let mut script = Script::new(3, "Matrix", &[("test", "test", &[]), ("pack", "pack", &["test"])]);
    for cell in 1..=256 {
        script.queue(&format!("test/{cell}"), &format!("test (cell {cell})"), None);
    }
    for cell in 1..=48 {
        let key = format!("test/{cell}");
        script.start(&key, &format!("test (cell {cell})"), &["Set up job", "Run it"]);
        script.whole(&key, 1, "Set up job", 2).step(&key, 2, "Run it").log(&key, 2, &["working"]);
        script.wait(20);
        if cell == 13 {
            script.fail(&key, 2, Conclusion::Failure).end_job(&key, Conclusion::Failure);
        } else if cell <= 40 {
            script.pass(&key, 2).end_job(&key, Conclusion::Success);
        }
    }
    script
}

#[test]
fn the_tree_fits_every_window() {
    let six = six_jobs().events;
    insta::assert_snapshot!("six_80x24", draw(&six, 80, 24).join("\n"));
    insta::assert_snapshot!("six_60x12", draw(&six, 60, 12).join("\n"));
    insta::assert_snapshot!("six_30x5", draw(&six, 30, 5).join("\n"));
    insta::assert_snapshot!("six_pulling_80x24", draw(&six[..12], 80, 24).join("\n"));
    insta::assert_snapshot!("cells_80x24", draw(&many_cells().events, 80, 24).join("\n"));
    insta::assert_snapshot!("cells_60x8", draw(&many_cells().events, 60, 8).join("\n"));
}

#[test]
fn several_runs_share_the_window() {
    let mut events = six_jobs().events;
    events.extend(many_cells().events);
    insta::assert_snapshot!("two_runs_80x20", draw(&events, 80, 20).join("\n"));
    insta::assert_snapshot!("two_runs_80x8", draw(&events, 80, 8).join("\n"));
}

#[test]
fn one_job_shows_its_log() {
    let mut script = Script::new(1, "Build", &[("build", "build", &[])]);
    script.start("build", "build", &["Set up job", "Run make"]).whole("build", 1, "Set up job", 12);
    script.step("build", 2, "Run make").log(
        "build",
        2,
        &["cc -c a.c", "\u{1b}[31mcc -c \u{1b}[2Jb.c", "##[warning]old"],
    );
    script.wait(61_000);
    insta::assert_snapshot!("one_60x24", draw(&script.events, 60, 24).join("\n"));
}

proptest! {
    #[test]
    fn no_frame_is_larger_than_its_window(columns in 0_usize..100, rows in 0_usize..40, upto in 1_usize..80) {
        for events in [six_jobs_to_the_end().events, many_cells().events] {
            let lines = draw(&events[..upto.min(events.len())], columns, rows);
            prop_assert!(lines.len() <= rows.saturating_sub(1));
            prop_assert!(lines.iter().all(|line| line.width() <= columns.saturating_sub(1)));
        }
    }
}

/// What stands on a terminal after events, each followed by an idle moment.
fn shown(events: &[Event], size: Size, color: bool) -> String {
    let stream = Shared::default();
    let now = Arc::new(Mutex::new(Timestamp(BEGIN)));
    let clock = Arc::clone(&now);
    let window =
        Window { color, size: Box::new(move || size), now: Box::new(move || *clock.lock().unwrap()) };
    let mut live = Live::new(stream.clone(), window);
    let mut screen = Screen::new(size.columns, size.rows);
    for event in events {
        *now.lock().unwrap() = event.at;
        live.take(event);
        live.idle();
        screen.write(&stream.text());
    }
    live.finish().unwrap();
    screen.write(&stream.text());
    screen.text()
}

#[test]
fn what_is_left_is_the_whole_run() {
    let events = six_jobs_to_the_end().events;
    let large = shown(&events, Size { columns: 100, rows: 30 }, false);
    insta::assert_snapshot!("left_of_six", large);
    // In a window of one line no tree is ever drawn: what is left is the same, so nothing of the tree was left behind.
    assert_eq!(large, shown(&events, Size { columns: 100, rows: 1 }, false));
    assert_eq!(large, shown(&events, Size { columns: 100, rows: 7 }, false));
    assert_eq!(large, shown(&events, Size { columns: 100, rows: 30 }, true));
}

#[test]
fn a_run_that_is_left_alone_is_not_hidden() {
    let mut events = many_cells().events;
    events.truncate(events.len() - 3);
    insta::assert_snapshot!("left_of_cells", shown(&events, Size { columns: 100, rows: 30 }, false));
}

#[test]
fn a_window_that_becomes_narrower_is_cleared() {
    let events = six_jobs().events;
    let stream = Shared::default();
    let size = Arc::new(Mutex::new(Size { columns: 80, rows: 30 }));
    let asked = Arc::clone(&size);
    let window = Window {
        color: false,
        size: Box::new(move || *asked.lock().unwrap()),
        now: Box::new(|| Timestamp(BEGIN + 9_000)),
    };
    let mut live = Live::new(stream.clone(), window);
    events.iter().for_each(|event| live.take(event));
    live.idle();
    stream.text();
    let rows = |text: String| text.split_once("\u{1b}[").unwrap().1.split_once('A').unwrap().0.to_owned();
    live.idle();
    let before: usize = rows(stream.text().replacen("\u{1b}[?2026h", "", 1)).parse().unwrap();
    *size.lock().unwrap() = Size { columns: 20, rows: 30 };
    live.idle();
    let after: usize = rows(stream.text().replacen("\u{1b}[?2026h", "", 1)).parse().unwrap();
    assert!(after > before, "{after} rows after {before}");
}

#[test]
fn somebody_else_may_write_between_two_drawings() {
    let (stream, size) = (Shared::default(), Size { columns: 80, rows: 30 });
    let window =
        Window { color: false, size: Box::new(move || size), now: Box::new(|| Timestamp(BEGIN + 9_000)) };
    let mut live = Live::new(stream.clone(), window);
    let mut screen = Screen::new(size.columns, size.rows);
    six_jobs().events.iter().for_each(|event| live.take(event));
    live.idle();
    let tree = stream.text();
    screen.write(&tree);
    let before = screen.text();
    live.step_aside();
    screen.write(&stream.text());
    screen.write("saved: src/a.py\n");
    live.idle();
    screen.write(&stream.text());
    let (tree, after) = (before.lines().last().unwrap(), screen.text());
    assert_eq!(after.matches("saved: src/a.py").count(), 1, "{after}");
    assert_eq!(after.matches(tree).count(), 1, "{after}");
    assert!(after.find("saved:") < after.find(tree), "{after}");
}
