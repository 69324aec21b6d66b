//! Looking through a directory: what changed since the last time, and what is the same.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, Stat, fgetxattr, flistxattr, fstat, openat, readlinkat, statat,
};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use super::policy::{DEEPEST, MOST_ENTRIES};
use super::tree::{Attributes, Content, Directory, Extended, File, Identity, Name, Node, Other};

pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What was changed within so many nanoseconds may change again without that its time of change shows it, where the kernel
/// counts these times in ticks.
const TICK: i64 = 20_000_000;

/// Longest value of an extended attribute.
const MOST_ATTRIBUTE: usize = 64 * 1024;

/// One look through the roots of a job.
pub(super) struct Scan {
    /// Whether times of change differ for each change.
    fine: bool,
    /// When it began, in nanoseconds.
    began: i64,
    /// How many entries were looked at.
    pub(super) entries: usize,
    /// Files that are new or changed: the root, the path below, the file.
    pub(super) fresh: Vec<(usize, Vec<u8>, Arc<File>)>,
    root: usize,
    path: Vec<u8>,
    depth: usize,
}

impl Scan {
    pub(super) fn new(fine: bool) -> Self {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        Self {
            fine,
            began: now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec),
            entries: 0,
            fresh: Vec::new(),
            root: 0,
            path: Vec::new(),
            depth: 0,
        }
    }

    /// What is in a root now.
    pub(super) fn root(
        &mut self,
        root: usize,
        path: &Path,
        known: Option<&Arc<Directory>>,
    ) -> io::Result<Arc<Directory>> {
        (self.root, self.depth) = (root, 0);
        self.path.clear();
        let directory = openat(rustix::fs::CWD, path, DIRECTORY, Mode::empty())?;
        let stat = fstat(&directory)?;
        self.directory(&directory, &stat, known)
    }

    fn directory(
        &mut self,
        directory: &OwnedFd,
        stat: &Stat,
        known: Option<&Arc<Directory>>,
    ) -> io::Result<Arc<Directory>> {
        if self.depth >= DEEPEST {
            return Err(io::Error::other(format!("directories are nested more than {DEEPEST} deep")));
        }
        self.depth += 1;
        let identity = self.identity(stat);
        let same = known.filter(|known| identity.is_some() && known.identity == identity);
        let found = if let Some(known) = same {
            self.known_names(directory.as_fd(), known)?
        } else {
            let entries = self.all_names(directory, known)?;
            let (attributes, extended) = (Attributes::of(stat), extended(directory.as_fd())?);
            Arc::new(Directory { identity, attributes, extended, entries })
        };
        self.depth -= 1;
        Ok(found)
    }

    /// A directory with the names that it had; what has them may have changed.
    fn known_names(
        &mut self,
        directory: BorrowedFd<'_>,
        known: &Arc<Directory>,
    ) -> io::Result<Arc<Directory>> {
        let mut changed = Vec::new();
        for (name, node) in &known.entries {
            match self.entry(directory, name, Some(node))? {
                Some(found) if is_same(&found, node) => {}
                found => changed.push((name.clone(), found)),
            }
        }
        if changed.is_empty() {
            return Ok(Arc::clone(known));
        }
        let mut entries = known.entries.clone();
        for (name, found) in changed {
            match found {
                Some(node) => drop(entries.insert(name, node)),
                None => drop(entries.remove(&name)),
            }
        }
        let (attributes, extended) = (known.attributes.clone(), known.extended.clone());
        Ok(Arc::new(Directory { identity: known.identity, attributes, extended, entries }))
    }

    fn all_names(
        &mut self,
        directory: &OwnedFd,
        known: Option<&Arc<Directory>>,
    ) -> io::Result<BTreeMap<Name, Node>> {
        let mut entries = BTreeMap::new();
        for entry in Dir::read_from(directory)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let before = known.and_then(|known| known.entries.get(name));
            if let Some(node) = self.entry(directory.as_fd(), name, before)? {
                entries.insert(name.into(), node);
            }
        }
        Ok(entries)
    }

    /// What has a name; none if it is gone.
    fn entry(
        &mut self,
        around: BorrowedFd<'_>,
        name: &[u8],
        known: Option<&Node>,
    ) -> io::Result<Option<Node>> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(io::Error::other(format!("there are more than {MOST_ENTRIES} files")));
        }
        let stat = match statat(around, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            stat => stat?,
        };
        let identity = self.identity(&stat);
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory {
            return self.subdirectory(around, name, known);
        }
        if let Some(known) = known.filter(|known| identity.is_some() && known.identity() == identity) {
            return Ok(Some(known.clone()));
        }
        let attributes = Attributes::of(&stat);
        if kind == FileType::RegularFile {
            let file = Arc::new(File {
                identity,
                inode: stat.st_ino,
                size: u64::try_from(stat.st_size).unwrap_or_default(),
                has_names: stat.st_nlink > 1,
                attributes,
                content: Mutex::new(Content::There),
            });
            self.fresh.push((self.root, self.below(name), Arc::clone(&file)));
            return Ok(Some(Node::File(file)));
        }
        let target = match kind {
            FileType::Symlink => Some(readlinkat(around, name, Vec::new())?.into_bytes()),
            _ => None,
        };
        Ok(Some(Node::Other(Arc::new(Other { identity, attributes, target, device: stat.st_rdev }))))
    }

    fn subdirectory(
        &mut self,
        around: BorrowedFd<'_>,
        name: &[u8],
        known: Option<&Node>,
    ) -> io::Result<Option<Node>> {
        let directory = match openat(around, name, DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            directory => directory?,
        };
        let known = match known {
            Some(Node::Directory(known)) => Some(known),
            _ => None,
        };
        let length = self.path.len();
        self.path = self.below(name);
        let stat = fstat(&directory)?;
        let found = self.directory(&directory, &stat, known);
        self.path.truncate(length);
        Ok(Some(Node::Directory(found?)))
    }

    fn below(&self, name: &[u8]) -> Vec<u8> {
        let mut path = self.path.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        path
    }

    /// What something is known by later; nothing if it could change unseen.
    fn identity(&self, stat: &Stat) -> Option<Identity> {
        let identity = Identity::of(stat);
        let (seconds, nanoseconds) = identity.changed;
        let changed =
            seconds.saturating_mul(1_000_000_000).saturating_add(i64::try_from(nanoseconds).unwrap_or(0));
        (self.fine || changed.saturating_add(TICK) < self.began).then_some(identity)
    }
}

