//! Events as lines of JSON (NDJSON), documented in `docs/events.md`.

use std::io::{self, Write};

use longshore_event::{Event, EventKind, RunSink};

use super::sheet::Sheet;

/// Writes one event a line.
#[derive(Debug)]
pub struct Json<W> {
    sheet: Sheet<W>,
    line: Vec<u8>,
}

impl<W: Write> Json<W> {
    /// A display that writes to this stream.
    pub fn new(stream: W) -> Self {
        Self { sheet: Sheet::new(stream), line: Vec::new() }
    }

    /// Writes what is left; the first failure of the stream.
    pub fn finish(&mut self) -> io::Result<()> {
        self.sheet.finish()
    }
}

impl<W: Write + Send> RunSink for Json<W> {
    fn take(&mut self, event: &Event) {
        self.line.clear();
        // Maps have text as keys and no number is infinite, so an event always has a form in JSON.
        if serde_json::to_writer(&mut self.line, event).is_ok() {
            self.line.push(b'\n');
            match event.kind {
                EventKind::Log(_) => self.sheet.gather(&self.line),
                _ => self.sheet.write(&self.line),
            }
        }
    }

    fn idle(&mut self) {
        self.sheet.write_out();
    }
}
