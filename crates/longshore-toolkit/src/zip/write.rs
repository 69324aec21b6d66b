//! Writing archives.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::{
    CENTRAL, DEFLATED, DIRECTORY, END, END64, EXTRA64, LOCAL, LOCATOR64, REGULAR, STORED, UNIX, UTF8,
};
use crate::StorageError;
use crate::copy::pump;

/// The first of January 1980, where the format's time begins.
const DATE: u16 = 0x21;
/// From which size on an entry gets 64-bit sizes: deflating may make content a little longer.
const LARGE: u64 = 0xf000_0000;

/// Writes an archive to a file.
pub(crate) struct Writer {
    target: BufWriter<File>,
    level: u8,
    central: Vec<u8>,
    entries: u64,
}

/// What both headers of an entry say.
struct Header<'n> {
    name: &'n [u8],
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    large: bool,
}

impl Writer {
    /// Begins an archive; `level` is 0 (stored) to 9.
    pub(crate) fn new(target: File, level: u8) -> Self {
        Self { target: BufWriter::with_capacity(128 << 10, target), level, central: Vec::new(), entries: 0 }
    }

    /// Adds a file of a known size.
    pub(crate) fn file(
        &mut self,
        name: &str,
        mode: u32,
        size: u64,
        mut content: impl io::Read,
    ) -> Result<(), StorageError> {
        let failed = |error| StorageError::io("pack", name, error);
        let method = if self.level == 0 || size == 0 { STORED } else { DEFLATED };
        let large = size >= LARGE;
        let mut header = Header { name: name.as_bytes(), method, crc: 0, packed: 0, size, large };
        let start = self.target.stream_position().map_err(failed)?;
        self.target.write_all(&header.local()).map_err(failed)?;
        let (crc, copied) = self.content(method, &mut content, size).map_err(failed)?;
        if copied != Some(size) {
            return Err(StorageError::entry(name, "its length changed while it was packed"));
        }
        let end = self.target.stream_position().map_err(failed)?;
        header.crc = crc;
        header.packed = end - start - header.local().len() as u64;
        self.target.seek(SeekFrom::Start(start)).map_err(failed)?;
        self.target.write_all(&header.local()).map_err(failed)?;
        self.target.seek(SeekFrom::Start(end)).map_err(failed)?;
        self.list(&header, start, REGULAR | mode);
        Ok(())
    }

    /// Adds a directory.
    pub(crate) fn directory(&mut self, name: &str, mode: u32) -> Result<(), StorageError> {
        let failed = |error| StorageError::io("pack", name, error);
        let name = format!("{name}/");
        let header =
            Header { name: name.as_bytes(), method: STORED, crc: 0, packed: 0, size: 0, large: false };
        let start = self.target.stream_position().map_err(failed)?;
        self.target.write_all(&header.local()).map_err(failed)?;
        self.list(&header, start, DIRECTORY | mode);
        Ok(())
    }

    /// Writes the directory of the archive.
    pub(crate) fn finish(mut self) -> Result<(), StorageError> {
        let mut write = || {
            let start = self.target.stream_position()?;
            self.target.write_all(&self.central)?;
            self.target.write_all(&end(self.entries, self.central.len() as u64, start))?;
            self.target.flush()
        };
        write().map_err(|error| StorageError::io("finish", "the archive", error))
    }

    fn content(
        &mut self,
        method: u16,
        content: &mut impl io::Read,
        size: u64,
    ) -> io::Result<(u32, Option<u64>)> {
        if method == STORED {
            let mut target = Checked { inner: &mut self.target, crc: Crc::new() };
            let copied = pump(content, &mut target, size)?;
            return Ok((target.crc.sum(), copied));
        }
        let encoder = DeflateEncoder::new(&mut self.target, Compression::new(u32::from(self.level.min(9))));
        let mut target = Checked { inner: encoder, crc: Crc::new() };
        let copied = pump(content, &mut target, size)?;
        let crc = target.crc.sum();
        target.inner.finish()?;
        Ok((crc, copied))
    }

    /// Adds an entry to the central directory.
    fn list(&mut self, header: &Header<'_>, start: u64, mode: u32) {
        let far = start >= u64::from(u32::MAX);
        let mut extra = Vec::new();
        if header.large {
            extra.extend([header.size, header.packed].iter().flat_map(|size| size.to_le_bytes()));
        }
        if far {
            extra.extend(start.to_le_bytes());
        }
        let central = &mut self.central;
        central.extend(CENTRAL.to_le_bytes());
        central.extend((UNIX * 256 + header.version()).to_le_bytes());
        header.shared(central);
        let extra_length = if extra.is_empty() { 0 } else { extra.len() + 4 };
        central.extend((extra_length as u16).to_le_bytes());
        // No comment, first disk, no internal attributes.
        central.extend([0; 6]);
        let dos = if mode & DIRECTORY == 0 { 0 } else { 0x10 };
        central.extend((mode << 16 | dos).to_le_bytes());
        central.extend(if far { u32::MAX } else { start as u32 }.to_le_bytes());
        central.extend(header.name);
        if !extra.is_empty() {
            central.extend(EXTRA64.to_le_bytes());
            central.extend((extra.len() as u16).to_le_bytes());
            central.extend(extra);
        }
        self.entries += 1;
    }
}

impl Header<'_> {
    fn version(&self) -> u16 {
        if self.large { 45 } else { 20 }
    }

    /// The header before the content.
    fn local(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.name.len());
        bytes.extend(LOCAL.to_le_bytes());
        self.shared(&mut bytes);
        bytes.extend(if self.large { 20_u16 } else { 0 }.to_le_bytes());
        bytes.extend(self.name);
        if self.large {
            bytes.extend(EXTRA64.to_le_bytes());
            bytes.extend(16_u16.to_le_bytes());
            bytes.extend(self.size.to_le_bytes());
            bytes.extend(self.packed.to_le_bytes());
        }
        bytes
    }

    /// What stands in both headers in the same order, from the version to the length of the name.
    fn shared(&self, bytes: &mut Vec<u8>) {
        let short = |size: u64| if self.large { u32::MAX } else { size as u32 };
        bytes.extend(self.version().to_le_bytes());
        bytes.extend(UTF8.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend(0_u16.to_le_bytes());
        bytes.extend(DATE.to_le_bytes());
        bytes.extend(self.crc.to_le_bytes());
        bytes.extend(short(self.packed).to_le_bytes());
        bytes.extend(short(self.size).to_le_bytes());
        bytes.extend((self.name.len() as u16).to_le_bytes());
    }
}

/// The records at the end.
fn end(entries: u64, length: u64, start: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let large = entries >= u64::from(u16::MAX) || start + length >= u64::from(u32::MAX);
    if large {
        bytes.extend(END64.to_le_bytes());
        bytes.extend(44_u64.to_le_bytes());
        bytes.extend((UNIX * 256 + 45).to_le_bytes());
        bytes.extend(45_u16.to_le_bytes());
        bytes.extend([0; 8]);
        for value in [entries, entries, length, start] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(LOCATOR64.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend((start + length).to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
    }
    bytes.extend(END.to_le_bytes());
    bytes.extend([0; 4]);
    let count = if large { u16::MAX } else { entries as u16 };
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    for value in [length, start] {
        bytes.extend(if large { u32::MAX } else { value as u32 }.to_le_bytes());
    }
    bytes.extend([0; 2]);
    bytes
}

/// Passes bytes on and sums them up.
struct Checked<W> {
    inner: W,
    crc: Crc,
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.crc.update(buffer.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
