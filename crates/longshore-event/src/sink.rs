//! Who is told.

use crate::ImageEvent;

/// Takes events. It is called from several threads and must be quick: it neither waits nor fails.
pub trait EventSink: Send + Sync {
    /// Takes one fact about images.
    fn image(&self, event: ImageEvent);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl EventSink for Silent {
    fn image(&self, _event: ImageEvent) {}
}
