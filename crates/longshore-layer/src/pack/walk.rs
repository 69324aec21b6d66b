//! Walking a tree in order and writing an entry for everything in it.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, major, minor, openat, readlinkat, statat};

use super::hashed::HashedWriter;
use super::{PackError, PackOptions, TreeForm};
use crate::Ownership;
use crate::apply::{is_overlay, names, readable};
use crate::archive::{ArchiveError, Builder, Device, Entry, EntryKind, Timestamp, shown};
use crate::xattr;

type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// The state of packing one tree.
pub(super) struct Walk<'a, 'scope, W> {
    builder: Builder<HashedWriter<'scope, W>>,
    options: &'a PackOptions,
    exclude: HashSet<Vec<u8>>,
    /// Files with several names, and the first of these.
    links: HashMap<(u64, u64), Vec<u8>>,
    entries: u64,
}

/// Something in the tree.
struct Found<'a> {
    directory: &'a OwnedFd,
    name: &'a [u8],
    path: Vec<u8>,
    stat: Stat,
}

impl<'a, 'scope, W: Write> Walk<'a, 'scope, W> {
    pub(super) fn new(writer: HashedWriter<'scope, W>, options: &'a PackOptions) -> Self {
        let exclude = options.exclude.iter().map(|path| {
            let components = path.components().filter_map(|component| match component {
                std::path::Component::Normal(name) => Some(name.as_bytes()),
                _ => None,
            });
            components.collect::<Vec<_>>().join(&b'/')
        });
        Self {
            builder: Builder::new(writer),
            options,
            exclude: exclude.collect(),
            links: HashMap::new(),
            entries: 0,
        }
    }

    /// Packs everything below the root; gives the number of entries.
    pub(super) fn run(mut self, root: &Path) -> Result<(u64, HashedWriter<'scope, W>), PackError> {
        let failed = |source: io::Error| PackError::Root { path: root.to_owned(), source };
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(root, flags, Mode::empty()).map_err(|source| failed(source.into()))?;
        let xattrs = xattr::of(&opened).map_err(failed)?;
        if self.is_opaque(&xattrs) {
            self.mark(b".wh..wh..opq".to_vec(), Timestamp::default())?;
        }
        self.directory(&opened, b"")?;
        Ok((self.entries, self.builder.finish()?))
    }

    fn directory(&mut self, directory: &OwnedFd, path: &[u8]) -> Result<(), PackError> {
        let names = names(directory).map_err(read("read the directory", path))?;
        for name in names {
            let path = if path.is_empty() { name.clone() } else { [path, b"/", &name].concat() };
            if self.exclude.contains(&path) {
                continue;
            }
            let stat = statat(directory, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|source| read("examine", &path)(source.into()))?;
            self.found(&Found { directory, name: &name, path, stat })?;
        }
        Ok(())
    }

    fn found(&mut self, found: &Found<'_>) -> Result<(), PackError> {
        let kind = FileType::from_raw_mode(found.stat.st_mode);
        if kind == FileType::Socket {
            return Ok(());
        }
        let device = Device { major: major(found.stat.st_rdev), minor: minor(found.stat.st_rdev) };
        let is_overlay = matches!(self.options.tree, TreeForm::Overlay | TreeForm::OverlayUser);
        if is_overlay && kind == FileType::CharacterDevice && device == (Device { major: 0, minor: 0 }) {
            return self.whiteout(found);
        }
        if self.options.tree != TreeForm::Literal && found.name.starts_with(b".wh.") {
            return Err(PackError::Reserved { entry: shown(&found.path) });
        }
        match kind {
            FileType::Directory => self.subdirectory(found),
            FileType::RegularFile => self.file(found),
            FileType::Symlink => {
                let text = readlinkat(found.directory, found.name, Vec::new())
                    .map_err(|source| read("read the link", &found.path)(source.into()))?;
                self.place(found, EntryKind::Symlink(text.into_bytes()))
            }
            FileType::CharacterDevice => self.place(found, EntryKind::CharacterDevice(device)),
            FileType::BlockDevice => self.place(found, EntryKind::BlockDevice(device)),
            FileType::Fifo => self.place(found, EntryKind::Fifo),
            _ => Err(PackError::Changed { entry: shown(&found.path) }),
        }
    }

    fn subdirectory(&mut self, found: &Found<'_>) -> Result<(), PackError> {
        let opened = readable(found.directory, found.name).map_err(read("open", &found.path))?;
        let xattrs = xattr::of(&opened).map_err(read("read the attributes of", &found.path))?;
        self.not_redirected(&xattrs, &found.path)?;
        let opaque = self.is_opaque(&xattrs);
        let mut entry =
            self.entry(&found.stat, [&found.path, b"/".as_slice()].concat(), EntryKind::Directory);
        entry.xattrs = own(xattrs);
        self.append(&entry, io::empty())?;
        if opaque {
            self.mark([&found.path, b"/.wh..wh..opq".as_slice()].concat(), entry.modified)?;
        }
        self.directory(&opened, &found.path)
    }

