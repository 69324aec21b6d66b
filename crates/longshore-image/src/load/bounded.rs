//! A limit on what a small archive may become when it is decompressed.

use std::io::{self, Read};

use longshore_layer::{Decompressor, Limits};

/// Reads what was decompressed, as long as it is not out of proportion.
pub(super) struct Bounded<R: Read> {
    stream: Decompressor<R>,
    limits: Limits,
    bytes: u64,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(stream: Decompressor<R>) -> Self {
        Self { stream, limits: Limits::default(), bytes: 0 }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        self.bytes = self.bytes.saturating_add(length as u64);
        let most =
            self.stream.compressed_bytes().saturating_mul(self.limits.ratio).max(self.limits.ratio_above);
        if self.bytes > most || self.bytes > self.limits.total_bytes {
            let message = format!("it becomes more than {} bytes when it is decompressed", self.bytes);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(length)
    }
}
