//! Where entries go: directories on the way are entered or made, and what has an entry's name makes way for it.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{FileType, Mode, mkdirat};
use rustix::io::Errno;

use super::ApplyError;
use super::attributes::Attributes;
use super::path::EntryPath;
use super::tree::{self, Child};
use super::unpack::{Directory, Unpacker};
use crate::archive::shown;

/// How many links may be followed on the way to one directory, as in the kernel.
const MOST_LINKS: usize = 40;

/// A name's place: the directory it is in, and the path to it without links.
pub(super) struct Place {
    pub(super) directory: Arc<OwnedFd>,
    pub(super) path: EntryPath,
}

impl Unpacker<'_> {
    /// Finds where an entry goes. Directories on the way that are missing are made.
    pub(super) fn place(&mut self, path: &EntryPath, entry: &[u8]) -> Result<Place, ApplyError> {
        let parent = path.parent();
        if let Some(directory) = self.tree.kept(&parent) {
            return Ok(Place { directory, path: path.clone() });
        }
        let Place { directory, path: parent } = self.descend(&parent, entry)?;
        Ok(Place { directory, path: parent.child(path.name()) })
    }

    /// Opens a directory one component after the other, making what is missing and following links that stay inside.
    pub(super) fn descend(&mut self, path: &EntryPath, entry: &[u8]) -> Result<Place, ApplyError> {
        let (mut at, mut directory) = self.tree.nearest(path);
        let done = at.components().count();
        let mut rest: VecDeque<Vec<u8>> = path.components().skip(done).map(<[u8]>::to_vec).collect();
        let (mut links, mut last_link) = (0, EntryPath::default());
        while let Some(name) = rest.pop_front() {
            let escapes = |link: &EntryPath| ApplyError::EscapeThroughLink {
                entry: shown(entry),
                link: shown(link.as_bytes()),
            };
            if name == b".." {
                // Only texts of links bring these in.
                if at.is_root() {
                    return Err(escapes(&last_link));
                }
                at = at.parent();
                directory = self.reopen(&at, entry)?;
                continue;
            }
            let next = Place { directory: Arc::clone(&directory), path: at.child(&name) };
            match self.enter(&next, entry)? {
                Child::Directory(child) => (directory, at) = (child, next.path),
                Child::Symlink(text) => {
                    links += 1;
                    if text.starts_with(b"/") || links > MOST_LINKS {
                        return Err(escapes(&next.path));
                    }
                    let parts = text.split(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
                    parts.rev().for_each(|part| rest.push_front(part.to_vec()));
                    last_link = next.path;
                }
                Child::Missing | Child::Other => {
                    return Err(ApplyError::NotADirectory {
                        entry: shown(entry),
                        parent: shown(next.path.as_bytes()),
                    });
                }
            }
        }
        Ok(Place { directory, path: at })
    }

    /// Opens the directory at a place, or makes it.
    fn enter(&mut self, place: &Place, entry: &[u8]) -> Result<Child, ApplyError> {
        if let Some(directory) = self.tree.kept(&place.path) {
            return Ok(Child::Directory(directory));
        }
        self.settle(&place.path)?;
        let open = |source| ApplyError::system("open a directory on the way to", entry, source);
        let mut child = tree::look(&place.directory, place.path.name()).map_err(open)?;
        let hidden = self.whiteouts.contains(&place.path);
        if hidden || matches!(child, Child::Missing) {
            self.make_directory(place, entry)?;
            self.remember(place.path.as_bytes().len(), entry)?;
            let implied = Directory { attributes: Attributes::implied(), implied: true };
            self.directories.insert(place.path.clone(), implied);
            child = tree::look(&place.directory, place.path.name()).map_err(open)?;
        }
        if let Child::Directory(directory) = &child {
            self.tree.keep(place.path.clone(), Arc::clone(directory));
        }
        Ok(child)
    }

    fn reopen(&mut self, path: &EntryPath, entry: &[u8]) -> Result<Arc<OwnedFd>, ApplyError> {
        let opened = self.tree.existing(path);
        let opened =
            opened.map_err(|source| ApplyError::system("open a directory on the way to", entry, source))?;
        opened
            .ok_or_else(|| ApplyError::NotADirectory { entry: shown(entry), parent: shown(path.as_bytes()) })
    }

    /// Makes a directory, in place of anything that is none.
    pub(super) fn make_directory(&mut self, place: &Place, entry: &[u8]) -> Result<(), ApplyError> {
        let failed = |source: std::io::Error| ApplyError::system("make the directory", entry, source);
        let Place { directory, path } = place;
        let hidden = self.uncover(path, directory, entry)?;
        match mkdirat(directory, path.name(), Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                let kind = tree::kind(directory, path.name()).map_err(failed)?;
                if kind != Some(FileType::Directory) {
                    tree::remove(directory, path.name()).map_err(failed)?;
                    mkdirat(directory, path.name(), Mode::RWXU).map_err(|source| failed(source.into()))?;
                }
            }
            Err(source) => return Err(failed(source.into())),
        }
        self.touch(path);
        if hidden { self.mark_opaque(path, entry) } else { Ok(()) }
    }

    /// Readies a name for something that is no directory.
    pub(super) fn make_way(
        &mut self,
        path: &EntryPath,
        directory: &OwnedFd,
        entry: &[u8],
    ) -> Result<(), ApplyError> {
        self.settle(path)?;
        self.uncover(path, directory, entry)?;
        if self.directories.contains_key(path) || self.is_lower_directory(path, directory, entry)? {
            self.drain()?;
            self.remove_tree(path, directory, entry)?;
        }
        self.touch(path);
        self.remember(0, entry)
    }

    /// Whether a directory of the lower layers stands there, which is possible only in a whole tree.
    fn is_lower_directory(
        &self,
        path: &EntryPath,
        directory: &OwnedFd,
        entry: &[u8],
    ) -> Result<bool, ApplyError> {
        if !self.options.whiteouts.is_tree() {
            return Ok(false);
        }
        let kind = tree::kind(directory, path.name());
        Ok(kind.map_err(|source| ApplyError::system("examine", entry, source))? == Some(FileType::Directory))
    }

    /// Removes something with all that is in it, and forgets about that.
    pub(super) fn remove_tree(
        &mut self,
        path: &EntryPath,
        directory: &OwnedFd,
        entry: &[u8],
    ) -> Result<(), ApplyError> {
        tree::remove(directory, path.name())
            .map_err(|source| ApplyError::system("replace what is under the name of", entry, source))?;
        self.tree.forget();
        self.directories.remove(path);
        let below =
            self.directories.range(path.first_below()..).take_while(|(other, _)| other.is_below(path));
        for gone in below.map(|(other, _)| other.clone()).collect::<Vec<_>>() {
            self.directories.remove(&gone);
        }
        for set in [&mut self.whiteouts, &mut self.opaque, &mut self.touched] {
            set.remove(path);
            for gone in path.below_in(set) {
                set.remove(&gone);
            }
        }
        Ok(())
    }
}
