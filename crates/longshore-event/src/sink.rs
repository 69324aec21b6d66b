//! Who is told.

use crate::{Event, ImageEvent};

/// Takes what happens to images. It is called from several threads and must be quick: it neither waits nor fails.
pub trait EventSink: Send + Sync {
    /// Takes one fact about images.
    fn image(&self, event: ImageEvent);
}

/// Takes the events of runs in their order, from one thread.
pub trait RunSink: Send {
    /// Takes one event.
    fn take(&mut self, event: &Event);

    /// Nothing new for a moment: time to show a clock or to write what is kept back. Called a few times a second.
    fn idle(&mut self) {}
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl EventSink for Silent {
    fn image(&self, _event: ImageEvent) {}
}

impl RunSink for Silent {
    fn take(&mut self, _event: &Event) {}
}
