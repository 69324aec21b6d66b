//! Archives that go into containers and come out of them.

use std::io::{self, Read, Write};
use std::path::{Component, Path};

use longshore_engine::{EngineError, Fault};

use super::files::{FileError, Files, joined};
use super::tree::{Attributes, Kind, Node};

/// An entry of an archive.
#[derive(Debug)]
pub(super) struct Packed {
    /// Its path below the directory that is copied into.
    pub(super) path: String,
    node: Unpacked,
}

#[derive(Debug)]
enum Unpacked {
    Node(Node),
    /// Another name for what the archive brought before.
    HardLink(String),
}

fn unreadable(source: io::Error) -> EngineError {
    EngineError::new(Fault::Invalid, "failed to read the archive").because(source)
}

/// Reads an archive whole, so that one that is broken changes nothing.
pub(super) fn unpack(archive: &mut (dyn Read + Send)) -> Result<Vec<Packed>, EngineError> {
    let mut all = Vec::new();
    for entry in tar::Archive::new(archive).entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let path = below(&entry.path().map_err(unreadable)?)?;
        let header = entry.header();
        let attributes = Attributes {
            mode: header.mode().map_err(unreadable)? & 0o7777,
            uid: header.uid().map_err(unreadable)?,
            gid: header.gid().map_err(unreadable)?,
            modified: header.mtime().map_err(unreadable)?,
        };
        let kind = header.entry_type();
        let target = entry.link_name().map_err(unreadable)?;
        let target = target.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let node = match kind {
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(unreadable)?;
                Unpacked::Node(Node::file(bytes, attributes))
            }
            tar::EntryType::Directory => Unpacked::Node(Node::directory(attributes)),
            tar::EntryType::Symlink => Unpacked::Node(Node::link(target, attributes)),
            tar::EntryType::Link => Unpacked::HardLink(below(Path::new(&target))?),
            tar::EntryType::XGlobalHeader => continue,
            other => {
                let message =
                    format!("the fake has no files of the type {other:?}, as which `{path}` is archived");
                return Err(EngineError::new(Fault::Unsupported, message));
            }
        };
        all.push(Packed { path, node });
    }
    Ok(all)
}

/// A path of an archive, which must not lead above where it begins.
fn below(path: &Path) -> Result<String, EngineError> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                let message = format!("`{}` of the archive leads out of the directory", path.display());
                return Err(EngineError::new(Fault::Invalid, message));
            }
        }
    }
    Ok(parts.join("/"))
}

/// Puts the entries of an archive into a directory.
pub(super) fn copy_in(files: &Files, directory: &str, entries: Vec<Packed>) -> Result<(), FileError> {
    let root = files.resolve(directory, true)?;
    match files.entry(&root) {
        None => return Err(FileError::Missing(directory.to_owned())),
        Some(entry) if entry.kind != Kind::Directory => {
            return Err(FileError::NotDirectory(directory.to_owned()));
        }
        Some(_) => {}
    }
    for Packed { path, node } in entries {
        let whole = format!("{}/{path}", joined(&root));
        if let Some((above, _)) = whole.rsplit_once('/') {
            files.make_directories(above)?;
        }
        let at = files.resolve(&whole, false)?;
        let node = match node {
            Unpacked::Node(node) => node,
            Unpacked::HardLink(target) => {
                let target = files.resolve(&format!("{}/{target}", joined(&root)), false)?;
                let attributes = files.entry(&target).map_or(Attributes::of(0o644), |entry| entry.attributes);
                Node::file(files.content(&target)?, attributes)
            }
        };
        files.put(&at, node)?;
    }
    Ok(())
}

/// Packs what is at a path; names begin with its last part.
pub(super) fn copy_out(
    files: &Files,
    path: &str,
    archive: &mut (dyn Write + Send),
) -> Result<(), EngineError> {
    let at = files.resolve(path, false)?;
    if files.entry(&at).is_none() {
        return Err(FileError::Missing(path.to_owned()).into());
    }
    let name = at.last().cloned().unwrap_or_else(|| ".".to_owned());
    let mut builder = tar::Builder::new(archive);
    pack(files, &at, &name, &mut builder)?;
    builder.finish().map_err(unwritable)
}

fn unwritable(source: io::Error) -> EngineError {
    EngineError::new(Fault::Environment, "failed to write the archive").because(source)
}

fn pack<W: Write>(
    files: &Files,
    at: &[String],
    name: &str,
    builder: &mut tar::Builder<W>,
) -> Result<(), EngineError> {
    let Some(entry) = files.entry(at) else { return Ok(()) };
    let mut header = tar::Header::new_gnu();
    header.set_mode(entry.attributes.mode);
    header.set_uid(entry.attributes.uid);
    header.set_gid(entry.attributes.gid);
    header.set_mtime(entry.attributes.modified);
    match entry.kind {
        Kind::File => {
            let content = files.content(at)?;
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, content.as_slice()).map_err(unwritable)
        }
        Kind::Link(target) => {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            builder.append_link(&mut header, name, target).map_err(unwritable)
        }
        Kind::Directory => {
            header.set_entry_type(tar::EntryType::Directory);
            header.set_size(0);
            builder.append_data(&mut header, name, io::empty()).map_err(unwritable)?;
            for child in files.names(at) {
                pack(
                    files,
                    &[at, std::slice::from_ref(&child)].concat(),
                    &format!("{name}/{child}"),
                    builder,
                )?;
            }
            Ok(())
        }
    }
}
