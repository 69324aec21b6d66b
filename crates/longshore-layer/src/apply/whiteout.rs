//! Whiteouts: what a layer says to be gone of the layers below.
//!
//! Whiteouts concern lower layers only, wherever in the archive they stand, as the image specification asks: what the
//! same layer brings stays. So a directory that is whited out and brought anew becomes opaque, and below an opaque
//! directory whiteouts are left out, where overlayfs would show some of them as files.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags, XattrFlags, fsetxattr, mknodat, openat};
use rustix::io::Errno;

use super::path::EntryPath;
use super::place::Place;
use super::tree;
use super::unpack::Unpacker;
use super::{ApplyError, Whiteouts};
use crate::archive::Entry;

const PREFIX: &[u8] = b".wh.";
const META_PREFIX: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What a name means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Nothing but itself.
    None,
    /// What aufs kept for itself.
    Ignored,
    /// This directory hides everything of lower layers.
    Opaque(EntryPath),
    /// This is gone.
    Whiteout(EntryPath),
}

impl Mark {
    /// Tells the meaning, or why the name has none.
    pub(crate) fn of(path: &EntryPath) -> Result<Self, &'static str> {
        if path.is_root() {
            return Ok(Self::None);
        }
        let (name, parent) = (path.name(), path.parent());
        if parent.components().any(|component| component.starts_with(META_PREFIX)) {
            return Ok(Self::Ignored);
        }
        if parent.components().any(|component| component.starts_with(PREFIX)) {
            return Err("it is below a whiteout");
        }
        match name {
            OPAQUE => Ok(Self::Opaque(parent)),
            name if name.starts_with(META_PREFIX) => Ok(Self::Ignored),
            name => match name.strip_prefix(PREFIX) {
                None => Ok(Self::None),
                // A file system would take the latter two for the directory itself and the one above.
                Some(b"" | b"." | b"..") => Err("it is a whiteout of nothing"),
                Some(hidden) => Ok(Self::Whiteout(parent.child(hidden))),
            },
        }
    }
}

