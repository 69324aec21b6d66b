//! The parser's side: takes entries in order, decides where each goes, and makes or hands out what it says.
//!
//! Directories are made at once and get their attributes at the end, children first: their times would change again,
//! their modes may forbid making anything in them, and their default access rules would spread to what is made.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, ftruncate, linkat, makedev, mknodat, seek};

use super::attributes::{AttributePolicy, Attributes};
use super::path::EntryPath;
use super::place::Place;
use super::stream::ChunkReader;
use super::tree::{self, Tree};
use super::whiteout::Mark;
use super::writer::{self, Crew, Job, Made};
use super::{ApplyError, ApplyOptions, Devices, Whiteouts};
use crate::archive::{Device, Entries, Entry, EntryKind, shown};

/// Files up to this size are made by the crew; larger ones are written by the parser as their content arrives.
const SMALL_FILE: u64 = 256 << 10;
/// How many names may be under way before the crew is waited for.
const MOST_PENDING: usize = 16 << 10;
/// How much memory may go into remembering names and attributes for later.
const MOST_REMEMBERED: u64 = 512 << 20;
/// The longest text of a link, and the longest component, that Linux takes.
const LONGEST_LINK: usize = 4095;
const LONGEST_COMPONENT: usize = 255;

/// The state of unpacking one layer.
pub(crate) struct Unpacker<'a> {
    entries: Entries<ChunkReader>,
    pub(super) tree: Tree,
    crew: Crew,
    pub(super) options: &'a ApplyOptions,
    pub(super) policy: Arc<AttributePolicy>,
    /// Names handed to the crew since it was idle.
    pending: HashSet<EntryPath>,
    /// Directories of this layer.
    pub(super) directories: BTreeMap<EntryPath, Directory>,
    /// Whiteouts that were made and not replaced.
    pub(super) whiteouts: BTreeSet<EntryPath>,
    /// Directories under which nothing of lower layers is seen.
    pub(super) opaque: BTreeSet<EntryPath>,
    /// What comes from this layer, and what holds it; kept only if whiteouts remove things.
    pub(super) touched: BTreeSet<EntryPath>,
    remembered: u64,
    count: u64,
    file_bytes: u64,
}

/// A directory that was made, and what it will be given at the end.
pub(crate) struct Directory {
    pub(super) attributes: Attributes,
    /// It has no entry.
    pub(super) implied: bool,
}

/// What the parser found.
pub(crate) struct Unpacked {
    pub(crate) entries: u64,
    pub(crate) file_bytes: u64,
    pub(crate) implied_directories: Vec<PathBuf>,
    pub(crate) opaque_root: bool,
}

impl<'a> Unpacker<'a> {
    pub(crate) fn new(
        entries: Entries<ChunkReader>,
        tree: Tree,
        crew: Crew,
        options: &'a ApplyOptions,
        policy: Arc<AttributePolicy>,
    ) -> Self {
        Self {
            entries,
            tree,
            crew,
            options,
            policy,
            pending: HashSet::new(),
            directories: BTreeMap::new(),
            whiteouts: BTreeSet::new(),
            opaque: BTreeSet::new(),
            touched: BTreeSet::new(),
            remembered: 0,
            count: 0,
            file_bytes: 0,
        }
    }

    /// Unpacks all entries and reads the stream to its end.
    pub(crate) fn run(mut self) -> Result<Unpacked, ApplyError> {
        while let Some(entry) = self.entries.next_entry()? {
            self.count += 1;
            if self.count > self.options.limits.entries {
                return Err(ApplyError::limit("entries", self.options.limits.entries, &entry.path));
            }
            self.entry(&entry)?;
        }
        self.drain()?;
        self.finish_directories()?;
        self.entries.drain()?;
        let implied = self.directories.iter().filter(|(_, directory)| directory.implied);
        let implied_directories = implied.map(|(path, _)| path_buf(path)).collect();
        Ok(Unpacked {
            entries: self.count,
            file_bytes: self.file_bytes,
            implied_directories,
            opaque_root: self.opaque.contains(&EntryPath::default()),
        })
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let limits = &self.options.limits;
        if entry.path.len() > limits.path_bytes {
            return Err(ApplyError::limit("bytes in a name", limits.path_bytes as u64, &entry.path));
        }
        if entry.size > limits.file_bytes {
            return Err(ApplyError::limit("bytes in a file", limits.file_bytes, &entry.path));
        }
        let path = EntryPath::parse(&entry.path).map_err(|refused| refused.error(&entry.path))?;
        if path.components().any(|component| component.len() > LONGEST_COMPONENT) {
            return Err(refused(entry, "a part of its name is longer than 255 bytes"));
        }
        let mark = match self.options.whiteouts {
            Whiteouts::Literal => Mark::None,
            _ => Mark::of(&path).map_err(|reason| refused(entry, reason))?,
        };
        match mark {
            Mark::None => {}
            Mark::Ignored => return Ok(()),
            Mark::Opaque(directory) => return self.opaque(&directory, entry),
            Mark::Whiteout(hidden) => return self.whiteout(&hidden, entry),
        }
        if path.is_root() {
            return self.root(entry);
        }
        match &entry.kind {
            EntryKind::Directory => self.directory(&path, entry),
            EntryKind::File => self.file(&path, entry),
            EntryKind::Symlink(text) => self.symlink(&path, text, entry),
            EntryKind::HardLink(target) => self.hard_link(&path, target, entry),
            EntryKind::CharacterDevice(device) if self.is_whiteout(*device) => self.whiteout(&path, entry),
            EntryKind::CharacterDevice(device) => {
                self.device(&path, FileType::CharacterDevice, Some(*device), entry)
            }
            EntryKind::BlockDevice(device) => self.device(&path, FileType::BlockDevice, Some(*device), entry),
            EntryKind::Fifo => self.device(&path, FileType::Fifo, None, entry),
        }
    }

