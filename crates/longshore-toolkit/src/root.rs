//! The root of a job's files, which no path leads out of.
//!
//! Jobs put links where they like, also while we work. Paths are therefore walked by the kernel with
//! `RESOLVE_IN_ROOT` (openat2(2)): links, absolute ones too, mean what they mean to the job, and end at its root. What
//! is made below a resolved directory is made by one name at a time, and never through a link.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use crate::StorageError;
use crate::error::Attempt as _;

/// How often a walk is tried that somebody disturbed by renaming.
const TRIES: usize = 64;

/// The root directory of a job's files.
#[derive(Debug)]
pub struct Root {
    directory: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens a root; links on the way to it are followed.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).attempt("open", path)?;
        Ok(Self { directory, path: path.to_owned() })
    }

    /// The path of something below the root, to tell people.
    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        self.path.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Opens something as the job would find it.
    pub(crate) fn resolve(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let mut tries = 0;
        loop {
            match openat2(&self.directory, path, flags | OFlags::CLOEXEC, Mode::empty(), how) {
                Err(Errno::AGAIN | Errno::INTR) if tries < TRIES => tries += 1,
                other => return other,
            }
        }
    }

    /// Opens something for reading it: a file or a directory, and nothing that would block.
    pub(crate) fn read(&self, path: &Path) -> Result<OwnedFd, Errno> {
        self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)
    }

    /// Opens a directory, made if it is missing.
    pub(crate) fn ensure_directory(&self, path: &Path) -> Result<OwnedFd, StorageError> {
        let (flags, shown) = (OFlags::DIRECTORY | OFlags::RDONLY, self.shown(path));
        match self.resolve(path, flags) {
            Err(Errno::NOENT) => {}
            other => return other.attempt("open", shown),
        }
        let mut at = PathBuf::new();
        let mut directory = self.resolve(Path::new("."), flags).attempt("open", &self.path)?;
        for component in path.components() {
            let Component::Normal(name) = component else {
                at.push(component);
                continue;
            };
            at.push(name);
            directory = match self.resolve(&at, flags) {
                Err(Errno::NOENT) => {
                    make_directory(&directory, name).attempt("create", self.shown(&at))?;
                    self.resolve(&at, flags)
                }
                other => other,
            }
            .attempt("open", self.shown(&at))?;
        }
        Ok(directory)
    }
}

/// Makes a directory, which belongs to who the one around it belongs to.
fn make_directory(parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
        Err(Errno::EXIST) => return Ok(()),
        other => other?,
    }
    let Some((user, group)) = heir(parent)? else { return Ok(()) };
    rustix::fs::chownat(parent, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)
}

/// Who should own what is made in a directory, if that is not who makes it.
///
/// What the superuser puts into a job's files must be the job's to change.
pub(crate) fn heir(directory: &OwnedFd) -> Result<Option<(Uid, Gid)>, Errno> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let stat = rustix::fs::fstat(directory)?;
    let owner = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    Ok((owner != (rustix::process::geteuid(), rustix::process::getegid())).then_some(owner))
}

/// Makes a new file, in place of one that has the name, or of a link.
pub(crate) fn create_file(directory: &OwnedFd, name: &[u8]) -> Result<File, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for _ in 0..TRIES {
        match rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::EXIST) => clear(directory, name)?,
            other => return other.map(File::from),
        }
    }
    Err(Errno::EXIST)
}

/// Opens the directory of a name, made if it is missing; says whether it was made. A link or a file gives way.
pub(crate) fn enter(directory: &OwnedFd, name: &[u8]) -> Result<(OwnedFd, bool), Errno> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut made = false;
    for _ in 0..TRIES {
        match rustix::fs::openat(directory, name, flags, Mode::empty()) {
            Ok(opened) => return Ok((opened, made)),
            Err(Errno::NOENT) => match rustix::fs::mkdirat(directory, name, Mode::RWXU) {
                Ok(()) => made = true,
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno),
            },
            Err(Errno::NOTDIR | Errno::LOOP) => clear(directory, name)?,
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::NOTDIR)
}

/// Removes what has a name, unless it is a directory.
pub(crate) fn clear(directory: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

/// The components of a relative path that names something below where it starts.
///
/// Empty components and `.` are dropped. `..` and absolute paths are refused rather than resolved: who writes such a
/// name into an archive means harm or has a fault.
pub(crate) fn components(name: &[u8]) -> Result<Vec<&OsStr>, StorageError> {
    if name.starts_with(b"/") {
        return Err(StorageError::entry(name, "its path is absolute"));
    }
    if name.contains(&0) {
        return Err(StorageError::entry(name, "its path holds a zero byte"));
    }
    let mut found = Vec::new();
    for component in name.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => return Err(StorageError::entry(name, "its path holds `..`")),
            component => found.push(OsStr::from_bytes(component)),
        }
    }
    if found.len() > crate::remove::DEEPEST {
        return Err(StorageError::entry(name, "it is nested too deep"));
    }
    Ok(found)
}
