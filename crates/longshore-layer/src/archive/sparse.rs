//! Maps of sparse files: where content is.
//!
//! GNU tar has written them in four ways: in the header (kind `S`), as repeated PAX records (0.0), as one record (0.1)
//! and at the beginning of the content (1.0). All end here as a list that is sorted, does not overlap, lies within the
//! file and is as long as the stored content.

use super::Segment;
use super::error::{ArchiveError, shown};
use super::pax::{self, SparseRecords};

/// How records say that a file is sparse.
pub(crate) enum SparseForm {
    /// The map is in the records.
    Mapped(Vec<Segment>),
    /// The map stands before the content.
    InContent,
}

/// The form that records give, if any.
pub(crate) fn form(records: &SparseRecords, path: &[u8]) -> Result<Option<SparseForm>, ArchiveError> {
    if records == &SparseRecords::default() {
        return Ok(None);
    }
    match (records.major, records.minor) {
        (Some(1), Some(0)) => Ok(Some(SparseForm::InContent)),
        (None | Some(0), None | Some(0 | 1)) if records.mapped => {
            Ok(Some(SparseForm::Mapped(pairs(&records.map, path)?)))
        }
        _ => Err(malformed(path, "its version is not known, or it has no map")),
    }
}

/// Numbers in turn offsets and lengths, as segments.
fn pairs(numbers: &[u64], path: &[u8]) -> Result<Vec<Segment>, ArchiveError> {
    let (pairs, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(malformed(path, "an offset has no length"));
    }
    Ok(pairs.iter().map(|&[offset, length]| Segment { offset, length }).collect())
}

/// Checks a map against the file's size and the number of bytes stored.
pub(crate) fn checked(
    segments: Vec<Segment>,
    size: u64,
    stored: u64,
    path: &[u8],
) -> Result<Vec<Segment>, ArchiveError> {
    let (mut end, mut sum) = (0_u64, 0_u64);
    for segment in &segments {
        if segment.offset < end {
            return Err(malformed(path, "segments overlap"));
        }
        end = segment
            .offset
            .checked_add(segment.length)
            .ok_or_else(|| malformed(path, "a number is too large"))?;
        sum = sum.checked_add(segment.length).ok_or_else(|| malformed(path, "a number is too large"))?;
    }
    if end > size {
        return Err(malformed(path, "a segment lies behind the end of the file"));
    }
    if sum != stored {
        return Err(malformed(path, "the segments are not as long as the content"));
    }
    Ok(segments.into_iter().filter(|segment| segment.length > 0).collect())
}

/// Reads a map at the beginning of content: lines of numbers, the first of which says how many pairs follow.
#[derive(Default)]
pub(crate) struct ContentMap {
    line: Vec<u8>,
    pairs: Option<u64>,
    numbers: Vec<u64>,
}

impl ContentMap {
    /// Takes a block; true once the map is complete, whose rest is padding.
    pub(crate) fn take(&mut self, block: &[u8], path: &[u8]) -> Result<bool, ArchiveError> {
        for &byte in block {
            if byte != b'\n' {
                if self.line.len() >= 20 {
                    return Err(malformed(path, "a number is too large"));
                }
                self.line.push(byte);
                continue;
            }
            let number = pax::decimal(&self.line).ok_or_else(|| malformed(path, "a line holds no number"))?;
            self.line.clear();
            match self.pairs {
                None => self.pairs = Some(number),
                Some(_) => self.numbers.push(number),
            }
            if self.pairs.and_then(|pairs| pairs.checked_mul(2)) == Some(self.numbers.len() as u64) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The segments.
    pub(crate) fn segments(&self, path: &[u8]) -> Result<Vec<Segment>, ArchiveError> {
        pairs(&self.numbers, path)
    }
}

pub(crate) fn malformed(path: &[u8], reason: &'static str) -> ArchiveError {
    ArchiveError::Sparse { entry: shown(path), reason }
}