    /// The device 0:0 is a whiteout to overlayfs, wherever it comes from.
    fn is_whiteout(&self, device: Device) -> bool {
        !self.options.whiteouts.is_tree() && device == Device { major: 0, minor: 0 }
    }

    /// The entry of the target itself.
    fn root(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        if entry.kind != EntryKind::Directory {
            return Err(refused(entry, "the root of the layer can only be a directory"));
        }
        self.record(EntryPath::default(), Attributes::of(entry), entry)
    }

    fn directory(&mut self, path: &EntryPath, entry: &Entry) -> Result<(), ApplyError> {
        let place = self.place(path, &entry.path)?;
        self.settle(&place.path)?;
        if !self.directories.contains_key(&place.path) {
            self.make_directory(&place, &entry.path)?;
        }
        self.record(place.path, Attributes::of(entry), entry)
    }

    fn record(&mut self, path: EntryPath, attributes: Attributes, entry: &Entry) -> Result<(), ApplyError> {
        self.touch(&path);
        let xattrs: usize = attributes.xattrs.iter().map(|(name, value)| name.len() + value.len() + 48).sum();
        self.remember(path.as_bytes().len() + xattrs, &entry.path)?;
        self.directories.insert(path, Directory { attributes, implied: false });
        Ok(())
    }

    fn file(&mut self, path: &EntryPath, entry: &Entry) -> Result<(), ApplyError> {
        let Place { directory, path } = self.place(path, &entry.path)?;
        self.make_way(&path, &directory, &entry.path)?;
        let attributes = Attributes::of(entry);
        self.file_bytes = self.file_bytes.saturating_add(entry.size);
        if entry.size > SMALL_FILE || entry.segments.is_some() {
            let file = writer::create_file(&directory, &path)?;
            self.stream_content(&file, entry)?;
            return self.policy.set_file(&file, &attributes, &entry.path);
        }
        let start = self.crew.bytes().len();
        while self.entries.remaining() > 0 {
            let part = self.entries.content()?;
            self.crew.bytes().extend_from_slice(part);
            let length = part.len();
            self.entries.consume_content(length);
        }
        let made = Made::File(start..self.crew.bytes().len());
        self.hand_out(Job { directory, path, attributes, made })
    }

    /// Writes content as it arrives, without a copy in between.
    fn stream_content(&mut self, file: &OwnedFd, entry: &Entry) -> Result<(), ApplyError> {
        let Some(segments) = &entry.segments else {
            return self.stream_bytes(file, entry.size, entry);
        };
        for segment in segments {
            seek(file, rustix::fs::SeekFrom::Start(segment.offset))
                .map_err(|source| ApplyError::system("write", &entry.path, source))?;
            self.stream_bytes(file, segment.length, entry)?;
        }
        ftruncate(file, entry.size)
            .map_err(|source| ApplyError::system("set the size of", &entry.path, source))
    }

    fn stream_bytes(&mut self, file: &OwnedFd, mut left: u64, entry: &Entry) -> Result<(), ApplyError> {
        while left > 0 {
            let part = self.entries.content()?;
            if part.is_empty() {
                return Ok(());
            }
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(part.len());
            writer::write_all(file, part.get(..length).unwrap_or_default(), &entry.path)?;
            self.entries.consume_content(length);
            left -= length as u64;
        }
        Ok(())
    }

    fn symlink(&mut self, path: &EntryPath, text: &[u8], entry: &Entry) -> Result<(), ApplyError> {
        if text.is_empty() || text.len() > LONGEST_LINK || text.contains(&0) {
            return Err(refused(entry, "no symbolic link can have its text"));
        }
        let Place { directory, path } = self.place(path, &entry.path)?;
        self.make_way(&path, &directory, &entry.path)?;
        self.remember(0, &entry.path)?;
        self.hand_out(Job {
            directory,
            path,
            attributes: Attributes::of(entry),
            made: Made::Symlink(text.to_vec()),
        })
    }

