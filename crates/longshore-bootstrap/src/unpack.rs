//! Packages into a root: what `dpkg --unpack` does, without `dpkg`.
//!
//! Packages are decoded by as many threads as there are processors and written by one, in the order of the list, so
//! that the result does not depend on who was faster. As with `dpkg`, the first package that brings a directory decides
//! on its attributes, a directory is never replaced by a link, and a file that two packages have belongs to the one that
//! `Replaces` the other; if neither does, that is an error.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use longshore_layer::archive::{ArchiveError, Entries, Entry, EntryKind};
use thiserror::Error;

use crate::control::Paragraph;
use crate::deb::{ControlFile, Deb, DebError};
use crate::fetch::FetchError;
use crate::relation::groups;
use crate::rootfs::{Attributes, Root, Standing};

/// The most that one package may hold unpacked.
const MAX_DATA: u64 = 16 << 30;

/// The most files that one package may hold.
const MAX_ENTRIES: usize = 1 << 20;

/// The most that the extended headers of one entry may hold.
const MAX_HEADER: u64 = 1 << 20;

/// The longest path.
const MAX_PATH: usize = 4096;

/// How much is decoded ahead of the writer, for each thread.
const PIECE: usize = 256 << 10;
const PIECES: usize = 64;

/// A package cannot be unpacked.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// It cannot be had.
    #[error("failed to read the package")]
    Fetch(#[source] FetchError),
    /// It is no package.
    #[error("the package cannot be read")]
    Deb(#[source] DebError),
    /// Its control file is not that of the package that was asked for.
    #[error("its control file does not describe `{expected}`")]
    OtherPackage {
        /// Name and version as the index gives them.
        expected: String,
    },
    /// A path leads out of the root or is no path.
    #[error("its path `{0}` leads elsewhere")]
    Path(String),
    /// It holds what packages do not.
    #[error("`{path}` is a {kind}, which a package cannot bring")]
    Kind {
        /// The path.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// It is larger than any real package.
    #[error("it holds more than {0}")]
    TooLarge(&'static str),
    /// The archive within is damaged.
    #[error("its archive of files is damaged")]
    Damaged(#[source] ArchiveError),
    /// The compression around the archive is damaged.
    #[error("its archive of files cannot be decompressed")]
    Decode(#[source] io::Error),
    /// It ends before it begins.
    #[error("it holds no control files")]
    Empty,
    /// A file cannot be written.
    #[error("failed to write `{path}`")]
    Write {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Another package has the same file.
    #[error("it overwrites `{path}` of the package `{other}` and does not say that it replaces it")]
    Overwrites {
        /// The path.
        path: String,
        /// Whose it is.
        other: String,
    },
}

/// A package whose files stand in the root.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) control: BTreeMap<String, ControlFile>,
    /// Its paths in the order of its archive, without a slash in front; the root itself is empty.
    pub(crate) paths: Vec<Vec<u8>>,
}

impl Unpacked {
    /// A control file as text.
    pub(crate) fn control_text(&self, name: &str) -> Option<&str> {
        str::from_utf8(&self.control.get(name)?.bytes).ok()
    }

    /// The package's own description of itself.
    pub(crate) fn paragraph(&self) -> Option<Paragraph<'_>> {
        self.control_text("control").and_then(Paragraph::first)
    }
}

/// What a package is, as far as unpacking must know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

/// What a decoder hands to the writer.
enum Piece {
    Control(BTreeMap<String, ControlFile>),
    Bytes(Vec<u8>),
    Failed(UnpackError),
}

/// Unpacks packages in their order. `content` gives the bytes of one; `done` is called after each.
///
/// An error comes with the name of the package.
pub(crate) fn unpack(
    root: &mut Root,
    packages: &[Subject<'_>],
    aliases: &[&str],
    content: &(dyn Fn(usize) -> Result<Vec<u8>, FetchError> + Sync),
    done: &dyn Fn(&str),
) -> Result<Vec<Unpacked>, (String, UnpackError)> {
    let threads = thread::available_parallelism().map_or(2, usize::from).clamp(2, 16);
    let next = AtomicUsize::new(0);
    let (senders, receivers): (Vec<_>, Vec<_>) =
        packages.iter().map(|_| sync_channel::<Piece>(PIECES)).unzip();
    // Taken by the thread that decodes the package, so that the writer sees its end when the thread is done.
    let senders: Vec<_> = senders.into_iter().map(|sender| std::sync::Mutex::new(Some(sender))).collect();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let sender = senders.get(at).map(|sender| sender.lock().map(|mut sender| sender.take()));
                    match sender {
                        Some(Ok(Some(sender))) => decode(&sender, || content(at)),
                        _ => return,
                    }
                }
            });
        }
        let mut writer =
            Writer { root, aliases, owners: HashMap::new(), unpacked: Vec::new(), names: packages };
        for (package, receiver) in packages.iter().zip(receivers) {
            // An error drops all receivers, at which the decoders stop.
            writer.package(*package, receiver).map_err(|error| (package.name.to_owned(), error))?;
            done(package.name);
        }
        Ok(writer.unpacked)
    })
}

