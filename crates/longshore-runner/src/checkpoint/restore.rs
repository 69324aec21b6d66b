//! Making a directory what it was at a checkpoint.
//!
//! What is still the same stays. The container does not run meanwhile, so nobody else works there; links are not followed
//! all the same.

use std::collections::HashMap;
use std::fs::File as Plain;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat,
    fremovexattr, fsetxattr, fstat, linkat, mkdirat, mknodat, openat, renameat, statat, symlinkat, unlinkat,
    utimensat,
};
use rustix::io::Errno;

use super::scan::{DIRECTORY, extended};
use super::shelf::Shelf;
use super::tree::{Attributes, Content, Directory, Extended, File, Identity, Name, Node, Other};

/// A name that nothing of a job has by accident.
const NEW: &[u8] = b".longshore-checkpoint-new";

/// What a file that is copied needs.
const NEW_FILE: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::CLOEXEC);

/// Makes one root what it was.
pub(super) struct Restore<'s> {
    shelf: &'s Shelf,
    root: OwnedFd,
    path: Vec<u8>,
    /// Names of files that have several, by what was their inode.
    names: HashMap<u64, Vec<u8>>,
}

/// Whether all that a root needs is here: the path of the first file whose content is gone.
pub(super) fn missing(shelf: &Shelf, root: &Path, wanted: &Directory) -> io::Result<Option<Vec<u8>>> {
    let root = openat(rustix::fs::CWD, root, DIRECTORY, Mode::empty())?;
    let mut path = Vec::new();
    Ok(lacks(shelf, Some(&root), wanted, &mut path)?.then_some(path))
}

/// Leaves the path of what is missing in `path`.
fn lacks(
    shelf: &Shelf,
    around: Option<&OwnedFd>,
    wanted: &Directory,
    path: &mut Vec<u8>,
) -> io::Result<bool> {
    for (name, node) in &wanted.entries {
        let length = path.len();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        let lacks = match node {
            Node::File(file) => !shelf.has(file) && !is_there(around, name, file)?,
            Node::Directory(wanted) => {
                let below = around.map(|around| enter(around.as_fd(), name)).transpose()?.flatten();
                self::lacks(shelf, below.as_ref(), wanted, path)?
            }
            Node::Other(_) => false,
        };
        if lacks {
            return Ok(true);
        }
        path.truncate(length);
    }
    Ok(false)
}

fn is_there(around: Option<&OwnedFd>, name: &[u8], file: &File) -> io::Result<bool> {
    let Some(around) = around else { return Ok(false) };
    let stat = look(around.as_fd(), name)?;
    Ok(file.identity.is_some() && stat.map(|stat| Identity::of(&stat)) == file.identity)
}

fn enter(around: BorrowedFd<'_>, name: &[u8]) -> io::Result<Option<OwnedFd>> {
    match openat(around, name, DIRECTORY, Mode::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        directory => Ok(Some(directory?)),
    }
}

fn look(around: BorrowedFd<'_>, name: &[u8]) -> io::Result<Option<Stat>> {
    match statat(around, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(None),
        stat => Ok(Some(stat?)),
    }
}

impl<'s> Restore<'s> {
    pub(super) fn new(shelf: &'s Shelf, root: &Path) -> io::Result<Self> {
        let root = openat(rustix::fs::CWD, root, DIRECTORY, Mode::empty())?;
        Ok(Self { shelf, root, path: Vec::new(), names: HashMap::new() })
    }

    /// Makes the root what it was.
    pub(super) fn carry_out(mut self, wanted: &Directory) -> io::Result<()> {
        let root = self.root.try_clone()?;
        self.directory(&root, wanted)
    }

    fn directory(&mut self, directory: &OwnedFd, wanted: &Directory) -> io::Result<()> {
        for name in names(directory)? {
            if !wanted.entries.contains_key(&name) {
                remove(directory.as_fd(), &name)?;
            }
        }
        for (name, node) in &wanted.entries {
            let length = self.path.len();
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            self.entry(directory.as_fd(), name, node)?;
            self.path.truncate(length);
        }
        settle(directory.as_fd(), b".", &fstat(directory)?, &wanted.attributes)?;
        extend(directory.as_fd(), &wanted.extended)
    }