    /// Makes another name of an earlier entry, whose attributes stay as they are.
    fn hard_link(&mut self, path: &EntryPath, target: &[u8], entry: &Entry) -> Result<(), ApplyError> {
        let failed =
            |reason| ApplyError::HardLink { entry: shown(&entry.path), target: shown(target), reason };
        let source = EntryPath::parse(target).map_err(|_| failed("leads out of the layer"))?;
        let Place { directory, path } = self.place(path, &entry.path)?;
        self.settle(&source)?;
        if source == path {
            return Err(failed("is the entry itself"));
        }
        let missing = "is not an earlier entry, or is behind a symbolic link";
        let system = |source: std::io::Error| ApplyError::system("make the hard link", &entry.path, source);
        let parent = self.tree.existing(&source.parent()).map_err(system)?.ok_or_else(|| failed(missing))?;
        match tree::kind(&parent, source.name()).map_err(system)? {
            None => return Err(failed(missing)),
            Some(FileType::Directory) => return Err(failed("is a directory")),
            Some(_) if self.whiteouts.contains(&source) => return Err(failed(missing)),
            Some(_) => {}
        }
        if source.is_below(&path) {
            return Err(failed("is inside of what the entry replaces"));
        }
        self.make_way(&path, &directory, &entry.path)?;
        let link = || linkat(&parent, source.name(), &directory, path.name(), AtFlags::empty());
        writer::replacing(&directory, path.name(), link).map_err(system)
    }

    fn device(
        &mut self,
        path: &EntryPath,
        kind: FileType,
        device: Option<Device>,
        entry: &Entry,
    ) -> Result<(), ApplyError> {
        if device.is_some() && self.options.devices == Devices::Refuse {
            return Err(ApplyError::Device { entry: shown(&entry.path) });
        }
        let Place { directory, path } = self.place(path, &entry.path)?;
        self.make_way(&path, &directory, &entry.path)?;
        let number = device.map_or(0, |device| makedev(device.major, device.minor));
        let make = || mknodat(&directory, path.name(), kind, Mode::RUSR | Mode::WUSR, number);
        writer::replacing(&directory, path.name(), make)
            .map_err(|source| ApplyError::system("make the device or pipe", &entry.path, source))?;
        self.policy.set_at(&directory, path.name(), &Attributes::of(entry), false, &entry.path)
    }

    /// Remembers what comes from this layer, if whiteouts ask for it.
    pub(super) fn touch(&mut self, path: &EntryPath) {
        if self.options.whiteouts != Whiteouts::Delete {
            return;
        }
        let mut path = path.clone();
        while !path.is_root() && self.touched.insert(path.clone()) {
            self.remembered += path.as_bytes().len() as u64 + 64;
            path = path.parent();
        }
    }

    /// Charges memory that is held until the end.
    pub(super) fn remember(&mut self, bytes: usize, entry: &[u8]) -> Result<(), ApplyError> {
        self.remembered += bytes as u64;
        if self.remembered > MOST_REMEMBERED {
            return Err(ApplyError::limit("bytes of names", MOST_REMEMBERED, entry));
        }
        Ok(())
    }

    fn hand_out(&mut self, job: Job) -> Result<(), ApplyError> {
        self.pending.insert(job.path.clone());
        self.crew.push(job)?;
        if self.pending.len() >= MOST_PENDING { self.drain() } else { Ok(()) }
    }

    /// Waits for the crew if it may be working on a name.
    pub(super) fn settle(&mut self, path: &EntryPath) -> Result<(), ApplyError> {
        if self.pending.contains(path) { self.drain() } else { Ok(()) }
    }

    /// Waits until the crew is idle.
    pub(super) fn drain(&mut self) -> Result<(), ApplyError> {
        self.pending.clear();
        self.crew.drain()
    }

    /// Gives all directories their attributes, children first.
    fn finish_directories(&mut self) -> Result<(), ApplyError> {
        let directories = std::mem::take(&mut self.directories);
        for (path, record) in directories.iter().rev() {
            let failed = |source: std::io::Error| ApplyError::system("open", path.as_bytes(), source);
            let parent = self.tree.existing(&path.parent()).map_err(failed)?;
            let Some(parent) = parent else { continue };
            let name = if path.is_root() { b"." } else { path.name() };
            let opened = tree::readable(&parent, name).map_err(failed)?;
            self.policy.set_directory(&opened, &record.attributes, path.as_bytes())?;
        }
        self.directories = directories;
        Ok(())
    }
}

fn refused(entry: &Entry, reason: &'static str) -> ApplyError {
    ApplyError::Name { entry: shown(&entry.path), reason }
}

fn path_buf(path: &EntryPath) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from_vec(path.as_bytes().to_vec()))
}
