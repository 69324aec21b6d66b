//! How far a transfer is, and whether it gets on.

use std::time::{Duration, Instant};

use longshore_event::{EventSink, ImageEvent};

/// No more than twenty reports a second for each piece.
const INTERVAL: Duration = Duration::from_millis(50);

/// Whoever sends less than this in a second, over a longer while, never gets to an end.
const LEAST_PER_SECOND: u64 = 1024;

/// Reports on one piece.
pub(crate) struct Progress<'a> {
    sink: &'a dyn EventSink,
    item: String,
    total: Option<u64>,
    last: Instant,
}

impl<'a> Progress<'a> {
    /// Begins to report.
    pub(crate) fn new(sink: &'a dyn EventSink, item: String, total: Option<u64>) -> Self {
        Self { sink, item, total, last: Instant::now() }
    }

    /// So many bytes are done.
    pub(crate) fn report(&mut self, done: u64) {
        if self.last.elapsed() >= INTERVAL {
            self.last = Instant::now();
            self.tell(done);
        }
    }

    /// All is done.
    pub(crate) fn complete(&self, done: u64) {
        self.tell(done);
        self.sink.image(ImageEvent::Completed { item: self.item.clone() });
    }

    fn tell(&self, done: u64) {
        let (item, total) = (self.item.clone(), self.total);
        self.sink.image(ImageEvent::Transferred { item, done, total });
    }
}

/// Watches whether bytes come at a pace that leads to an end.
pub(crate) struct Pace {
    window: Duration,
    began: Instant,
    bytes: u64,
}

impl Pace {
    /// Watches over windows of twice the time that the next byte may take.
    pub(crate) fn new(stall: Duration) -> Self {
        Self { window: stall * 2, began: Instant::now(), bytes: 0 }
    }

    /// Takes notice of bytes that came; whether it is worth going on.
    pub(crate) fn goes_on(&mut self, count: usize) -> bool {
        self.bytes += count as u64;
        let elapsed = self.began.elapsed();
        if elapsed < self.window {
            return true;
        }
        let enough = u128::from(self.bytes) * 1000 >= u128::from(LEAST_PER_SECOND) * elapsed.as_millis();
        (self.began, self.bytes) = (Instant::now(), 0);
        enough
    }
}
