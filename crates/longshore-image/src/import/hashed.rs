//! Readers that see what passes through them.

use std::io::{self, Read, Write};

use longshore_oci::{Algorithm, Digest, Hasher};

/// Writes down what is read.
pub(super) struct Tee<R, W> {
    reader: R,
    writer: W,
}

impl<R, W> Tee<R, W> {
    pub(super) fn new(reader: R, writer: W) -> Self {
        Self { reader, writer }
    }
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.writer.write_all(buffer.get(..length).unwrap_or_default())?;
        Ok(length)
    }
}

/// Computes the digest of what is read.
pub(super) struct HashingReader<R> {
    reader: R,
    hasher: Hasher,
}

impl<R> HashingReader<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, hasher: Hasher::new(Algorithm::Sha256) }
    }

    /// The digest of all that was read.
    pub(super) fn finish(self) -> Digest {
        self.hasher.finish()
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}
