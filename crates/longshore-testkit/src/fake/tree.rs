//! A file tree in memory: what images and volumes of the fake are made of.
//!
//! A tree knows no links and no mounts; [`Files`](super::files::Files) follows both, and asks trees for one entry at a
//! time by the parts of its path.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Mode, owner and time of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    /// Seconds since 1970.
    pub(super) modified: u64,
}

impl Attributes {
    /// Root's, with a mode.
    pub(super) fn of(mode: u32) -> Self {
        Self { mode, uid: 0, gid: 0, modified: 0 }
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Link(String),
}

/// An entry without what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) attributes: Attributes,
}

#[derive(Debug, Clone)]
enum Content {
    File(Vec<u8>),
    Directory(BTreeMap<String, Node>),
    Link(String),
}

/// An entry with what it holds.
#[derive(Debug, Clone)]
pub(super) struct Node {
    content: Content,
    attributes: Attributes,
}

impl Node {
    pub(super) fn file(bytes: Vec<u8>, attributes: Attributes) -> Self {
        Self { content: Content::File(bytes), attributes }
    }

    pub(super) fn directory(attributes: Attributes) -> Self {
        Self { content: Content::Directory(BTreeMap::new()), attributes }
    }

    pub(super) fn link(target: String, attributes: Attributes) -> Self {
        Self { content: Content::Link(target), attributes }
    }

    pub(super) fn entry(&self) -> Entry {
        let kind = match &self.content {
            Content::File(_) => Kind::File,
            Content::Directory(_) => Kind::Directory,
            Content::Link(target) => Kind::Link(target.clone()),
        };
        Entry { kind, attributes: self.attributes }
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::File(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn bytes_mut(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.content {
            Content::File(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn children(&self) -> Option<&BTreeMap<String, Node>> {
        match &self.content {
            Content::Directory(children) => Some(children),
            _ => None,
        }
    }

    fn children_mut(&mut self) -> Option<&mut BTreeMap<String, Node>> {
        match &mut self.content {
            Content::Directory(children) => Some(children),
            _ => None,
        }
    }
}

/// A tree; its root is a directory.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    root: Node,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { root: Node::directory(Attributes::of(0o755)) }
    }

    pub(super) fn at(&self, path: &[String]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, part| node.children()?.get(part))
    }

    pub(super) fn at_mut(&mut self, path: &[String]) -> Option<&mut Node> {
        path.iter().try_fold(&mut self.root, |node, part| node.children_mut()?.get_mut(part))
    }

    /// The names in a directory.
    pub(super) fn names(&self, path: &[String]) -> Vec<String> {
        self.at(path)
            .and_then(Node::children)
            .map(|names| names.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Puts an entry below a directory that exists, in place of what has the name. A directory over a directory changes
    /// its attributes only. False if there is no such directory.
    pub(super) fn put(&mut self, path: &[String], node: Node) -> bool {
        let Some((name, above)) = path.split_last() else {
            self.root.attributes = node.attributes;
            return node.children().is_some();
        };
        let Some(children) = self.at_mut(above).and_then(Node::children_mut) else { return false };
        match children.get_mut(name) {
            Some(old) if old.children().is_some() && node.children().is_some() => {
                old.attributes = node.attributes;
            }
            _ => {
                children.insert(name.clone(), node);
            }
        }
        true
    }

    /// Makes directories where there is nothing.
    pub(super) fn make_directories(&mut self, path: &[String], mode: u32) {
        for length in 1..=path.len() {
            let path = path.get(..length).unwrap_or_default();
            if self.at(path).is_none() {
                self.put(path, Node::directory(Attributes::of(mode)));
            }
        }
    }

    /// A copy of what is below a directory.
    pub(super) fn below(&self, path: &[String]) -> Self {
        match self.at(path) {
            Some(node) if node.children().is_some() => Self { root: node.clone() },
            _ => Self::new(),
        }
    }
}

/// A tree that several containers may have.
#[derive(Debug, Clone)]
pub(super) struct SharedTree(Arc<Mutex<Tree>>);

impl SharedTree {
    pub(super) fn new(tree: Tree) -> Self {
        Self(Arc::new(Mutex::new(tree)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