fn decode(sender: &SyncSender<Piece>, content: impl FnOnce() -> Result<Vec<u8>, FetchError>) {
    let decoded = (|| {
        let bytes = content().map_err(UnpackError::Fetch)?;
        let deb = Deb::read(&bytes).map_err(UnpackError::Deb)?;
        if sender.send(Piece::Control(deb.control_files().map_err(UnpackError::Deb)?)).is_err() {
            return Ok(());
        }
        let mut data = deb.data().map_err(UnpackError::Deb)?;
        let mut total = 0;
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let count =
                data.by_ref().take(PIECE as u64).read_to_end(&mut piece).map_err(UnpackError::Decode)?;
            total += count as u64;
            if total > MAX_DATA {
                return Err(UnpackError::TooLarge("16 GiB"));
            }
            if count == 0 || sender.send(Piece::Bytes(piece)).is_err() {
                return Ok(());
            }
        }
    })();
    if let Err(error) = decoded {
        // If nobody listens, another error was first.
        let _ = sender.send(Piece::Failed(error));
    }
}

/// The pieces of one package as one stream.
struct Pieces {
    receiver: Receiver<Piece>,
    current: io::Cursor<Vec<u8>>,
    failure: Option<UnpackError>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.fill_buf()?.is_empty() {
            match self.receiver.recv() {
                Ok(Piece::Bytes(bytes)) => self.current = io::Cursor::new(bytes),
                Ok(Piece::Failed(failure)) => {
                    self.failure = Some(failure);
                    return Err(io::Error::other("the decoder failed"));
                }
                Ok(Piece::Control(_)) | Err(_) => break,
            }
        }
        self.current.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.current.consume(count);
    }
}

struct Writer<'r, 'p> {
    root: &'r mut Root,
    /// Directories at the top that are links into `/usr`.
    aliases: &'p [&'p str],
    /// Which package a file is of.
    owners: HashMap<Vec<u8>, usize>,
    unpacked: Vec<Unpacked>,
    names: &'p [Subject<'p>],
}

impl Writer<'_, '_> {
    fn package(&mut self, package: Subject<'_>, receiver: Receiver<Piece>) -> Result<(), UnpackError> {
        let control = match receiver.recv() {
            Ok(Piece::Control(control)) => control,
            Ok(Piece::Failed(error)) => return Err(error),
            _ => return Err(UnpackError::Empty),
        };
        let mut unpacked = Unpacked { control, paths: Vec::new() };
        let own = unpacked.paragraph();
        let is = |field, value| own.is_some_and(|own| own.field(field) == Some(value));
        if !is("Package", package.name) || !is("Version", package.version) {
            return Err(UnpackError::OtherPackage {
                expected: format!("{} {}", package.name, package.version),
            });
        }
        let pieces = Pieces { receiver, current: io::Cursor::default(), failure: None };
        let mut archive = Entries::new(pieces, MAX_HEADER);
        let written = self.entries(&mut archive, &mut unpacked);
        // What follows the archive's end must be read too, because its decoder checks sums there.
        let drained = written.and_then(|()| archive.drain().map_err(UnpackError::Damaged));
        let failure = archive.into_inner().failure;
        drained.map_err(|error| failure.unwrap_or(error))?;
        self.unpacked.push(unpacked);
        Ok(())
    }

