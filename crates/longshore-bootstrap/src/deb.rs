//! Binary packages: `ar` archives with the members `debian-binary`, `control.tar.*` and `data.tar.*` (`deb(5)`).

use std::collections::BTreeMap;
use std::io::{self, Read};

use longshore_layer::archive::{ArchiveError, Entries, EntryKind};
use thiserror::Error;

use crate::decompress::{Compression, read_bounded};

/// The most that a package's control files may hold unpacked.
const MAX_CONTROL: u64 = 64 << 20;

/// A package cannot be read.
#[derive(Debug, Error)]
pub enum DebError {
    /// It is no package of a known format.
    #[error("it is no Debian package of format 2: {0}")]
    Format(&'static str),
    /// A member cannot be decompressed or read.
    #[error("its member `{member}` is damaged")]
    Member {
        /// The member.
        member: String,
        /// Why.
        source: io::Error,
    },
    /// The archive in a member cannot be read.
    #[error("the archive in its member `{member}` is damaged")]
    Archive {
        /// The member.
        member: String,
        /// Why.
        source: ArchiveError,
    },
    /// A control file has a name that leads elsewhere.
    #[error("its control file `{0}` has a name that cannot be one")]
    ControlName(String),
}

/// A package in memory.
#[derive(Debug)]
pub(crate) struct Deb<'a> {
    control: Member<'a>,
    data: Member<'a>,
}

#[derive(Debug, Clone, Copy)]
struct Member<'a> {
    name: &'a str,
    bytes: &'a [u8],
}

/// A file of a package's control archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ControlFile {
    pub(crate) bytes: Vec<u8>,
    pub(crate) executable: bool,
}

impl<'a> Deb<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, DebError> {
        let mut rest = bytes
            .strip_prefix(b"!<arch>\n")
            .ok_or(DebError::Format("the first line is not an `ar` archive's"))?;
        let (mut version, mut control, mut data) = (None, None, None);
        while !rest.is_empty() && data.is_none() {
            let member = take_member(&mut rest).ok_or(DebError::Format("a member is cut off"))?;
            match Compression::of(member.name).1 {
                "debian-binary" => version = Some(member.bytes),
                "control.tar" => control = Some(member),
                "data.tar" => data = Some(member),
                // Members that begin with an underscore are for others.
                name if name.starts_with('_') => {}
                _ => return Err(DebError::Format("it has a member of an unknown name")),
            }
        }
        if !version.is_some_and(|version| version.starts_with(b"2.")) {
            return Err(DebError::Format("`debian-binary` does not say 2"));
        }
        let control = control.ok_or(DebError::Format("there is no `control.tar`"))?;
        let data = data.ok_or(DebError::Format("there is no `data.tar`"))?;
        Ok(Self { control, data })
    }

    /// The package's control files by their names.
    pub(crate) fn control_files(&self) -> Result<BTreeMap<String, ControlFile>, DebError> {
        let Member { name, bytes } = self.control;
        let damaged = |source| DebError::Member { member: name.to_owned(), source };
        let reader = Compression::of(name).0.reader(bytes).map_err(damaged)?;
        let tar = read_bounded(reader, MAX_CONTROL).map_err(damaged)?;
        let mut files = BTreeMap::new();
        let mut archive = Entries::new(&tar[..], MAX_CONTROL);
        let broken = |source| DebError::Archive { member: name.to_owned(), source };
        while let Some(entry) = archive.next_entry().map_err(broken)? {
            if entry.kind != EntryKind::File {
                continue;
            }
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            let file = path.strip_prefix("./").unwrap_or(&path);
            if !is_control_name(file) {
                return Err(DebError::ControlName(path));
            }
            let mut bytes = Vec::new();
            archive.read_to_end(&mut bytes).map_err(damaged)?;
            files.insert(file.to_owned(), ControlFile { bytes, executable: entry.mode & 0o111 != 0 });
        }
        Ok(files)
    }

    /// The archive of the package's files, as it comes out of the decoder.
    pub(crate) fn data(&self) -> Result<Box<dyn Read + Send + 'a>, DebError> {
        let Member { name, bytes } = self.data;
        let damaged = |source| DebError::Member { member: name.to_owned(), source };
        Compression::of(name).0.reader(bytes).map_err(damaged)
    }
}

/// Names of control files become parts of names below `/var/lib/dpkg/info`.
fn is_control_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !name.is_empty() && name.len() <= 64 && name.bytes().all(is_plain)
}

fn take_member<'a>(rest: &mut &'a [u8]) -> Option<Member<'a>> {
    let (header, after) = rest.split_at_checked(60)?;
    if header.get(58..)? != b"`\n" {
        return None;
    }
    let text = |range: std::ops::Range<usize>| str::from_utf8(header.get(range)?).ok().map(str::trim_end);
    let name = text(0..16)?;
    let size: usize = text(48..58)?.parse().ok()?;
    let (bytes, after) = after.split_at_checked(size)?;
    *rest = if size % 2 == 1 { after.get(1..).unwrap_or_default() } else { after };
    Some(Member { name: name.strip_suffix('/').unwrap_or(name), bytes })
}
