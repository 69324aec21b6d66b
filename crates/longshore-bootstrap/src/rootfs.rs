//! A root file system that is being made, written to without ever leaving it.
//!
//! Every path is resolved by the kernel with the root as its root (`openat2` with `RESOLVE_IN_ROOT`), so a symbolic link
//! that a package brought, absolute or with `..`, leads to where it would lead in the finished system and never to a file
//! of this machine. A directory that stands is never replaced, so an opened one stays what it was.
//!
//! An ordinary user cannot give files away. What could not be given is remembered in [`Root::ownership`], so that who
//! packs the layer can write it there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, AtFlags, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use crate::decompress::read_bounded;

/// Who owns a file, what may be done with it, and since when it is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Seconds since 1970, or `None` for now.
    pub(crate) modified: Option<i64>,
}

impl Attributes {
    /// Of a file of root's.
    pub(crate) const fn of_root(mode: u32) -> Self {
        Self { mode, uid: 0, gid: 0, modified: None }
    }
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Nothing,
    Directory,
    Other,
}

/// The root of a file system that is being made.
#[derive(Debug)]
pub(crate) struct Root {
    directory: OwnedFd,
    /// The directory that was written to last, which is likely that of the next file.
    last: Option<(Vec<u8>, OwnedFd)>,
    /// Owners that could not be set, by path.
    ownership: BTreeMap<Vec<u8>, (u32, u32)>,
    may_give_away: bool,
    buffer: Vec<u8>,
}

