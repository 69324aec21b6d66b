//! Events as lines of JSON (NDJSON), documented in `docs/events.md`.
//!
//! Every event is written as it comes; only lines of logs are gathered for a moment, because a step may print a million of
//! them in a second and each write would cost more than the line.

use std::io::{self, Write};

use longshore_event::{Event, EventKind, RunSink};

use super::sheet::Sheet;

/// So many bytes are written at once at most.
const GATHERED: usize = 64 * 1024;

/// Writes one event a line.
#[derive(Debug)]
pub struct Json<W> {
    sheet: Sheet<W>,
    gathered: Vec<u8>,
}

impl<W: Write> Json<W> {
    /// A display that writes to this stream.
    pub fn new(stream: W) -> Self {
        Self { sheet: Sheet::new(stream), gathered: Vec::new() }
    }

    /// Writes what is left; the first failure of the stream.
    pub fn finish(&mut self) -> io::Result<()> {
        self.write_out();
        self.sheet.finish()
    }

    fn write_out(&mut self) {
        self.sheet.write(&self.gathered);
        self.gathered.clear();
    }
}

impl<W: Write + Send> RunSink for Json<W> {
    fn take(&mut self, event: &Event) {
        // Maps have text as keys and no number is infinite, so an event always has a form in JSON.
        if serde_json::to_writer(&mut self.gathered, event).is_ok() {
            self.gathered.push(b'\n');
        }
        if !matches!(event.kind, EventKind::Log(_)) || self.gathered.len() >= GATHERED {
            self.write_out();
        }
    }

    fn idle(&mut self) {
        self.write_out();
    }
}
