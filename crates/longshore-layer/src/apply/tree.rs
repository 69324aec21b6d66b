//! Directories below the target, opened one component at a time.
//!
//! Each step is one `openat` of one name with `O_NOFOLLOW`, from a descriptor that was reached the same way. No step can
//! leave the target, on any kernel and whatever stands in it. The descriptors last used are kept, since archives list
//! what is in one directory together.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, readlinkat, statat, unlinkat};
use rustix::io::Errno;

use super::attributes;
use super::path::EntryPath;

/// How many descriptors are kept. Well below what a process may have open.
const KEPT: usize = 96;

const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::PATH).union(OFlags::CLOEXEC);

/// A directory and the ones below it that were opened last.
pub(crate) struct Tree {
    root: Arc<OwnedFd>,
    kept: HashMap<EntryPath, Arc<OwnedFd>>,
}

/// What stands under a name where a directory is looked for.
pub(crate) enum Child {
    Directory(Arc<OwnedFd>),
    Symlink(Vec<u8>),
    Other,
    Missing,
}

impl Tree {
    /// Opens the target.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        let root = Arc::new(rustix::fs::open(path, flags, Mode::empty())?);
        Ok(Self { root, kept: HashMap::new() })
    }

    /// Whether new files may get a group or access rules from the target.
    pub(crate) fn inherits(&self) -> io::Result<bool> {
        Ok(attributes::inherits(&readable(&self.root, b".")?))
    }

    /// A directory's descriptor, if it is one of those kept.
    pub(crate) fn kept(&self, path: &EntryPath) -> Option<Arc<OwnedFd>> {
        if path.is_root() { Some(Arc::clone(&self.root)) } else { self.kept.get(path).map(Arc::clone) }
    }

    /// Keeps a descriptor.
    pub(crate) fn keep(&mut self, path: EntryPath, directory: Arc<OwnedFd>) {
        if self.kept.len() >= KEPT {
            self.kept.clear();
        }
        self.kept.insert(path, directory);
    }

    /// Forgets all descriptors, because some are of directories that are gone.
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
    }

    /// Opens a directory that must be there, with no link on the way.
    pub(crate) fn existing(&mut self, path: &EntryPath) -> io::Result<Option<Arc<OwnedFd>>> {
        let (mut at, mut directory) = self.nearest(path);
        let done = at.components().count();
        for name in path.components().skip(done) {
            let Child::Directory(next) = look(&directory, name)? else { return Ok(None) };
            at = at.child(name);
            directory = next;
            self.keep(at.clone(), Arc::clone(&directory));
        }
        Ok(Some(directory))
    }

    /// The deepest directory on the way whose descriptor is kept.
    pub(crate) fn nearest(&self, path: &EntryPath) -> (EntryPath, Arc<OwnedFd>) {
        let mut at = path.clone();
        loop {
            if let Some(directory) = self.kept(&at) {
                return (at, directory);
            }
            at = at.parent();
        }
    }
}

/// Looks for a directory under one name.
pub(crate) fn look(directory: &OwnedFd, name: &[u8]) -> io::Result<Child> {
    match openat(directory, name, DIRECTORY, Mode::empty()) {
        Ok(child) => Ok(Child::Directory(Arc::new(child))),
        Err(Errno::NOENT) => Ok(Child::Missing),
        Err(Errno::NOTDIR | Errno::LOOP) => match kind(directory, name)? {
            Some(FileType::Symlink) => {
                Ok(Child::Symlink(readlinkat(directory, name, Vec::new())?.into_bytes()))
            }
            _ => Ok(Child::Other),
        },
        Err(error) => Err(error.into()),
    }
}

/// What stands under a name, without following a link.
pub(crate) fn kind(directory: &OwnedFd, name: &[u8]) -> io::Result<Option<FileType>> {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes what stands under a name, with everything below if it is a directory. Nothing there is fine.
pub(crate) fn remove(directory: &OwnedFd, name: &[u8]) -> io::Result<()> {
    match unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(error) => return Err(error.into()),
    }
    let opened = readable(directory, name)?;
    for child in names(&opened)? {
        remove(&opened, &child)?;
    }
    match unlinkat(directory, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Opens a directory for reading it and for changing its attributes.
pub(crate) fn readable(directory: &OwnedFd, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(openat(directory, name, flags, Mode::empty())?)
}

/// All names in a directory, sorted.
pub(crate) fn names(directory: &OwnedFd) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
