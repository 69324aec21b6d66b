//! Reading an archive, one entry after the other.
//!
//! [`Entries`] is asked for the next entry and is, until it is asked again, the reader of that entry's content. What is
//! left unread of it is skipped. It reads through `BufRead`, so that content can be taken from the buffers it came in.

use std::io::{self, BufRead, Read};

use super::error::{ArchiveError, shown};
use super::header::{self, BLOCK, Header};
use super::pax::Records;
use super::sparse::{self, ContentMap, SparseForm};
use super::{Entry, EntryKind, Segment, Timestamp};

/// A reader of archives.
#[derive(Debug)]
pub struct Entries<R> {
    reader: R,
    /// How many bytes of the archive were read.
    position: u64,
    /// How many bytes of content are left, and the padding behind them.
    content: u64,
    padding: u64,
    /// The current entry's name, for errors.
    path: Vec<u8>,
    header_limit: u64,
    /// How much of the limit the current entry's headers have taken.
    header_bytes: u64,
    global: Records,
    ended: bool,
}

/// What extended headers before an entry said.
#[derive(Default)]
struct Extensions {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    records: Option<Records>,
}

impl<R: BufRead> Entries<R> {
    /// Reads an archive whose extended headers take at most `header_limit` bytes an entry.
    pub fn new(reader: R, header_limit: u64) -> Self {
        Self {
            reader,
            position: 0,
            content: 0,
            padding: 0,
            path: Vec::new(),
            header_limit,
            header_bytes: 0,
            global: Records::default(),
            ended: false,
        }
    }

