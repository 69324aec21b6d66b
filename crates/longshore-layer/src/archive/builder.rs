//! Writing an archive: ustar headers, with PAX records for what does not fit into them.
//!
//! The same entries give the same bytes: no names of users, no times but the given ones, records in one order.

use std::io::{self, Read, Write};
use std::ops::Range;

use super::error::{ArchiveError, shown};
use super::header::{self, BLOCK};
use super::{Device, Entry, EntryKind, Timestamp};

/// How much content is copied at once.
const BUFFER: usize = 128 << 10;

/// A writer of archives. [`Builder::finish`] must be called, else the end marker is missing.
#[derive(Debug)]
pub struct Builder<W> {
    writer: W,
    buffer: Vec<u8>,
}

/// The header of one entry and the records that it needs.
struct Encoded {
    block: [u8; BLOCK],
    records: Vec<u8>,
}

impl<W: Write> Builder<W> {
    /// Begins an archive.
    pub fn new(writer: W) -> Self {
        Self { writer, buffer: Vec::new() }
    }

    /// Adds an entry; the content of a file must be exactly as long as the entry's size says. Sparse files are written
    /// with their holes, so content is that of the whole file.
    pub fn append(&mut self, entry: &Entry, mut content: impl Read) -> Result<(), ArchiveError> {
        self.header(entry)?;
        if entry.kind != EntryKind::File {
            return Ok(());
        }
        self.content(entry, &mut content)?;
        let padding = entry.size.next_multiple_of(BLOCK as u64) - entry.size;
        let zeros = [0; BLOCK];
        self.writer
            .write_all(zeros.get(..padding as usize).unwrap_or_default())
            .map_err(|source| ArchiveError::Write { entry: shown(&entry.path), source })
    }

    /// Adds a regular file of root's that others may read, from 1970.
    pub fn append_bytes(&mut self, path: &str, content: &[u8]) -> Result<(), ArchiveError> {
        let mut entry = Entry::new(path, EntryKind::File);
        entry.size = content.len() as u64;
        self.append(&entry, content)
    }

    /// Writes the end marker and gives the writer back.
    pub fn finish(mut self) -> Result<W, ArchiveError> {
        let end = |source| ArchiveError::Write { entry: "the end marker".to_owned(), source };
        self.writer.write_all(&[0; 2 * BLOCK]).map_err(end)?;
        self.writer.flush().map_err(end)?;
        Ok(self.writer)
    }

    fn content(&mut self, entry: &Entry, content: &mut impl Read) -> Result<(), ArchiveError> {
        self.buffer.resize(BUFFER, 0);
        let mut left = entry.size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(BUFFER);
            let length = match content.read(&mut self.buffer[..most]) {
                Ok(0) => {
                    return Err(ArchiveError::ContentLength { entry: shown(&entry.path), size: entry.size });
                }
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(ArchiveError::Content { entry: shown(&entry.path), source }),
            };
            let written = self.writer.write_all(&self.buffer[..length]);
            written.map_err(|source| ArchiveError::Write { entry: shown(&entry.path), source })?;
            left -= length as u64;
        }
        Ok(())
    }

    fn header(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let encoded = Encoded::new(entry);
        let mut bytes = Vec::with_capacity(BLOCK);
        if !encoded.records.is_empty() {
            let mut extension = Entry::new(b"PaxHeaders/entry".to_vec(), EntryKind::File);
            extension.size = encoded.records.len() as u64;
            let mut block = Encoded::new(&extension).block;
            block[header::KIND] = b'x';
            seal(&mut block);
            bytes.extend_from_slice(&block);
            bytes.extend_from_slice(&encoded.records);
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        }
        bytes.extend_from_slice(&encoded.block);
        self.writer
            .write_all(&bytes)
            .map_err(|source| ArchiveError::Write { entry: shown(&entry.path), source })
    }
}

impl Encoded {
    fn new(entry: &Entry) -> Self {
        let mut encoded = Self { block: [0; BLOCK], records: Vec::new() };
        encoded.name(&entry.path);
        encoded.number(header::MODE, None, u64::from(entry.mode & 0o7777));
        encoded.number(header::UID, Some("uid"), u64::from(entry.uid));
        encoded.number(header::GID, Some("gid"), u64::from(entry.gid));
        encoded.time(entry.modified);
        let size = if entry.kind == EntryKind::File { entry.size } else { 0 };
        encoded.number(header::SIZE, Some("size"), size);
        encoded.block[header::MAGIC].copy_from_slice(b"ustar\x0000");
        encoded.kind(&entry.kind);
        for (name, value) in &entry.xattrs {
            encoded.record(&[b"SCHILY.xattr.", name.as_slice()].concat(), value);
        }
        seal(&mut encoded.block);
        encoded
    }

