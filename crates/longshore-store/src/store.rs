//! Opening a store, and making one.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use crate::tree::Tree;
use crate::{StoreError, layout};

/// The version that this program writes: a newer second number adds what older programs may overlook, a newer first
/// one changes what they know.
const MAJOR: u32 = 1;
const MINOR: u32 = 0;

/// What stands before the version, for who looks at the file.
const TITLE: &str = "longshore store ";

/// A store of content. Clones are the same store; threads and processes may use one at the same time.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) tree: Arc<Tree>,
}

impl Store {
    /// Opens the store in a directory, and makes it if there is none. An existing store costs a handful of system calls.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, StoreError> {
        let root = root.as_ref();
        match Tree::open_root(root) {
            Ok(tree) => Self::open_tree(tree),
            Err(Errno::NOENT) => {
                // What is above belongs to others, too: containers pass through it.
                let above = root.parent().map_or(Ok(()), std::fs::create_dir_all);
                let made = above.and_then(|()| DirBuilder::new().recursive(true).mode(0o700).create(root));
                made.map_err(|source| StoreError::Io { action: "create", path: root.to_owned(), source })?;
                Self::open_tree(
                    Tree::open_root(root).map_err(|errno| StoreError::io("open the store", root, errno))?,
                )
            }
            Err(errno) => Err(StoreError::io("open the store", root, errno)),
        }
    }

    /// Where the store is, as it was opened.
    pub fn root(&self) -> PathBuf {
        self.tree.path("")
    }

    fn open_tree(tree: Tree) -> Result<Self, StoreError> {
        match tree.read(layout::VERSION, 256)? {
            Some(text) => check_version(&tree, &text)?,
            None => initialise(&tree)?,
        }
        Ok(Self { tree: Arc::new(tree) })
    }
}

/// Refuses a version that this program does not know.
fn check_version(tree: &Tree, text: &[u8]) -> Result<(), StoreError> {
    let unknown = || StoreError::VersionFile { path: tree.path(layout::VERSION) };
    let text = std::str::from_utf8(text).map_err(|_| unknown())?.trim_end();
    let found = text.strip_prefix(TITLE).ok_or_else(unknown)?;
    let (major, minor) = found.split_once('.').ok_or_else(unknown)?;
    let major: u32 = major.parse().map_err(|_| unknown())?;
    minor.parse::<u32>().map_err(|_| unknown())?;
    if major <= MAJOR {
        return Ok(());
    }
    let known = format!("{MAJOR}.{MINOR}");
    Err(StoreError::NewerStore { path: tree.path(""), found: found.to_owned(), known })
}

/// Makes a store. Every step may be done twice, by two processes or after an interruption; the version comes last.
fn initialise(tree: &Tree) -> Result<(), StoreError> {
    refuse_foreign(tree)?;
    let private = std::fs::set_permissions(tree.path(""), Permissions::from_mode(0o700));
    private.map_err(|source| StoreError::Io { action: "make private", path: tree.path(""), source })?;
    let make = |relative: &str| {
        tree.make_directory(relative).map(|_| ()).map_err(|errno| tree.error("create", relative, errno))
    };
    for directory in layout::DIRECTORIES {
        make(directory)?;
    }
    for algorithm in layout::ALGORITHMS {
        make(&format!("{}/{algorithm}", layout::BLOBS))?;
        make(&format!("{}/{algorithm}", layout::SNAPSHOTS))?;
    }
    let text = format!("{TITLE}{MAJOR}.{MINOR}\n");
    crate::record::write(tree, layout::VERSION, text.as_bytes(), crate::record::Durability::Synced)
}

/// Refuses to make a store among somebody's files. What an interrupted start left is no obstacle.
fn refuse_foreign(tree: &Tree) -> Result<(), StoreError> {
    // A file system of its own for the store has a directory of its own.
    let ours = |name: &str| {
        layout::DIRECTORIES.contains(&name) || layout::FILES.contains(&name) || name == "lost+found"
    };
    match tree.list(".")?.into_iter().find(|entry| !ours(&entry.name)) {
        Some(entry) => Err(StoreError::Foreign { path: tree.path(""), foreign: entry.name }),
        None => Ok(()),
    }
}

/// The same answer with the path it is about.
pub(crate) fn at<T>(
    tree: &Tree,
    action: &'static str,
    relative: &str,
    result: io::Result<T>,
) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Io { action, path: tree.path(relative), source })
}