    /// The next entry. After the last one, all calls give nothing.
    ///
    /// A missing end marker is tolerated if the archive ends where a header could begin.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, ArchiveError> {
        if self.ended {
            return Ok(None);
        }
        self.skip_content()?;
        self.header_bytes = 0;
        let mut extensions = Extensions::default();
        loop {
            let position = self.position;
            let Some(header) = self.header()? else {
                self.ended = true;
                return if extensions.is_empty() { Ok(None) } else { Err(ArchiveError::Dangling) };
            };
            match header.kind() {
                b'x' | b'X' => {
                    let records = self.records(&header, position)?;
                    if extensions.records.replace(records).is_some() {
                        return Err(pax(position, "it follows another one".to_owned()));
                    }
                }
                b'g' => {
                    let records = self.records(&header, position)?;
                    if !records.fit_all_entries() {
                        return Err(pax(
                            position,
                            "it would name or measure all following entries".to_owned(),
                        ));
                    }
                    self.global.merge(records);
                    if self.global.xattr_bytes() > self.header_limit {
                        return Err(ArchiveError::HeaderTooLarge { position, limit: self.header_limit });
                    }
                }
                b'L' => extensions.long_name = Some(self.long_text(&header)?),
                b'K' => extensions.long_link = Some(self.long_text(&header)?),
                // A label of the volume says nothing about files.
                b'V' => {}
                _ => return self.entry(&header, extensions).map(Some),
            }
        }
    }

    /// How many bytes of the current entry's content are left to be read.
    pub fn remaining(&self) -> u64 {
        self.content
    }

    /// Reads what follows the end marker, so that the reader below has been read to its end.
    pub fn drain(&mut self) -> Result<(), ArchiveError> {
        self.skip_content()?;
        loop {
            let length = self.fill()?.len();
            if length == 0 {
                return Ok(());
            }
            self.advance(length);
        }
    }

    /// The reader below.
    pub fn into_inner(self) -> R {
        self.reader
    }

    /// The next buffer of content, empty at its end. With [`Entries::consume_content`] the way without copies.
    pub fn content(&mut self) -> Result<&[u8], ArchiveError> {
        if self.content == 0 {
            return Ok(&[]);
        }
        let limit = usize::try_from(self.content).unwrap_or(usize::MAX);
        let (position, path) = (self.position, &self.path);
        let buffer = filled(&mut self.reader, position)?;
        if buffer.is_empty() {
            return Err(ArchiveError::Truncated { within: shown(path) });
        }
        Ok(&buffer[..buffer.len().min(limit)])
    }

    /// Says how much of [`Entries::content`] was used.
    pub fn consume_content(&mut self, length: usize) {
        self.content = self.content.saturating_sub(length as u64);
        self.advance(length);
    }

    fn entry(&mut self, header: &Header, extensions: Extensions) -> Result<Entry, ArchiveError> {
        let records = extensions.records.unwrap_or_default();
        let path = records.sparse.name.clone().or(records.path.clone()).or(extensions.long_name);
        let path = path.unwrap_or_else(|| header.path());
        let link = records.link.clone().or(extensions.long_link).unwrap_or_else(|| header.link());
        let stored = match records.size {
            Some(size) => size,
            None => header.unsigned(header::SIZE, "size")?,
        };
        self.path.clone_from(&path);
        let mut entry = Entry { path, ..self.described(header, &records)? };
        entry.kind = match header.kind() {
            // Programs before ustar told directories by their names.
            b'0' if entry.path.ends_with(b"/") && records.sparse.name.is_none() => EntryKind::Directory,
            b'0' | b'7' | b'S' => EntryKind::File,
            b'1' => EntryKind::HardLink(link),
            b'2' => EntryKind::Symlink(link),
            b'3' => EntryKind::CharacterDevice(header.device()?),
            b'4' => EntryKind::BlockDevice(header.device()?),
            b'5' => EntryKind::Directory,
            b'6' => EntryKind::Fifo,
            kind => return Err(ArchiveError::Kind { entry: shown(&entry.path), kind: kind.into() }),
        };
        if matches!(header.kind(), b'0' | b'7' | b'S') {
            // A directory of an old program may have content too, which is skipped.
            self.begin_content(stored)?;
        }
        if entry.kind == EntryKind::File {
            entry.size = stored;
            self.sparse(header, &records, &mut entry)?;
        }
        Ok(entry)
    }

    /// What headers say about an entry besides its name and content.
    fn described(&self, header: &Header, records: &Records) -> Result<Entry, ArchiveError> {
        let mut entry = Entry::new(Vec::new(), EntryKind::File);
        entry.mode = (header.unsigned(header::MODE, "mode")? & 0o7777) as u32;
        let id = |given: Option<u32>, field, name| match given {
            Some(id) => Ok(u64::from(id)),
            None => header.unsigned(field, name),
        };
        let owner = id(records.uid.or(self.global.uid), header::UID, "owner")?;
        let group = id(records.gid.or(self.global.gid), header::GID, "group")?;
        entry.uid = self.id(owner, "owner")?;
        entry.gid = self.id(group, "group")?;
        entry.modified = match records.modified.or(self.global.modified) {
            Some(time) => time,
            None => Timestamp::from_seconds(header.signed(header::MTIME, "time")?),
        };
        let own = |name: &[u8]| records.xattrs.iter().any(|(own, _)| own == name);
        entry.xattrs.clone_from(&records.xattrs);
        entry.xattrs.extend(self.global.xattrs.iter().filter(|(name, _)| !own(name)).cloned());
        entry.xattrs.sort();
        Ok(entry)
    }

    /// An id of a user or group. The highest number means "none" to the kernel and is no id.
    fn id(&self, number: u64, field: &'static str) -> Result<u32, ArchiveError> {
        match u32::try_from(number) {
            Ok(id) if id != u32::MAX => Ok(id),
            _ => Err(ArchiveError::Number { field, entry: shown(&self.path), value: number.to_string() }),
        }
    }

    /// Makes the entry a sparse file if headers say so; reads the map if it stands in blocks of its own.
    fn sparse(&mut self, header: &Header, records: &Records, entry: &mut Entry) -> Result<(), ArchiveError> {
        let (segments, size) = if header.kind() == b'S' {
            let (mut segments, size, mut more) = header.old_sparse()?;
            // The map's further blocks stand before the content and are not part of its size.
            while more {
                let block =
                    self.block()?.ok_or_else(|| ArchiveError::Truncated { within: shown(&entry.path) })?;
                self.charge(BLOCK as u64)?;
                let (further, continues) = header::continued_map(&block)
                    .ok_or_else(|| sparse::malformed(&entry.path, "a number is malformed"))?;
                segments.extend(further);
                more = continues;
            }
            (segments, size)
        } else {
            let Some(form) = sparse::form(&records.sparse, &entry.path)? else { return Ok(()) };
            let size = records.sparse.real_size.unwrap_or(entry.size);
            let segments = match form {
                SparseForm::Mapped(segments) => segments,
                SparseForm::InContent => self.content_map(&entry.path)?,
            };
            (segments, size)
        };
        entry.segments = Some(sparse::checked(segments, size, self.content, &entry.path)?);
        entry.size = size;
        Ok(())
    }

    /// Reads the map at the beginning of content.
    fn content_map(&mut self, path: &[u8]) -> Result<Vec<Segment>, ArchiveError> {
        let mut map = ContentMap::default();
        loop {
            if self.content < BLOCK as u64 {
                return Err(sparse::malformed(path, "it is longer than the content"));
            }
            self.charge(BLOCK as u64)?;
            let block = self.block()?.ok_or_else(|| ArchiveError::Truncated { within: shown(path) })?;
            self.content -= BLOCK as u64;
            if map.take(&block, path)? {
                return map.segments(path);
            }
        }
    }

    /// The next header, or nothing at the end.
    fn header(&mut self) -> Result<Option<Header>, ArchiveError> {
        let position = self.position;
        let Some(block) = self.block()? else { return Ok(None) };
        if block != [0; BLOCK] {
            return Header::read(&block, position).map(Some);
        }
        // The end marker is two empty blocks; one at the very end will do.
        match self.block()? {
            None => Ok(None),
            Some(second) if second == [0; BLOCK] => Ok(None),
            Some(_) => Err(ArchiveError::Checksum { position }),
        }
    }

    fn records(&mut self, header: &Header, position: u64) -> Result<Records, ArchiveError> {
        let bytes = self.extension(header)?;
        Records::read(&bytes).map_err(|reason| pax(position, reason))
    }

    fn long_text(&mut self, header: &Header) -> Result<Vec<u8>, ArchiveError> {
        let bytes = self.extension(header)?;
        Ok(header::text(&bytes).to_vec())
    }

    /// The content of an extended header.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>, ArchiveError> {
        let size = header.unsigned(header::SIZE, "size")?;
        self.charge(size.saturating_add(BLOCK as u64))?;
        self.begin_content(size)?;
        self.path = b"an extended header".to_vec();
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        while self.content > 0 {
            let part = self.content()?;
            bytes.extend_from_slice(part);
            let length = part.len();
            self.consume_content(length);
        }
        self.skip_content()?;
        Ok(bytes)
    }

    fn charge(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.header_bytes = self.header_bytes.saturating_add(bytes);
        if self.header_bytes > self.header_limit {
            return Err(ArchiveError::HeaderTooLarge { position: self.position, limit: self.header_limit });
        }
        Ok(())
    }

    /// Sets up content of this size to be read. The highest sizes cannot be padded and are no sizes.
    fn begin_content(&mut self, size: u64) -> Result<(), ArchiveError> {
        if i64::try_from(size).is_err() {
            return Err(ArchiveError::Number {
                field: "size",
                entry: shown(&self.path),
                value: size.to_string(),
            });
        }
        self.content = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(())
    }

    fn skip_content(&mut self) -> Result<(), ArchiveError> {
        while self.content > 0 {
            let length = self.content()?.len();
            self.consume_content(length);
        }
        while self.padding > 0 {
            let available = self.fill()?.len() as u64;
            if available == 0 {
                return Err(ArchiveError::Truncated { within: shown(&self.path) });
            }
            let length = available.min(self.padding);
            self.padding -= length;
            self.advance(usize::try_from(length).unwrap_or_default());
        }
        Ok(())
    }

    /// A whole block, or nothing if the archive ends here.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, ArchiveError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            let part = self.fill()?;
            if part.is_empty() {
                return match filled {
                    0 => Ok(None),
                    _ => Err(ArchiveError::Truncated { within: "a header".to_owned() }),
                };
            }
            let length = part.len().min(BLOCK - filled);
            block[filled..filled + length].copy_from_slice(&part[..length]);
            filled += length;
            self.advance(length);
        }
        Ok(Some(block))
    }

    fn fill(&mut self) -> Result<&[u8], ArchiveError> {
        filled(&mut self.reader, self.position)
    }

    fn advance(&mut self, length: usize) {
        self.reader.consume(length);
        self.position += length as u64;
    }
}

impl<R: BufRead> Read for Entries<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let part = self.content().map_err(io::Error::other)?;
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        self.consume_content(length);
        Ok(length)
    }
}

impl Extensions {
    fn is_empty(&self) -> bool {
        self.long_name.is_none() && self.long_link.is_none() && self.records.is_none()
    }
}

fn filled<R: BufRead>(reader: &mut R, position: u64) -> Result<&[u8], ArchiveError> {
    // The first call settles interruptions; the second one gives what is then in the buffer.
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(ArchiveError::Read { position, source }),
        }
    }
    reader.fill_buf().map_err(|source| ArchiveError::Read { position, source })
}

fn pax(position: u64, reason: String) -> ArchiveError {
    ArchiveError::Pax { position, reason }
}
