//! Where a display writes.

use std::io::{self, Write};

/// So many bytes are gathered at most.
const GATHERED: usize = 64 * 1024;

/// A stream of which the first failure is remembered; after it nothing is written.
///
/// A step may print a million lines in a second, and a write for each would cost more than the line: they are gathered
/// until something else happens or nothing happens for a moment.
#[derive(Debug)]
pub(super) struct Sheet<W> {
    stream: W,
    gathered: Vec<u8>,
    failure: Option<io::Error>,
}

impl<W: Write> Sheet<W> {
    pub(super) fn new(stream: W) -> Self {
        Self { stream, gathered: Vec::new(), failure: None }
    }

    /// Writes at once, because somebody is reading.
    pub(super) fn write(&mut self, text: &[u8]) {
        self.gathered.extend_from_slice(text);
        self.write_out();
    }

    /// Writes soon.
    pub(super) fn gather(&mut self, text: &[u8]) {
        self.gathered.extend_from_slice(text);
        if self.gathered.len() >= GATHERED {
            self.write_out();
        }
    }

    /// Writes what was gathered.
    pub(super) fn write_out(&mut self) {
        if self.failure.is_none() && !self.gathered.is_empty() {
            self.failure = self.stream.write_all(&self.gathered).and_then(|()| self.stream.flush()).err();
        }
        self.gathered.clear();
    }

    /// Writes what is left; what went wrong, once.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.write_out();
        match self.failure.take() {
            Some(error) => Err(error),
            None => self.stream.flush(),
        }
    }
}
