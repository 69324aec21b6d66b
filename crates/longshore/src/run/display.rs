//! Who is told of runs: one display for all of them, and the history of each.

use std::io::Stdout;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_event::{Event, RunSink};
use longshore_history::RunRecorder;
use longshore_report::run::{Display, Size, Window};

/// The display of all runs of an invocation.
pub(crate) type SharedDisplay = Arc<Mutex<Display<Stdout>>>;

/// One run's way to the display that all share, and to its own history.
pub(crate) struct Shared {
    pub(crate) display: SharedDisplay,
    pub(crate) recorder: RunRecorder,
}

impl RunSink for Shared {
    fn take(&mut self, event: &Event) {
        self.recorder.take(event);
        self.display.lock().unwrap_or_else(PoisonError::into_inner).take(event);
    }

    fn idle(&mut self) {
        self.recorder.idle();
        self.display.lock().unwrap_or_else(PoisonError::into_inner).idle();
    }
}

/// The terminal to draw on.
pub(crate) fn window(color: bool) -> Window {
    let size = || {
        let (width, height) =
            terminal_size::terminal_size().map_or((80, 24), |(width, height)| (width.0, height.0));
        Size { columns: usize::from(width), rows: usize::from(height) }
    };
    Window { color, size: Box::new(size), now: Box::new(super::now) }
}
