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
///
/// Only the time counts that was spent waiting for the other side: whoever takes the bytes may be slow.
pub(crate) struct Pace {
    window: Duration,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Watches over windows of twice the time that the next byte may take.
    pub(crate) fn new(stall: Duration) -> Self {
        Self { window: stall * 2, waited: Duration::ZERO, bytes: 0 }
    }

    /// Takes notice of bytes and how long they took to come; whether it is worth going on.
    pub(crate) fn goes_on(&mut self, count: usize, waited: Duration) -> bool {
        self.bytes += count as u64;
        self.waited += waited;
        if self.waited < self.window {
            return true;
        }
        let least = u128::from(LEAST_PER_SECOND) * self.waited.as_millis();
        let enough = u128::from(self.bytes) * 1000 >= least;
        (self.waited, self.bytes) = (Duration::ZERO, 0);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Pace};

    #[test]
    fn who_drips_is_told_from_who_is_slow() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(second * 5);
        assert!((0..100).all(|_| pace.goes_on(2000, second)), "two kilobytes a second lead to an end");
        let mut pace = Pace::new(second * 5);
        assert!(!(0..10).all(|_| pace.goes_on(1, second)), "a byte a second does not");
        assert!((0..100).all(|_| pace.goes_on(1, Duration::ZERO)), "bytes that are there at once do");
    }
}
