//! Where a display writes.

use std::io::{self, Write};

/// A stream of which the first failure is remembered; after it nothing is written.
#[derive(Debug)]
pub(super) struct Sheet<W> {
    stream: W,
    failure: Option<io::Error>,
}

impl<W: Write> Sheet<W> {
    pub(super) fn new(stream: W) -> Self {
        Self { stream, failure: None }
    }

    /// Writes and flushes, because somebody is reading.
    pub(super) fn write(&mut self, text: &[u8]) {
        if self.failure.is_none() && !text.is_empty() {
            self.failure = self.stream.write_all(text).and_then(|()| self.stream.flush()).err();
        }
    }

    /// What went wrong, once.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self.failure.take() {
            Some(error) => Err(error),
            None => self.stream.flush(),
        }
    }
}