    fn file(&mut self, found: &Found<'_>) -> Result<(), PackError> {
        // Should a pipe have come into the file's place, opening it must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = openat(found.directory, found.name, flags, Mode::empty())
            .map_err(|source| read("open", &found.path)(source.into()))?;
        let stat = fstat(&opened).map_err(|source| read("examine", &found.path)(source.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(PackError::Changed { entry: shown(&found.path) });
        }
        let xattrs = xattr::of(&opened).map_err(read("read the attributes of", &found.path))?;
        if stat.st_size == 0 && self.has(&xattrs, b"overlay.whiteout") {
            return self.whiteout(found);
        }
        if self.linked(found)? {
            return Ok(());
        }
        self.not_redirected(&xattrs, &found.path)?;
        let mut entry = self.entry(&stat, found.path.clone(), EntryKind::File);
        entry.size = stat.st_size.unsigned_abs();
        entry.xattrs = own(xattrs);
        self.append(&entry, File::from(opened))
    }

    /// Packs something that is no file and no directory.
    fn place(&mut self, found: &Found<'_>, kind: EntryKind) -> Result<(), PackError> {
        if self.linked(found)? {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = openat(found.directory, found.name, flags, Mode::empty())
            .map_err(|source| read("open", &found.path)(source.into()))?;
        let mut entry = self.entry(&found.stat, found.path.clone(), kind);
        entry.xattrs = own(xattr::of_place(&opened).map_err(read("read the attributes of", &found.path))?);
        self.append(&entry, io::empty())
    }

    /// Packs a further name of a file as a link to the first one.
    fn linked(&mut self, found: &Found<'_>) -> Result<bool, PackError> {
        if found.stat.st_nlink < 2 {
            return Ok(false);
        }
        let inode = (found.stat.st_dev, found.stat.st_ino);
        let Some(first) = self.links.get(&inode).cloned() else {
            self.links.insert(inode, found.path.clone());
            return Ok(false);
        };
        let entry = self.entry(&found.stat, found.path.clone(), EntryKind::HardLink(first));
        self.append(&entry, io::empty())?;
        Ok(true)
    }

    fn whiteout(&mut self, found: &Found<'_>) -> Result<(), PackError> {
        let parent = found.path.len() - found.name.len();
        let path = [&found.path[..parent], b".wh.", found.name].concat();
        self.mark(path, self.time(&found.stat))
    }

    /// An empty file whose name says something.
    fn mark(&mut self, path: Vec<u8>, modified: Timestamp) -> Result<(), PackError> {
        let entry = Entry { modified, ..Entry::new(path, EntryKind::File) };
        self.append(&entry, io::empty())
    }

    fn entry(&self, stat: &Stat, path: Vec<u8>, kind: EntryKind) -> Entry {
        let mut entry = Entry::new(path, kind);
        entry.mode = stat.st_mode & 0o7777;
        if self.options.ownership == Ownership::Keep {
            (entry.uid, entry.gid) = (stat.st_uid, stat.st_gid);
        }
        entry.modified = self.time(stat);
        entry
    }

    fn time(&self, stat: &Stat) -> Timestamp {
        let nanoseconds = if self.options.fractions { stat.st_mtime_nsec as u32 } else { 0 };
        let time = Timestamp { seconds: stat.st_mtime, nanoseconds };
        self.options.latest_time.map_or(time, |latest| time.min(latest))
    }

    fn append(&mut self, entry: &Entry, content: impl io::Read) -> Result<(), PackError> {
        self.entries += 1;
        match self.builder.append(entry, content) {
            Err(ArchiveError::ContentLength { entry, .. }) => Err(PackError::Changed { entry }),
            result => Ok(result?),
        }
    }

    fn is_opaque(&self, xattrs: &Xattrs) -> bool {
        let opaque = |(name, value): &(Vec<u8>, Vec<u8>)| self.is(name, b"overlay.opaque") && value == b"y";
        xattrs.iter().any(opaque)
    }

    fn has(&self, xattrs: &Xattrs, name: &[u8]) -> bool {
        xattrs.iter().any(|(other, _)| self.is(other, name))
    }

    /// Whether an attribute is this one of overlayfs, in the name space that the tree's form uses.
    fn is(&self, attribute: &[u8], name: &[u8]) -> bool {
        let space: &[u8] = match self.options.tree {
            TreeForm::Plain | TreeForm::Literal => return false,
            TreeForm::Overlay => b"trusted.",
            TreeForm::OverlayUser => b"user.",
        };
        attribute.strip_prefix(space) == Some(name)
    }

    fn not_redirected(&self, xattrs: &Xattrs, path: &[u8]) -> Result<(), PackError> {
        let redirected = self.has(xattrs, b"overlay.redirect") || self.has(xattrs, b"overlay.metacopy");
        if redirected { Err(PackError::Redirected { entry: shown(path) }) } else { Ok(()) }
    }
}

/// Attributes without those that overlayfs keeps for itself and those that belong to this machine.
fn own(xattrs: Xattrs) -> Xattrs {
    xattrs.into_iter().filter(|(name, _)| !is_overlay(name) && name != b"security.selinux").collect()
}

fn read(action: &'static str, path: &[u8]) -> impl FnOnce(io::Error) -> PackError {
    let entry = shown(path);
    move |source| PackError::Read { action, entry, source }
}
