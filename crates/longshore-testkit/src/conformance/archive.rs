//! Archives that cases copy in and look into.

use std::io::Read as _;
use std::path::Path;

use super::check::{Check, Failure};

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) owner: u64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    File(Vec<u8>),
    Directory,
    Link(String),
}

impl Entry {
    pub(crate) fn file(path: &str, content: &[u8], mode: u32) -> Self {
        Self { path: path.to_owned(), kind: Kind::File(content.to_vec()), mode, owner: 0 }
    }

    pub(crate) fn directory(path: &str, mode: u32) -> Self {
        Self { path: path.to_owned(), kind: Kind::Directory, mode, owner: 0 }
    }

    pub(crate) fn link(path: &str, target: &str) -> Self {
        Self { path: path.to_owned(), kind: Kind::Link(target.to_owned()), mode: 0o777, owner: 0 }
    }

    pub(crate) fn owned(self, owner: u64) -> Self {
        Self { owner, ..self }
    }
}

/// Packs entries.
pub(crate) fn pack(entries: &[Entry]) -> Check<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(entry.mode);
        header.set_uid(entry.owner);
        header.set_gid(entry.owner);
        header.set_mtime(1_000_000_000);
        let path = Path::new(&entry.path);
        match &entry.kind {
            Kind::File(content) => {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_size(content.len() as u64);
                builder.append_data(&mut header, path, &content[..])?;
            }
            Kind::Directory => {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_size(0);
                builder.append_data(&mut header, path, &[][..])?;
            }
            Kind::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                builder.append_link(&mut header, path, target)?;
            }
        }
    }
    Ok(builder.into_inner()?)
}

/// Unpacks entries; names are without a slash at the end.
pub(crate) fn unpack(archive: &[u8]) -> Check<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().trim_end_matches('/').to_owned();
        let header = entry.header();
        let (mode, owner) = (header.mode()? & 0o7777, header.uid()?);
        let kind = match header.entry_type() {
            tar::EntryType::Directory => Kind::Directory,
            tar::EntryType::Symlink => Kind::Link(
                entry.link_name()?.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            ),
            tar::EntryType::Regular => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                Kind::File(content)
            }
            other => return Err(Failure::new(format!("`{path}` has type {other:?}"))),
        };
        entries.push(Entry { path, kind, mode, owner });
    }
    Ok(entries)
}
