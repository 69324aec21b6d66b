//! The header block: fields at fixed places in 512 bytes.
//!
//! The layout is that of POSIX ustar, with GNU's variant for old sparse files. Numbers are octal text, or base 256 if
//! the highest bit of the field is set, as GNU and star write numbers that do not fit.

use std::ops::Range;

use super::error::{ArchiveError, shown};
use super::{Device, Segment};

/// The size of a block; headers and content are padded to it.
pub(crate) const BLOCK: usize = 512;

/// A block with a right checksum.
pub(crate) struct Header(pub(crate) [u8; BLOCK]);

pub(crate) const NAME: Range<usize> = 0..100;
pub(crate) const MODE: Range<usize> = 100..108;
pub(crate) const UID: Range<usize> = 108..116;
pub(crate) const GID: Range<usize> = 116..124;
pub(crate) const SIZE: Range<usize> = 124..136;
pub(crate) const MTIME: Range<usize> = 136..148;
pub(crate) const CHECKSUM: Range<usize> = 148..156;
pub(crate) const KIND: usize = 156;
pub(crate) const LINK: Range<usize> = 157..257;
pub(crate) const MAGIC: Range<usize> = 257..265;
pub(crate) const MAJOR: Range<usize> = 329..337;
pub(crate) const MINOR: Range<usize> = 337..345;
pub(crate) const PREFIX: Range<usize> = 345..500;
/// In headers of star the prefix is shorter, because times follow it.
const STAR_PREFIX: Range<usize> = 345..476;
const STAR_END: Range<usize> = 508..512;
const GNU_MAP: Range<usize> = 386..482;
const GNU_EXTENDED: usize = 482;
const GNU_REAL_SIZE: Range<usize> = 483..495;
/// A block that continues the map of an old sparse file.
const CONTINUED_MAP: Range<usize> = 0..504;
const CONTINUED_EXTENDED: usize = 504;

impl Header {
    /// Takes a block if its checksum is right. Some old programs summed signed bytes, which is accepted too.
    pub(crate) fn read(block: &[u8; BLOCK], position: u64) -> Result<Self, ArchiveError> {
        let stored = octal(&block[CHECKSUM]).ok_or(ArchiveError::Checksum { position })?;
        let (mut unsigned, mut signed) = (0_i64, 0_i64);
        for (index, &byte) in block.iter().enumerate() {
            let byte = if CHECKSUM.contains(&index) { b' ' } else { byte };
            unsigned += i64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        if stored == unsigned || stored == signed {
            Ok(Self(*block))
        } else {
            Err(ArchiveError::Checksum { position })
        }
    }

    /// The kind's character, with the old way to write a regular file made the new one.
    pub(crate) fn kind(&self) -> u8 {
        match self.0[KIND] {
            0 => b'0',
            kind => kind,
        }
    }

    /// The name, put together from both of its fields.
    pub(crate) fn path(&self) -> Vec<u8> {
        let name = text(&self.0[NAME]);
        let prefix = match &self.0[MAGIC] {
            b"ustar\x0000" if &self.0[STAR_END] == b"tar\0" => text(&self.0[STAR_PREFIX]),
            magic if magic.starts_with(b"ustar\0") => text(&self.0[PREFIX]),
            _ => &[],
        };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }

    /// What a link points to.
    pub(crate) fn link(&self) -> Vec<u8> {
        text(&self.0[LINK]).to_vec()
    }

    /// A number that may not be negative.
    pub(crate) fn unsigned(&self, field: Range<usize>, name: &'static str) -> Result<u64, ArchiveError> {
        let number = self.signed(field, name)?;
        u64::try_from(number).map_err(|_| self.refused(name, &number.to_string()))
    }

    /// A number.
    pub(crate) fn signed(&self, field: Range<usize>, name: &'static str) -> Result<i64, ArchiveError> {
        let bytes = &self.0[field];
        number(bytes).ok_or_else(|| self.refused(name, &shown(bytes)))
    }

    /// The numbers of a device. Headers of old archives have none.
    pub(crate) fn device(&self) -> Result<Device, ArchiveError> {
        if !self.0[MAGIC].starts_with(b"ustar") {
            return Ok(Device { major: 0, minor: 0 });
        }
        let number = |field, name| {
            let number = self.unsigned(field, name)?;
            u32::try_from(number).map_err(|_| self.refused(name, &number.to_string()))
        };
        Ok(Device { major: number(MAJOR, "major number")?, minor: number(MINOR, "minor number")? })
    }

    /// The map of an old sparse file as far as the header holds it, the real size, and whether blocks follow.
    pub(crate) fn old_sparse(&self) -> Result<(Vec<Segment>, u64, bool), ArchiveError> {
        let segments = old_map(&self.0[GNU_MAP]).ok_or_else(|| self.refused("sparse map", "that"))?;
        Ok((segments, self.unsigned(GNU_REAL_SIZE, "real size")?, self.0[GNU_EXTENDED] != 0))
    }

    fn refused(&self, field: &'static str, value: &str) -> ArchiveError {
        ArchiveError::Number { field, entry: shown(&self.path()), value: value.to_owned() }
    }
}

/// The map in a block that continues one of an old sparse file, and whether another block follows.
pub(crate) fn continued_map(block: &[u8; BLOCK]) -> Option<(Vec<Segment>, bool)> {
    Some((old_map(&block[CONTINUED_MAP])?, block[CONTINUED_EXTENDED] != 0))
}

fn old_map(bytes: &[u8]) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let (pairs, _) = bytes.as_chunks::<24>();
    for pair in pairs {
        let (offset, length) = pair.split_at(12);
        if offset[0] == 0 {
            break;
        }
        let number = |field| u64::try_from(number(field)?).ok();
        segments.push(Segment { offset: number(offset)?, length: number(length)? });
    }
    Some(segments)
}

/// A field's text ends at the first zero byte.
pub(crate) fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// A number in octal or base 256; an empty field is zero.
fn number(field: &[u8]) -> Option<i64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base_256(field),
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<i64> {
    let field = text(field).trim_ascii();
    if field.is_empty() {
        return Some(0);
    }
    field.iter().try_fold(0_i64, |sum, byte| match byte {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(i64::from(byte - b'0')),
        _ => None,
    })
}

/// Two's complement without the highest bit, which only marks the form.
fn base_256(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    let negative = first & 0x40 != 0;
    // The second highest bit is the sign; what stands above the number must repeat it.
    let start = if negative { i64::from(first | 0x80) - 256 } else { i64::from(first & 0x7f) };
    rest.iter().try_fold(start, |sum, &byte| sum.checked_mul(256)?.checked_add(i64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let table: &[(&[u8], Option<i64>)] = &[
            (b"0000644\0", Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0", Some(0)),
            (b"77777777777\0", Some(0o77_777_777_777)),
            (b"99", None),
            (b"-1", None),
            (b"0x10", None),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x00", Some(256)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Some(-1)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", Some(-256)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
        ];
        for (field, expected) in table {
            assert_eq!(number(field), *expected, "{field:?}");
        }
    }
}
