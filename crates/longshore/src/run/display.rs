//! Who is told of runs: one display for all of them, and the history of each.

use std::io::{self, Stdout};
use std::sync::{Arc, Mutex, PoisonError};

use longshore_event::{Event, RunSink};
use longshore_history::RunRecorder;
use longshore_report::run::{Json, Plain};

/// What a person or a program follows.
#[derive(Debug)]
pub(crate) enum Display {
    /// Lines.
    Plain(Plain<Stdout>),
    /// Events.
    Json(Json<Stdout>),
}

impl Display {
    fn sink(&mut self) -> &mut dyn RunSink {
        match self {
            Self::Plain(plain) => plain,
            Self::Json(json) => json,
        }
    }

    /// The first failure of the stream.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.finish(),
            Self::Json(json) => json.finish(),
        }
    }
}

/// One run's way to the display that all share, and to its own history.
pub(crate) struct Shared {
    pub(crate) display: Arc<Mutex<Display>>,
    pub(crate) recorder: RunRecorder,
}

impl RunSink for Shared {
    fn take(&mut self, event: &Event) {
        self.recorder.take(event);
        self.display.lock().unwrap_or_else(PoisonError::into_inner).sink().take(event);
    }

    fn idle(&mut self) {
        self.recorder.idle();
        self.display.lock().unwrap_or_else(PoisonError::into_inner).sink().idle();
    }
}