/// How much content is written at once.
const BUFFER: usize = 128 << 10;

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Root {
    /// Opens a directory that exists.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let directory = fs::open(path, DIRECTORY, Mode::empty())?;
        let may_give_away = rustix::process::geteuid().is_root();
        Ok(Self { directory, last: None, ownership: BTreeMap::new(), may_give_away, buffer: Vec::new() })
    }

    /// Owners that could not be set, by path below the root.
    pub(crate) fn ownership(self) -> BTreeMap<Vec<u8>, (u32, u32)> {
        self.ownership
    }

    /// What stands at a path, without following a link at its end.
    pub(crate) fn standing(&mut self, path: &[u8]) -> io::Result<Standing> {
        let (parent, name) = match self.parent(path) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(Standing::Nothing),
            Err(error) => return Err(error.into()),
        };
        match fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if fs::FileType::from_raw_mode(stat.st_mode).is_dir() => Ok(Standing::Directory),
            Ok(_) => Ok(Standing::Other),
            Err(Errno::NOENT) => Ok(Standing::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a directory, or leaves the one that stands there (or that a link there leads to) as it is.
    pub(crate) fn directory(&mut self, path: &[u8], attributes: Attributes) -> io::Result<()> {
        // Most directories are brought by many packages, and asking is cheaper than failing to make one.
        if self.standing(path)? == Standing::Directory {
            return Ok(());
        }
        self.make_parents(path)?;
        let (parent, name) = self.parent(path)?;
        match fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => {
                let directory = fs::openat(
                    parent,
                    name,
                    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                    Mode::empty(),
                )?;
                self.give(path, &directory, attributes)
            }
            Err(Errno::EXIST) => self.open_directory(path).map(drop).map_err(Into::into),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a file anew, in place of what is no directory.
    pub(crate) fn file(
        &mut self,
        path: &[u8],
        content: &mut dyn Read,
        attributes: Attributes,
    ) -> io::Result<()> {
        let file = self.create(path)?;
        let mut file = File::from(file);
        self.copy(content, &mut file)?;
        self.give(path, &file, attributes)
    }

    fn copy(&mut self, content: &mut dyn Read, file: &mut File) -> io::Result<()> {
        self.buffer.resize(BUFFER, 0);
        loop {
            match content.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => file.write_all(self.buffer.get(..count).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes a symbolic link, in place of what is no directory.
    pub(crate) fn symlink(&mut self, path: &[u8], target: &[u8], attributes: Attributes) -> io::Result<()> {
        self.make_parents(path)?;
        self.remove(path)?;
        let may_give_away = self.may_give_away;
        let (parent, name) = self.parent(path)?;
        fs::symlinkat(target, parent, name)?;
        fs::utimensat(parent, name, &times(attributes.modified), AtFlags::SYMLINK_NOFOLLOW)?;
        let given = if may_give_away {
            let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
            is_given(fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW))?
        } else {
            false
        };
        self.remember(path, given, attributes);
        Ok(())
    }

    /// Makes a hard link to another path of this root, in place of what is no directory.
    pub(crate) fn hard_link(&mut self, path: &[u8], target: &[u8]) -> io::Result<()> {
        self.make_parents(path)?;
        self.remove(path)?;
        let (target_parent, target_name) = split(target);
        let target_parent = self.open_directory(target_parent)?;
        if !fs::FileType::from_raw_mode(
            fs::statat(&target_parent, target_name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode,
        )
        .is_file()
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the target of the hard link is no file",
            ));
        }
        let (parent, name) = self.parent(path)?;
        fs::linkat(&target_parent, target_name, parent, name, AtFlags::empty())?;
        if let Some(owner) = self.ownership.get(target).copied() {
            self.ownership.insert(path.to_vec(), owner);
        }
        Ok(())
    }

    /// Removes what is no directory. It is fine if nothing is there.
    pub(crate) fn remove(&mut self, path: &[u8]) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        match fs::unlinkat(parent, name, AtFlags::empty()) {
            Ok(()) => {
                // It may have been a link by which the last directory was reached.
                self.last = None;
                self.ownership.remove(path);
                Ok(())
            }
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a directory if it is there and empty.
    pub(crate) fn remove_empty(&mut self, path: &[u8]) -> io::Result<()> {
        let (parent, name) = self.parent(path)?;
        match fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Ok(()) => {
                self.last = None;
                Ok(())
            }
            Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a file of bounded size.
    pub(crate) fn read(&mut self, path: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let (parent, name) = self.parent(path)?;
        let file = fs::openat(
            parent,
            name,
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        read_bounded(File::from(file), limit)
    }

    fn create(&mut self, path: &[u8]) -> io::Result<OwnedFd> {
        self.make_parents(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (parent, name) = self.parent(path)?;
        match fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::EXIST) => {}
            result => return result.map_err(Into::into),
        }
        self.remove(path)?;
        let (parent, name) = self.parent(path)?;
        fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR).map_err(Into::into)
    }

    /// Makes directories above a path that no package brought.
    fn make_parents(&mut self, path: &[u8]) -> io::Result<()> {
        let (parent, _) = split(path);
        if parent.is_empty() || self.parent(path).is_ok() {
            return Ok(());
        }
        self.directory(parent, Attributes::of_root(0o755))
    }

    fn parent<'p>(&mut self, path: &'p [u8]) -> rustix::io::Result<(&OwnedFd, &'p [u8])> {
        let (parent, name) = split(path);
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = self.open_directory(parent)?;
            self.last = Some((parent.to_vec(), opened));
        }
        self.last.as_ref().map(|(_, opened)| (opened, name)).ok_or(Errno::NOENT)
    }

    fn open_directory(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let path = if path.is_empty() { b"." } else { path };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match fs::openat2(&self.directory, path, DIRECTORY, Mode::empty(), resolve) {
                // The kernel says so if something was renamed while it looked for `..`.
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result,
            }
        }
    }

    fn give(&mut self, path: &[u8], file: impl AsFd, attributes: Attributes) -> io::Result<()> {
        let file = file.as_fd();
        let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
        let given = self.may_give_away && is_given(fs::fchown(file, Some(uid), Some(gid)))?;
        fs::fchmod(file, Mode::from_raw_mode(attributes.mode & 0o7777))?;
        fs::futimens(file, &times(attributes.modified))?;
        self.remember(path, given, attributes);
        Ok(())
    }

    fn remember(&mut self, path: &[u8], given: bool, attributes: Attributes) {
        if !given && (attributes.uid, attributes.gid) != (0, 0) {
            self.ownership.insert(path.to_vec(), (attributes.uid, attributes.gid));
        }
    }
}

/// Whether an owner was set; no, if the user may not or the owner is not mapped here.
fn is_given(result: rustix::io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(Errno::PERM | Errno::INVAL) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|byte| *byte == b'/');
    at.map_or((&[], path), |at| (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()))
}

fn times(modified: Option<i64>) -> Timestamps {
    let time = match modified {
        Some(seconds) => Timespec { tv_sec: seconds, tv_nsec: 0 },
        None => Timespec { tv_sec: 0, tv_nsec: fs::UTIME_NOW },
    };
    Timestamps { last_access: time, last_modification: time }
}
