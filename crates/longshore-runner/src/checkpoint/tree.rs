//! What a checkpoint knows of files. Trees share what is the same in them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::Stat;

use super::shelf::Copied;

/// A name of the file system.
pub(super) type Name = Box<[u8]>;

/// By what it is seen that something is what it was: whatever changes it changes its time of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) inode: u64,
    pub(super) changed: (i64, u64),
    pub(super) size: u64,
}

impl Identity {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            inode: stat.st_ino,
            changed: (stat.st_ctime, stat.st_ctime_nsec),
            size: u64::try_from(stat.st_size).unwrap_or_default(),
        }
    }
}

/// Extended attributes, those of overlays included.
pub(super) type Extended = Vec<(Vec<u8>, Vec<u8>)>;

/// What every entry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attributes {
    /// With the kind.
    pub(super) mode: u32,
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) modified: (i64, u64),
}

impl Attributes {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            mode: stat.st_mode,
            user: stat.st_uid,
            group: stat.st_gid,
            modified: (stat.st_mtime, stat.st_mtime_nsec),
        }
    }
}

/// One entry of a directory.
#[derive(Debug, Clone)]
pub(super) enum Node {
    File(Arc<File>),
    Directory(Arc<Directory>),
    Other(Arc<Other>),
}

/// A plain file.
#[derive(Debug)]
pub(super) struct File {
    /// None if a change might not have shown in the time.
    pub(super) identity: Option<Identity>,
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Whether it has several names.
    pub(super) has_names: bool,
    pub(super) attributes: Attributes,
    pub(super) content: Mutex<Content>,
}

/// Where the content of a file is.
#[derive(Debug)]
pub(super) enum Content {
    /// Where it was, as long as that has the same identity.
    There,
    /// On the shelf, with the extended attributes.
    Copied(Copied, Extended),
}

/// A directory.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) identity: Option<Identity>,
    pub(super) attributes: Attributes,
    pub(super) extended: Extended,
    pub(super) entries: BTreeMap<Name, Node>,
}

/// A link, or a device, as which overlays mark what is gone.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) identity: Option<Identity>,
    pub(super) attributes: Attributes,
    /// Where a link leads.
    pub(super) target: Option<Vec<u8>>,
    pub(super) device: u64,
}

impl Node {
    pub(super) fn identity(&self) -> Option<Identity> {
        match self {
            Self::File(file) => file.identity,
            Self::Directory(directory) => directory.identity,
            Self::Other(other) => other.identity,
        }
    }
}

impl File {
    pub(super) fn content(&self) -> std::sync::MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_copied(&self) -> bool {
        matches!(*self.content(), Content::Copied(..))
    }
}
