//! Showing progress on standard error: drawn anew on a terminal, as lines elsewhere, not at all if it is not wanted.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_event::{EventSink, ImageEvent};
use longshore_report::{Progress, Style};

/// The least time between two drawings.
const INTERVAL: Duration = Duration::from_millis(100);

/// Takes events and shows them.
pub(crate) struct ProgressSink {
    mode: Mode,
    style: Style,
    began: Instant,
    state: Mutex<Shown>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Silent,
    Lines,
    Live,
}

#[derive(Default)]
struct Shown {
    progress: Progress,
    /// How many lines stand there that will be drawn over.
    lines: usize,
    last: Option<Instant>,
}

impl ProgressSink {
    /// A sink for a verb that was asked to be quiet or not.
    pub(crate) fn new(quiet: bool, style: Style) -> Arc<Self> {
        let mode = match (quiet, io::stderr().is_terminal()) {
            (true, _) => Mode::Silent,
            (false, true) => Mode::Live,
            (false, false) => Mode::Lines,
        };
        Arc::new(Self { mode, style, began: Instant::now(), state: Mutex::default() })
    }

    /// Draws a last time. Nobody is left to tell if the stream is closed.
    pub(crate) fn finish(&self) {
        if self.mode == Mode::Live {
            let mut shown = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            self.draw(&mut shown);
            shown.lines = 0;
        }
    }

    fn draw(&self, shown: &mut Shown) {
        let lines = shown.progress.lines(self.began.elapsed(), self.style);
        let mut text = String::new();
        if shown.lines > 0 {
            text.push_str(&format!("\u{1b}[{}A", shown.lines));
        }
        for line in &lines {
            text.push_str(&format!("\r{line}\u{1b}[K\n"));
        }
        // What stood below and is no longer there.
        text.push_str("\u{1b}[J");
        shown.lines = lines.len();
        shown.last = Some(Instant::now());
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

impl EventSink for ProgressSink {
    fn image(&self, event: ImageEvent) {
        if self.mode == Mode::Silent {
            return;
        }
        let mut shown = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = shown.progress.take(&event, self.began.elapsed());
        match self.mode {
            Mode::Lines => {
                if let Some(line) = line {
                    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
                }
            }
            Mode::Live => {
                if shown.last.is_none_or(|last| last.elapsed() >= INTERVAL) {
                    self.draw(&mut shown);
                }
            }
            Mode::Silent => {}
        }
    }
}