    fn entries(&mut self, archive: &mut Entries<Pieces>, unpacked: &mut Unpacked) -> Result<(), UnpackError> {
        while let Some(entry) = archive.next_entry().map_err(UnpackError::Damaged)? {
            if unpacked.paths.len() >= MAX_ENTRIES {
                return Err(UnpackError::TooLarge("1,048,576 files"));
            }
            let path = plain_path(&entry.path)?;
            if !path.is_empty() && self.claim(&path, unpacked, entry.kind == EntryKind::Directory)? {
                self.write(archive, &entry, &path)?;
            }
            unpacked.paths.push(path);
        }
        Ok(())
    }

    /// Whether a path is this package's to write.
    fn claim(&mut self, path: &[u8], unpacked: &Unpacked, is_directory: bool) -> Result<bool, UnpackError> {
        if is_directory {
            return Ok(true);
        }
        let own = self.unpacked.len();
        let canonical = alias(self.aliases, path).unwrap_or_else(|| path.to_vec());
        let Some(other) = self.owners.get(&canonical).copied().filter(|other| *other != own) else {
            self.owners.insert(canonical, own);
            return Ok(true);
        };
        let name = |at: usize| self.names.get(at).map_or("", |package| package.name);
        let replaces = |by: Option<&Unpacked>, whom: &str, version: &str| {
            let field =
                by.and_then(Unpacked::paragraph).and_then(|own| own.field("Replaces")).unwrap_or_default();
            groups(field).flatten().flatten().any(|group| group.name == whom && group.admits(version))
        };
        let aliases = self.aliases;
        let version = |at: usize| self.names.get(at).map_or("", |package| package.version);
        if replaces(Some(unpacked), name(other), version(other)) {
            if let Some(loser) = self.unpacked.get_mut(other) {
                loser.paths.retain(|kept| alias(aliases, kept).as_deref().unwrap_or(kept) != canonical);
            }
            self.owners.insert(canonical, own);
            return Ok(true);
        }
        if replaces(self.unpacked.get(other), name(own), version(own)) {
            return Ok(false);
        }
        Err(UnpackError::Overwrites { path: shown(path), other: name(other).to_owned() })
    }

    fn write(
        &mut self,
        archive: &mut Entries<Pieces>,
        entry: &Entry,
        path: &[u8],
    ) -> Result<(), UnpackError> {
        let failed = |source| UnpackError::Write { path: shown(path), source };
        let foreign = |kind| Err(UnpackError::Kind { path: shown(path), kind });
        let attributes = Attributes {
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
            modified: Some(entry.modified.seconds),
        };
        let result = match &entry.kind {
            EntryKind::Directory => self.root.directory(path, attributes),
            EntryKind::Symlink(_) if self.root.standing(path).map_err(failed)? == Standing::Directory => {
                Ok(())
            }
            EntryKind::Symlink(target) => {
                if target.is_empty() || target.len() >= MAX_PATH || target.contains(&0) {
                    return Err(UnpackError::Path(shown(target)));
                }
                self.root.symlink(path, target, attributes)
            }
            EntryKind::HardLink(target) => self.root.hard_link(path, &plain_path(target)?),
            EntryKind::File if entry.segments.is_none() => self.root.file(path, archive, attributes),
            EntryKind::File => return foreign("sparse file"),
            EntryKind::CharacterDevice(_) => return foreign("character device"),
            EntryKind::BlockDevice(_) => return foreign("block device"),
            EntryKind::Fifo => return foreign("named pipe"),
        };
        result.map_err(failed)
    }
}

/// The path by which a file is known when it can be reached by two, if it is not this one.
fn alias(aliases: &[&str], path: &[u8]) -> Option<Vec<u8>> {
    let first = path.split(|byte| *byte == b'/').next()?;
    let is_below = first.len() < path.len() && aliases.iter().any(|alias| alias.as_bytes() == first);
    is_below.then(|| [b"usr/", path].concat())
}

/// A path without `./` in front and slashes at the end. Empty is the root itself.
fn plain_path(raw: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let wrong = || UnpackError::Path(shown(raw));
    let path = raw.strip_prefix(b"./").or(raw.strip_prefix(b".")).unwrap_or(raw);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let is_plain = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && part.len() <= 255;
    if raw.len() > MAX_PATH || raw.contains(&0) || raw.contains(&b'\n') {
        return Err(wrong());
    }
    if path.is_empty() || path.split(|byte| *byte == b'/').all(is_plain) {
        Ok(path.to_vec())
    } else {
        Err(wrong())
    }
}

/// A path for people.
pub(crate) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).chars().take(256).flat_map(char::escape_default).collect()
}
