//! Where a store keeps its files: a version, a lock, drafts, and things that appear and go as a whole.
//!
//! What is made grows in a draft, a directory of its own that the maker has locked, and is renamed to its place when it
//! is complete. What goes is renamed to the drafts first. So a process that is killed leaves drafts that nobody has
//! locked, and the next one to open the store removes them. All locks are `flock`: they end with their process.
//!
//! **Invariant:** what has a place is complete; nobody's files are removed while they hold its lock.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};
use rustix::fs::{FlockOperation, Mode, OFlags, RenameFlags, flock};
use rustix::io::Errno;

use crate::StorageError;
use crate::digest::hex;
use crate::error::Attempt as _;
use crate::remove::remove_tree;

const VERSION: &str = "1";
const DRAFTS: &str = "drafts";
const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// The directory of one store.
#[derive(Debug)]
pub(crate) struct Depot {
    root: PathBuf,
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _file: OwnedFd,
}

/// Something that grows out of sight. It is removed with this value unless it is published.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    directory: OwnedFd,
    published: bool,
}

impl Depot {
    /// Opens or makes a store, and clears away what killed processes left.
    pub(crate) fn open(root: &Path) -> Result<Self, StorageError> {
        let drafts = root.join(DRAFTS);
        fs::create_dir_all(&drafts).attempt("create", &drafts)?;
        let depot = Self { root: root.to_owned() };
        let turn = depot.turn()?;
        depot.check_version()?;
        depot.sweep(&turn)?;
        Ok(depot)
    }

    /// The path of something in the store.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Waits for the turn to change what has a place.
    pub(crate) fn turn(&self) -> Result<Turn, StorageError> {
        let path = self.path("lock");
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let file = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).attempt("open", &path)?;
        lock(&file, FlockOperation::LockExclusive).attempt("lock", &path)?;
        Ok(Turn { _file: file })
    }

    /// A number that no other thing in the store has had.
    pub(crate) fn next_id(&self, _turn: &Turn) -> Result<u64, StorageError> {
        let path = self.path("last-id");
        let last = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse::<u64>().ok(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(0),
            Err(error) => return Err(StorageError::io("read", path, error)),
        };
        let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "it holds no number");
        let next = last.and_then(|last| last.checked_add(1));
        let next = next.ok_or_else(unreadable).attempt("read", &path)?;
        self.replace("last-id", next.to_string().as_bytes())?;
        Ok(next)
    }

    /// Begins something new.
    pub(crate) fn draft(&self) -> Result<Draft, StorageError> {
        // The turn keeps sweeps away until the draft is locked.
        let _turn = self.turn()?;
        let path = self.path(DRAFTS).join(random_name()?);
        rustix::fs::mkdir(&path, Mode::RWXU).attempt("create", &path)?;
        let directory = open_directory(&path).attempt("open", &path)?;
        lock(&directory, FlockOperation::NonBlockingLockExclusive).attempt("lock", &path)?;
        Ok(Draft { path, directory, published: false })
    }

    /// Gives a draft its place. `false` says that the place is taken.
    pub(crate) fn publish(
        &self,
        draft: &mut Draft,
        place: &Path,
        _turn: &Turn,
    ) -> Result<bool, StorageError> {
        let target = self.path(place);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).attempt("create", parent)?;
        }
        match rustix::fs::rename(&draft.path, &target) {
            Ok(()) => {
                draft.published = true;
                draft.path = target;
                Ok(true)
            }
            Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(false),
            Err(errno) => Err(StorageError::io("publish", target, errno)),
        }
    }

    /// Puts a draft where something else is, so that the name always stands for one of the two.
    pub(crate) fn supersede(&self, mut draft: Draft, place: &Path, _turn: &Turn) -> Result<(), StorageError> {
        let target = self.path(place);
        let cwd = rustix::fs::CWD;
        rustix::fs::renameat_with(cwd, &draft.path, cwd, &target, RenameFlags::EXCHANGE)
            .attempt("publish", &target)?;
        draft.published = true;
        self.discard(&draft.path)
    }

    /// Removes what has a place. Somebody who reads it may finish; a later sweep removes it then.
    pub(crate) fn discard(&self, path: &Path) -> Result<(), StorageError> {
        let away = self.path(DRAFTS).join(random_name()?);
        match rustix::fs::rename(path, &away) {
            Ok(()) => reap(&away),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(StorageError::io("remove", path, errno)),
        }
    }

    fn sweep(&self, _turn: &Turn) -> Result<(), StorageError> {
        let drafts = self.path(DRAFTS);
        for entry in fs::read_dir(&drafts).attempt("read", &drafts)? {
            reap(&entry.attempt("read", &drafts)?.path())?;
        }
        Ok(())
    }

    fn check_version(&self) -> Result<(), StorageError> {
        let path = self.path("version");
        match fs::read_to_string(&path) {
            Ok(text) if text.trim() == VERSION => Ok(()),
            Ok(found) => {
                let found = found.trim().chars().take(40).collect();
                Err(StorageError::NewerStore { path: self.root.clone(), found, known: VERSION })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.replace("version", VERSION.as_bytes())
            }
            Err(error) => Err(StorageError::io("read", path, error)),
        }
    }

    /// Replaces a small file of the store as a whole.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let (path, new) = (self.path(name), self.path(format!("{name}.new")));
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(bytes)?;
            file.sync_data()?;
            fs::rename(&new, &path)
        };
        write().attempt("write", &path)
    }
}