    fn entry(&mut self, around: BorrowedFd<'_>, name: &[u8], node: &Node) -> io::Result<()> {
        let now = look(around, name)?;
        let is_directory = now.is_some_and(|stat| kind(stat.st_mode) == FileType::Directory);
        let is_same =
            node.identity().is_some() && now.as_ref().map(Identity::of) == node.identity() && !is_directory;
        match node {
            Node::Directory(wanted) => {
                if !is_directory {
                    if now.is_some() {
                        remove(around, name)?;
                    }
                    mkdirat(around, name, Mode::RWXU)?;
                }
                let below = openat(around, name, DIRECTORY, Mode::empty())?;
                self.directory(&below, wanted)
            }
            Node::File(file) => {
                if !is_same {
                    if is_directory {
                        remove(around, name)?;
                    }
                    self.file(around, name, file)?;
                }
                if file.has_names {
                    self.names.entry(file.inode).or_insert_with(|| self.path.clone());
                }
                Ok(())
            }
            Node::Other(_) if is_same => Ok(()),
            Node::Other(other) => {
                if now.is_some() {
                    remove(around, name)?;
                }
                make_other(around, name, other)
            }
        }
    }

    fn file(&self, around: BorrowedFd<'_>, name: &[u8], file: &File) -> io::Result<()> {
        if let Some(first) = self.names.get(&file.inode) {
            remove(around, name)?;
            return Ok(linkat(&self.root, first.as_slice(), around, name, AtFlags::empty())?);
        }
        let Content::Copied(copied, extended) = &*file.content() else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "its content is gone"));
        };
        remove(around, NEW)?;
        let mut source = Plain::open(self.shelf.path(copied.number))?;
        let new = openat(around, NEW, NEW_FILE, Mode::RUSR | Mode::WUSR)?;
        let mut new = Plain::from(new);
        io::copy(&mut source, &mut new)?;
        settle(around, NEW, &fstat(&new)?, &file.attributes)?;
        extend(new.as_fd(), extended)?;
        Ok(renameat(around, NEW, around, name)?)
    }
}

fn make_other(around: BorrowedFd<'_>, name: &[u8], other: &Other) -> io::Result<()> {
    if let Some(target) = &other.target {
        symlinkat(target.as_slice(), around, name)?;
    } else {
        let mode = Mode::from_raw_mode(other.attributes.mode & 0o7777);
        mknodat(around, name, kind(other.attributes.mode), mode, other.device)?;
    }
    let Some(now) = look(around, name)? else { return Ok(()) };
    settle(around, name, &now, &other.attributes)
}

/// Gives something the attributes that it had.
fn settle(around: BorrowedFd<'_>, name: &[u8], now: &Stat, wanted: &Attributes) -> io::Result<()> {
    if (now.st_uid, now.st_gid) != (wanted.user, wanted.group) {
        let (user, group) = (Uid::from_raw(wanted.user), Gid::from_raw(wanted.group));
        chownat(around, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    if kind(wanted.mode) != FileType::Symlink {
        // A change of the owner takes bits of it away. What is here is no link, so none is followed.
        chmodat(around, name, Mode::from_raw_mode(wanted.mode & 0o7777), AtFlags::empty())?;
    }
    let (seconds, nanoseconds) = wanted.modified;
    let modified = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.try_into().unwrap_or_default() };
    let times = Timestamps { last_access: modified, last_modification: modified };
    Ok(utimensat(around, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Gives something that is open the extended attributes that it had.
fn extend(open: BorrowedFd<'_>, wanted: &Extended) -> io::Result<()> {
    let have = extended(open)?;
    for (name, _) in have.iter().filter(|(name, _)| wanted.iter().all(|(wanted, _)| wanted != name)) {
        fremovexattr(open, name.as_slice())?;
    }
    for (name, value) in wanted.iter().filter(|wanted| !have.contains(wanted)) {
        fsetxattr(open, name.as_slice(), value, XattrFlags::empty())?;
    }
    Ok(())
}

fn kind(mode: u32) -> FileType {
    FileType::from_raw_mode(mode)
}

fn names(directory: &OwnedFd) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.into());
        }
    }
    Ok(names)
}

/// Removes what has a name, a directory with all that is in it. Nothing there is right, too.
fn remove(around: BorrowedFd<'_>, name: &[u8]) -> io::Result<()> {
    match unlinkat(around, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(errno) => return Err(errno.into()),
    }
    crate::job::Folder::of(around)?.remove(name)
}
