//! Reading archives, one entry at a time.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use flate2::read::DeflateDecoder;

use super::{CENTRAL, DEFLATED, ENCRYPTED, END, END64, EXTRA64, LOCAL, LOCATOR64, STORED, UNIX};
use crate::StorageError;

/// How far from the end the last record may begin: its length and the longest comment.
const TAIL: u64 = 22 + 0xffff;
const FULL: u64 = u32::MAX as u64;

/// An archive.
pub(crate) struct Archive {
    file: Arc<File>,
    directory: Span,
    entries: u64,
}

#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
}

/// What the central directory says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) size: u64,
    packed: u64,
    start: u64,
    method: u16,
    crc: u32,
}

/// Reads a stretch of a file without moving it.
struct Stretch {
    file: Arc<File>,
    at: Span,
}

impl Archive {
    /// Finds the central directory.
    pub(crate) fn open(file: File, most: u64) -> Result<Self, StorageError> {
        let failed = |error| StorageError::io("read", "the archive", error);
        let length = file.metadata().map_err(failed)?.len();
        let from = length.saturating_sub(TAIL);
        let mut tail = vec![0; (length - from) as usize];
        file.read_exact_at(&mut tail, from).map_err(failed)?;
        let position = (0..tail.len().saturating_sub(21)).rev().find(|&position| {
            number(&tail, position, 4) == u64::from(END)
                && position as u64 + 22 + number(&tail, position + 20, 2) == tail.len() as u64
        });
        let position = position.ok_or(StorageError::Archive("it has no end record"))?;
        let (mut entries, mut size, mut start) = (
            number(&tail, position + 10, 2),
            number(&tail, position + 12, 4),
            number(&tail, position + 16, 4),
        );
        let locator = position.checked_sub(20).filter(|&at| number(&tail, at, 4) == u64::from(LOCATOR64));
        if (entries == 0xffff || size == FULL || start == FULL)
            && let Some(locator) = locator
        {
            let mut record = [0; 56];
            file.read_exact_at(&mut record, number(&tail, locator + 8, 8)).map_err(failed)?;
            if number(&record, 0, 4) != u64::from(END64) {
                return Err(StorageError::Archive("its 64-bit end record is missing"));
            }
            (entries, size, start) = (number(&record, 32, 8), number(&record, 40, 8), number(&record, 48, 8));
        }
        if entries > most {
            return Err(StorageError::Limit { what: "files", limit: most });
        }
        let end = start.checked_add(size).filter(|&end| end <= length);
        let end = end.ok_or(StorageError::Archive("its directory is beyond its end"))?;
        Ok(Self { file: Arc::new(file), directory: Span { start, end }, entries })
    }

    /// All entries in the order of the directory.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Result<Entry, StorageError>> {
        let mut directory = BufReader::new(Stretch { file: Arc::clone(&self.file), at: self.directory });
        let mut left = self.entries;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let entry = Entry::read(&mut directory);
            if entry.is_err() {
                left = 0;
            }
            Some(entry)
        })
    }

    /// The content of an entry. It ends with an error if it is not as long as the entry says, or has another sum.
    pub(crate) fn content(&self, entry: &Entry) -> Result<impl Read + use<>, StorageError> {
        let mut local = [0; 30];
        let read = self.file.read_exact_at(&mut local, entry.start);
        if read.is_err() || number(&local, 0, 4) != u64::from(LOCAL) {
            return Err(StorageError::entry(&entry.name, "its header is missing"));
        }
        let start = entry.start + 30 + number(&local, 26, 2) + number(&local, 28, 2);
        let end = start.checked_add(entry.packed).filter(|&end| end <= self.directory.start);
        let end = end.ok_or_else(|| StorageError::entry(&entry.name, "it is beyond the end"))?;
        let stretch = BufReader::with_capacity(
            64 << 10,
            Stretch { file: Arc::clone(&self.file), at: Span { start, end } },
        );
        let content: Box<dyn Read + Send> = match entry.method {
            STORED => Box::new(stretch),
            DEFLATED => Box::new(DeflateDecoder::new(stretch)),
            _ => return Err(StorageError::entry(&entry.name, "its compression is not supported")),
        };
        Ok(Verified { content, left: entry.size, expected: entry.crc, crc: flate2::Crc::new() })
    }
}

impl Entry {
    fn read(directory: &mut impl Read) -> Result<Self, StorageError> {
        let broken = |_| StorageError::Archive("its directory ends too early");
        let mut head = [0; 46];
        directory.read_exact(&mut head).map_err(broken)?;
        if number(&head, 0, 4) != u64::from(CENTRAL) {
            return Err(StorageError::Archive("its directory is broken"));
        }
        let mut rest = [28, 30, 32].map(|at| vec![0; number(&head, at, 2) as usize]);
        for part in &mut rest {
            directory.read_exact(part).map_err(broken)?;
        }
        let [name, extra, _comment] = rest;
        if number(&head, 8, 2) & u64::from(ENCRYPTED) != 0 {
            return Err(StorageError::entry(name, "it is encrypted"));
        }
        let mut sizes = [number(&head, 24, 4), number(&head, 20, 4), number(&head, 42, 4)];
        enlarge(&mut sizes, &extra);
        let [size, packed, start] = sizes;
        let attributes = number(&head, 38, 4) as u32;
        let unix = if number(&head, 5, 1) == u64::from(UNIX) { (attributes >> 16) & 0o777 } else { 0 };
        let default = if name.ends_with(b"/") { 0o755 } else { 0o644 };
        Ok(Self {
            mode: if unix == 0 { default } else { unix },
            size,
            packed,
            start,
            method: number(&head, 10, 2) as u16,
            crc: number(&head, 16, 4) as u32,
            name,
        })
    }

    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        self.name.ends_with(b"/")
    }
}

/// Takes sizes that do not fit into 32 bits from the extra field: those that are full, in their order.
fn enlarge(sizes: &mut [u64; 3], extra: &[u8]) {
    let mut at = 0;
    while at + 4 <= extra.len() {
        let length = number(extra, at + 2, 2) as usize;
        if number(extra, at, 2) == u64::from(EXTRA64) {
            let mut value = at + 4;
            for size in sizes.iter_mut().filter(|size| **size == FULL) {
                if value + 8 <= (at + 4 + length).min(extra.len()) {
                    *size = number(extra, value, 8);
                    value += 8;
                }
            }
            return;
        }
        at += 4 + length;
    }
}

/// A little-endian number; missing bytes are zero.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.get(at..).unwrap_or_default();
    bytes.iter().take(length).rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.at.end.saturating_sub(self.at.start);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(buffer.get_mut(..length).unwrap_or_default(), self.at.start)?;
        self.at.start += read as u64;
        Ok(read)
    }
}

/// Content that is held against its entry.
struct Verified {
    content: Box<dyn Read + Send>,
    left: u64,
    expected: u32,
    crc: flate2::Crc,
}

impl Read for Verified {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wrong = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let read = self.content.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            if self.left > 0 {
                return Err(wrong("it is shorter than it says"));
            }
            if self.crc.sum() != self.expected {
                return Err(wrong("its checksum is wrong"));
            }
            return Ok(0);
        }
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| wrong("it is longer than it says"))?;
        self.crc.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
