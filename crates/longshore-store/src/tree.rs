//! The store's directory, in which no path leads out.
//!
//! Everything is opened relative to one open directory, and a symbolic link anywhere on the way is an error: whoever
//! could plant one would else redirect what the store reads or writes. `openat2` does so in one call; where a sandbox
//! hides it, the path is walked part by part.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::StoreError;

/// Directories are for their owner alone.
pub(crate) const DIRECTORY_MODE: Mode = Mode::RWXU;

/// An open directory and where it is.
#[derive(Debug)]
pub(crate) struct Tree {
    root: OwnedFd,
    path: PathBuf,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) directory: bool,
}

impl Tree {
    /// Opens a directory that exists. The path itself may be a symbolic link: it is the caller's.
    pub(crate) fn open_root(path: &Path) -> Result<Self, Errno> {
        let root =
            fs::openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY, Mode::empty())?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// Where something is, for messages and for who needs a path.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.path.join(relative)
    }

    pub(crate) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// Makes an error of an answer of the system.
    pub(crate) fn error(&self, action: &'static str, relative: &str, errno: Errno) -> StoreError {
        match errno {
            Errno::LOOP => StoreError::Planted { path: self.path(relative), expected: "a file or directory" },
            _ => StoreError::io(action, self.path(relative), errno),
        }
    }

    /// Opens something below the directory.
    pub(crate) fn open(&self, relative: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        // `openat2` refuses a mode that would not be used.
        let mode = if flags.contains(OFlags::CREATE) { mode } else { Mode::empty() };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        loop {
            match fs::openat2(&self.root, relative, flags, mode, resolve) {
                // The kernel could not tell whether a rename interfered; or a signal came.
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::NOSYS | Errno::PERM) => return self.walk(relative, flags, mode),
                other => return other,
            }
        }
    }

    /// Opens something without `openat2`.
    fn walk(&self, relative: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let Some((parents, name)) = relative.rsplit_once('/') else {
            return fs::openat(&self.root, relative, flags, mode);
        };
        let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut directory: Option<OwnedFd> = None;
        for part in parents.split('/') {
            let at = directory.as_ref().unwrap_or(&self.root).as_fd();
            directory = Some(fs::openat(at, part, step, Mode::empty())?);
        }
        fs::openat(directory.as_ref().unwrap_or(&self.root), name, flags, mode)
    }

    /// Opens the directory that something is in, and gives its name there.
    fn parent<'p>(&self, relative: &'p str) -> Result<(OwnedFd, &'p str), Errno> {
        let (parent, name) = relative.rsplit_once('/').unwrap_or((".", relative));
        let directory = self.open(parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        Ok((directory, name))
    }

    /// What something is, without following it if it is a link.
    pub(crate) fn stat(&self, relative: &str) -> Result<Option<Stat>, Errno> {
        let file = match self.open(relative, OFlags::PATH, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            other => other?,
        };
        fs::fstat(&file).map(Some)
    }

    /// The whole content of a small file; nothing if there is none.
    pub(crate) fn read(&self, relative: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let file = match self.open(relative, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            other => other.map_err(|errno| self.error("open", relative, errno))?,
        };
        let mut bytes = Vec::new();
        let read = File::from(file).take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|source| StoreError::Io { action: "read", path: self.path(relative), source })?;
        if bytes.len() as u64 > limit {
            let message = format!("it has more than {limit} bytes");
            return Err(StoreError::MalformedRecord { path: self.path(relative), message });
        }
        Ok(Some(bytes))
    }

    /// Makes a directory; whether it is new.
    pub(crate) fn make_directory(&self, relative: &str) -> Result<bool, Errno> {
        let (parent, name) = self.parent(relative)?;
        match fs::mkdirat(parent, name, DIRECTORY_MODE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Makes a directory and those above it.
    pub(crate) fn make_directories(&self, relative: &str) -> Result<(), Errno> {
        let ends = relative.match_indices('/').map(|(at, _)| at).chain([relative.len()]);
        for end in ends {
            self.make_directory(relative.get(..end).unwrap_or(relative))?;
        }
        Ok(())
    }

    /// Removes a file; whether there was one.
    pub(crate) fn unlink(&self, relative: &str) -> Result<bool, Errno> {
        self.remove(relative, AtFlags::empty())
    }

    /// Removes an empty directory; whether there was one.
    pub(crate) fn remove_directory(&self, relative: &str) -> Result<bool, Errno> {
        self.remove(relative, AtFlags::REMOVEDIR)
    }

    fn remove(&self, relative: &str, flags: AtFlags) -> Result<bool, Errno> {
        let (parent, name) = match self.parent(relative) {
            Err(Errno::NOENT) => return Ok(false),
            other => other?,
        };
        match fs::unlinkat(parent, name, flags) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Renames, replacing a file that is there.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        self.rename_with(from, to, RenameFlags::empty())
    }

    /// Renames, unless something is there already.
    pub(crate) fn rename_new(&self, from: &str, to: &str) -> Result<(), Errno> {
        match self.rename_with(from, to, RenameFlags::NOREPLACE) {
            // Some file systems cannot promise it; the names in question are unique anyway.
            Err(Errno::INVAL | Errno::NOSYS) => self.rename(from, to),
            other => other,
        }
    }

    fn rename_with(&self, from: &str, to: &str, flags: RenameFlags) -> Result<(), Errno> {
        let (from_directory, from_name) = self.parent(from)?;
        let (to_directory, to_name) = self.parent(to)?;
        fs::renameat_with(from_directory, from_name, to_directory, to_name, flags)
    }

    /// Gives the owner all rights to a directory.
    pub(crate) fn unlock_directory(&self, relative: &str) -> Result<(), Errno> {
        if !self.is_directory(relative)? {
            return Err(Errno::NOTDIR);
        }
        let (parent, name) = self.parent(relative)?;
        fs::chmodat(parent, name, DIRECTORY_MODE, AtFlags::empty())
    }

    /// Makes the names in a directory outlive a power failure.
    pub(crate) fn sync_directory(&self, relative: &str) -> Result<(), Errno> {
        fs::fsync(self.open(relative, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?)
    }

    /// What is in a directory, sorted; nothing in one that does not exist. Names that are not UTF-8 were not made by the
    /// store and are left alone.
    pub(crate) fn list(&self, relative: &str) -> Result<Vec<Entry>, StoreError> {
        let failed = |errno| self.error("list", relative, errno);
        let directory = match self.open(relative, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut entries = Vec::new();
        for entry in Dir::new(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Some(name) = OsStr::from_bytes(entry.file_name().to_bytes()).to_str() else { continue };
            if name == "." || name == ".." {
                continue;
            }
            let name = name.to_owned();
            let directory = match entry.file_type() {
                FileType::Unknown => self.is_directory(&format!("{relative}/{name}")).map_err(failed)?,
                kind => kind == FileType::Directory,
            };
            entries.push(Entry { name, directory });
        }
        entries.sort();
        Ok(entries)
    }

    /// Whether this is a directory, and no link to one.
    pub(crate) fn is_directory(&self, relative: &str) -> Result<bool, Errno> {
        let stat = self.stat(relative)?;
        Ok(stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir, write};
    use std::os::unix::fs::symlink;

    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;

    use super::Tree;

    #[test]
    fn both_ways_to_open_give_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        create_dir(path("a")).unwrap();
        create_dir(path("a/b")).unwrap();
        write(path("a/b/file"), "").unwrap();
        write(path("top"), "").unwrap();
        symlink(path("a"), path("link")).unwrap();
        symlink("file", path("a/b/link")).unwrap();
        let tree = Tree::open_root(directory.path()).unwrap();
        for (name, expected) in [
            ("top", Ok(())),
            ("a/b/file", Ok(())),
            ("a/b", Ok(())),
            (".", Ok(())),
            ("a/none", Err(Errno::NOENT)),
            ("none/file", Err(Errno::NOENT)),
            ("top/file", Err(Errno::NOTDIR)),
            ("a/b/link", Err(Errno::LOOP)),
        ] {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW;
            assert_eq!(tree.open(name, flags, Mode::empty()).map(|_| ()), expected, "{name}");
            assert_eq!(tree.walk(name, flags, Mode::empty()).map(|_| ()), expected, "{name}");
        }
        // Each says in its own way that it does not pass through a link.
        let through = |opened: Result<_, Errno>| opened.map(|_| ()).unwrap_err();
        assert_eq!(through(tree.open("link/b/file", OFlags::RDONLY, Mode::empty())), Errno::LOOP);
        assert_eq!(through(tree.walk("link/b/file", OFlags::RDONLY, Mode::empty())), Errno::NOTDIR);
    }
}