    fn kind(&mut self, kind: &EntryKind) {
        let no_device = Device { major: 0, minor: 0 };
        let (character, link, device) = match kind {
            EntryKind::File => (b'0', None, no_device),
            EntryKind::HardLink(target) => (b'1', Some(target), no_device),
            EntryKind::Symlink(target) => (b'2', Some(target), no_device),
            EntryKind::CharacterDevice(device) => (b'3', None, *device),
            EntryKind::BlockDevice(device) => (b'4', None, *device),
            EntryKind::Directory => (b'5', None, no_device),
            EntryKind::Fifo => (b'6', None, no_device),
        };
        self.block[header::KIND] = character;
        if let Some(target) = link
            && !self.text(header::LINK, target)
        {
            self.record(b"linkpath", target);
        }
        // Seven octal digits hold every number that Linux gives to devices.
        self.number(header::MAJOR, None, u64::from(device.major));
        self.number(header::MINOR, None, u64::from(device.minor));
    }

    fn name(&mut self, path: &[u8]) {
        if self.text(header::NAME, path) {
            return;
        }
        // The prefix takes what stands before a slash that leaves both parts short enough.
        let slash =
            path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(index, _)| index);
        let fitting = slash.filter(|&at| at <= header::PREFIX.len()).find(|&at| {
            let rest = path.len() - at - 1;
            rest > 0 && rest <= header::NAME.len()
        });
        if let Some(at) = fitting {
            self.text(header::PREFIX, &path[..at]);
            self.text(header::NAME, &path[at + 1..]);
        } else {
            self.block[header::NAME].copy_from_slice(&path[..header::NAME.len()]);
            self.record(b"path", path);
        }
    }

    fn time(&mut self, time: Timestamp) {
        let seconds = u64::try_from(time.seconds).ok();
        let fits = seconds.is_some_and(|seconds| self.octal(header::MTIME, seconds));
        if !fits {
            self.octal(header::MTIME, 0);
        }
        if !fits || time.nanoseconds != 0 {
            self.record(b"mtime", decimal(time).as_bytes());
        }
    }

    fn number(&mut self, field: Range<usize>, key: Option<&str>, number: u64) {
        if !self.octal(field.clone(), number) {
            self.octal(field, 0);
            if let Some(key) = key {
                self.record(key.as_bytes(), number.to_string().as_bytes());
            }
        }
    }

    /// Writes a number if the field has digits enough.
    fn octal(&mut self, field: Range<usize>, number: u64) -> bool {
        let digits = field.len() - 1;
        let text = format!("{number:0digits$o}");
        let fits = text.len() == digits;
        if fits {
            self.block[field.start..field.start + digits].copy_from_slice(text.as_bytes());
        }
        fits
    }

    /// Writes a text if it fits.
    fn text(&mut self, field: Range<usize>, text: &[u8]) -> bool {
        let fits = text.len() <= field.len();
        if fits {
            self.block[field.start..field.start + text.len()].copy_from_slice(text);
        }
        fits
    }

    fn record(&mut self, key: &[u8], value: &[u8]) {
        // The length counts its own digits: blank, equals sign and line end are three more.
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        self.records.extend_from_slice(length.to_string().as_bytes());
        self.records.push(b' ');
        self.records.extend_from_slice(key);
        self.records.push(b'=');
        self.records.extend_from_slice(value);
        self.records.push(b'\n');
    }
}

fn seal(block: &mut [u8; BLOCK]) {
    block[header::CHECKSUM].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    let text = format!("{sum:06o}\0 ");
    block[header::CHECKSUM].copy_from_slice(text.as_bytes());
}

/// Seconds as PAX writes them. The fraction of a time before 1970 counts away from zero there.
fn decimal(time: Timestamp) -> String {
    let (seconds, nanoseconds) = match (time.seconds, time.nanoseconds) {
        (seconds, 0) => return seconds.to_string(),
        (seconds, nanoseconds) if seconds < 0 => (seconds + 1, 1_000_000_000 - nanoseconds),
        whole => whole,
    };
    let sign = if time.seconds < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{nanoseconds:09}", seconds.unsigned_abs());
    text.trim_end_matches('0').to_owned()
}