fn is_same(one: &Node, other: &Node) -> bool {
    match (one, other) {
        (Node::File(one), Node::File(other)) => Arc::ptr_eq(one, other),
        (Node::Directory(one), Node::Directory(other)) => Arc::ptr_eq(one, other),
        (Node::Other(one), Node::Other(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

/// The extended attributes of something that is open.
pub(super) fn extended(open: BorrowedFd<'_>) -> io::Result<Extended> {
    let mut list = [0_u8; 4096];
    let length = match flistxattr(open, &mut list[..]) {
        Err(Errno::OPNOTSUPP) => 0,
        length => length?,
    };
    let mut attributes = Vec::new();
    for name in list.get(..length).unwrap_or_default().split_inclusive(|byte| *byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
        let mut value = vec![0_u8; MOST_ATTRIBUTE];
        let length = match fgetxattr(open, name, &mut value[..]) {
            Err(Errno::NODATA) => continue,
            length => length?,
        };
        value.truncate(length);
        attributes.push((name.to_bytes().to_vec(), value));
    }
    Ok(attributes)
}

/// Whether the kernel gives each change of a file a time of its own once somebody has looked, as it does since 6.13 on
/// most file systems.
pub(super) fn has_fine_times(directory: &Path) -> bool {
    let path = directory.join("times");
    let differ = || -> io::Result<bool> {
        let file = std::fs::File::create(&path)?;
        let mut before = Identity::of(&fstat(&file)?).changed;
        for length in 1..=3 {
            file.set_len(length)?;
            let now = Identity::of(&fstat(&file)?).changed;
            if now == before {
                return Ok(false);
            }
            before = now;
        }
        Ok(true)
    };
    let differ = differ().unwrap_or(false);
    // It holds nothing.
    let _ = std::fs::remove_file(&path);
    differ
}