impl Unpacker<'_> {
    /// Hides one name of the lower layers.
    pub(super) fn whiteout(&mut self, path: &EntryPath, entry: &Entry) -> Result<(), ApplyError> {
        if self.options.whiteouts == Whiteouts::Delete {
            return self.delete(path, entry);
        }
        let place = self.place(path, &entry.path)?;
        self.settle(&place.path)?;
        if self.below_opaque(&place.path) {
            return Ok(());
        }
        let existing = tree::kind(&place.directory, place.path.name())
            .map_err(|source| ApplyError::system("examine", &entry.path, source))?;
        match existing {
            Some(FileType::Directory) => self.mark_opaque(&place.path, &entry.path),
            // Either it is whited out already, or brought by this layer, which hides what is below.
            Some(_) => Ok(()),
            None => {
                self.make_whiteout(&place, &entry.path)?;
                self.remember(place.path.as_bytes().len() + 64, &entry.path)?;
                self.whiteouts.insert(place.path);
                Ok(())
            }
        }
    }

    /// Hides everything that lower layers have in a directory.
    pub(super) fn opaque(&mut self, path: &EntryPath, entry: &Entry) -> Result<(), ApplyError> {
        if self.options.whiteouts == Whiteouts::Delete {
            self.drain()?;
            let failed = |source| ApplyError::system("empty the directory of", &entry.path, source);
            return match self.tree.existing(path).map_err(failed)? {
                Some(directory) => self.clear(&directory, path, &entry.path),
                None => Ok(()),
            };
        }
        let place = self.descend(path, &entry.path)?;
        self.mark_opaque(&place.path, &entry.path)
    }

    /// Takes a whiteout of this layer away, because something is made in its place.
    pub(super) fn uncover(
        &mut self,
        path: &EntryPath,
        directory: &OwnedFd,
        entry: &[u8],
    ) -> Result<bool, ApplyError> {
        let hidden = self.whiteouts.remove(path);
        if hidden {
            tree::remove(directory, path.name())
                .map_err(|source| ApplyError::system("replace the whiteout of", entry, source))?;
        }
        Ok(hidden)
    }

    /// Marks a directory of this layer, and removes whiteouts that are of no use any more.
    pub(super) fn mark_opaque(&mut self, path: &EntryPath, entry: &[u8]) -> Result<(), ApplyError> {
        let failed =
            |source: std::io::Error| ApplyError::system("mark the opaque directory of", entry, source);
        self.set_mark(path, b"overlay.opaque", b"y", entry)?;
        self.remember(path.as_bytes().len() + 64, entry)?;
        self.opaque.insert(path.clone());
        for gone in path.below_in(&self.whiteouts) {
            if let Some(directory) = self.tree.existing(&gone.parent()).map_err(failed)? {
                tree::remove(&directory, gone.name()).map_err(failed)?;
            }
            self.whiteouts.remove(&gone);
        }
        Ok(())
    }

    fn below_opaque(&self, path: &EntryPath) -> bool {
        let mut at = path.clone();
        while !self.opaque.is_empty() && !at.is_root() {
            at = at.parent();
            if self.opaque.contains(&at) {
                return true;
            }
        }
        false
    }

    fn make_whiteout(&mut self, place: &Place, entry: &[u8]) -> Result<(), ApplyError> {
        let Place { directory, path } = place;
        if self.options.whiteouts == Whiteouts::OverlayFiles {
            return self.make_file_whiteout(place, entry);
        }
        match mknodat(directory, path.name(), FileType::CharacterDevice, Mode::empty(), 0) {
            Ok(()) => Ok(()),
            Err(Errno::PERM) if self.options.whiteouts == Whiteouts::OverlayUser => {
                self.make_file_whiteout(place, entry)
            }
            Err(source) => Err(ApplyError::system("make the whiteout", entry, source)),
        }
    }

    /// Makes the form of a whiteout that needs no rights: an empty file with an attribute, in a marked directory.
    fn make_file_whiteout(&mut self, place: &Place, entry: &[u8]) -> Result<(), ApplyError> {
        let failed = |source: Errno| ApplyError::system("make the whiteout", entry, source);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&place.directory, place.path.name(), flags, Mode::RUSR).map_err(failed)?;
        fsetxattr(&file, "user.overlay.whiteout", b"y", XattrFlags::empty()).map_err(failed)?;
        self.set_mark(&place.path.parent(), b"overlay.opaque", b"x", entry)
    }

    /// Sets an attribute for overlayfs on a directory of this layer.
    fn set_mark(
        &mut self,
        path: &EntryPath,
        name: &[u8],
        value: &[u8],
        entry: &[u8],
    ) -> Result<(), ApplyError> {
        let failed = |source: std::io::Error| ApplyError::system("mark the directory of", entry, source);
        let Some(parent) = self.tree.existing(&path.parent()).map_err(failed)? else { return Ok(()) };
        let own = if path.is_root() { b"." } else { path.name() };
        let directory = tree::readable(&parent, own).map_err(failed)?;
        let space: &[u8] = if self.options.whiteouts == Whiteouts::Overlay { b"trusted." } else { b"user." };
        let name = [space, name].concat();
        fsetxattr(&directory, name.as_slice(), value, XattrFlags::empty())
            .map_err(|source| failed(source.into()))
    }

    /// Removes one name of the lower layers from a whole tree.
    fn delete(&mut self, path: &EntryPath, entry: &Entry) -> Result<(), ApplyError> {
        self.drain()?;
        let failed = |source| ApplyError::system("remove what is hidden by", &entry.path, source);
        let Some(directory) = self.tree.existing(&path.parent()).map_err(failed)? else { return Ok(()) };
        if !self.touched.contains(path) {
            return self.remove_tree(path, &directory, &entry.path);
        }
        match tree::look(&directory, path.name()).map_err(failed)? {
            tree::Child::Directory(kept) => self.clear(&kept, path, &entry.path),
            _ => Ok(()),
        }
    }

    /// Removes what is in a directory and does not come from this layer.
    fn clear(&mut self, directory: &Arc<OwnedFd>, path: &EntryPath, entry: &[u8]) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::system("empty the directory of", entry, source);
        let opened = tree::readable(directory, b".").map_err(failed)?;
        for name in tree::names(&opened).map_err(failed)? {
            let child = path.child(&name);
            if !self.touched.contains(&child) {
                self.remove_tree(&child, directory, entry)?;
            } else if let tree::Child::Directory(kept) = tree::look(directory, &name).map_err(failed)? {
                self.clear(&kept, &child, entry)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks() {
        let path = |text: &str| EntryPath::parse(text.as_bytes()).unwrap();
        let table = [
            ("a/b", Ok(Mark::None)),
            ("a/.wh.b", Ok(Mark::Whiteout(path("a/b")))),
            (".wh.b", Ok(Mark::Whiteout(path("b")))),
            ("a/.wh..wh..opq", Ok(Mark::Opaque(path("a")))),
            (".wh..wh..opq", Ok(Mark::Opaque(path("")))),
            (".wh..wh.plnk/1.2", Ok(Mark::Ignored)),
            (".wh..wh.aufs", Ok(Mark::Ignored)),
            ("a/.wh...", Err("it is a whiteout of nothing")),
            ("a/.wh..", Err("it is a whiteout of nothing")),
            ("a/.wh.", Err("it is a whiteout of nothing")),
            (".wh.a/b", Err("it is below a whiteout")),
            (".what", Ok(Mark::None)),
        ];
        for (name, expected) in table {
            assert_eq!(Mark::of(&path(name)), expected, "{name}");
        }
    }
}