impl Draft {
    /// Where it is now.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its directory.
    pub(crate) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// A new file in it, for reading and writing.
    pub(crate) fn create(&self, name: &str) -> Result<File, StorageError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&self.directory, name, flags, Mode::RUSR | Mode::WUSR);
        Ok(file.attempt("create", self.path.join(name))?.into())
    }

    /// Writes a small file.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.create(name)?.write_all(bytes).attempt("write", self.path.join(name))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // What cannot be removed now is found by the next sweep.
            let _ = remove_tree(&self.path);
        }
    }
}

/// Opens something that has a place, so that it stays while the descriptor is open. `None` if it is not there.
pub(crate) fn hold(path: &Path) -> Result<Option<OwnedFd>, StorageError> {
    let directory = match open_directory(path) {
        Err(Errno::NOENT) => return Ok(None),
        other => other.attempt("open", path)?,
    };
    lock(&directory, FlockOperation::LockShared).attempt("lock", path)?;
    Ok(Some(directory))
}

/// Removes something unless somebody holds it.
fn reap(path: &Path) -> Result<(), StorageError> {
    match open_directory(path) {
        Ok(directory) => match lock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => remove_tree(path).attempt("remove", path),
            Err(Errno::WOULDBLOCK) => Ok(()),
            Err(errno) => Err(StorageError::io("lock", path, errno)),
        },
        Err(Errno::NOENT) => Ok(()),
        Err(_) => remove_tree(path).attempt("remove", path),
    }
}

fn open_directory(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, DIRECTORY | OFlags::RDONLY, Mode::empty())
}

fn lock(file: &OwnedFd, operation: FlockOperation) -> Result<(), Errno> {
    loop {
        match flock(file, operation) {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}

/// A name that nobody guesses.
pub(crate) fn random_name() -> Result<String, StorageError> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system gives no randomness")).attempt("read", "/dev/urandom")?;
    Ok(hex(&bytes))
}

/// All paths in a directory; none if it is missing.
pub(crate) fn directories(path: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.attempt("read", path)?,
    };
    entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>().attempt("read", path)
}

/// Removes a directory if nothing is in it.
pub(crate) fn remove_empty(path: &Path) -> Result<(), StorageError> {
    match fs::remove_dir(path) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => {
            Err(StorageError::io("remove", path, error))
        }
        _ => Ok(()),
    }
}
