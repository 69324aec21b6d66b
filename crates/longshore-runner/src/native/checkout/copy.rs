//! Files into the workspace: from a work tree, or from the objects of a commit.
//!
//! Both sides are walked by descriptors and never through a link: the work tree because what a pull request brings must
//! not make us read files of the machine, the workspace because steps control it. Several threads each take a directory's
//! files, or a part of them.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use longshore_source::{DraftIndex, EntryKind, FileStat, GitError, Repository};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, readlinkat, statat};
use rustix::io::Errno;
use thiserror::Error;

use crate::job::Folder;

/// How many files a thread takes at a time.
const PORTION: usize = 128;
/// More threads do not help file systems.
const MAX_THREADS: usize = 8;
/// Files up to this size go through a buffer, larger ones stay in the kernel.
const BUFFER: usize = 64 << 10;

/// A file to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// From the root, with `/`.
    pub(super) path: Vec<u8>,
    pub(super) kind: PieceKind,
}

/// Where the content of a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// In the work tree, with the entry of the index that it is the content of if it looks like that.
    AtHand(Option<(usize, FileStat)>),
    /// In the commit, by the entry of the index.
    Entry(usize, EntryKind),
    /// An empty directory.
    Directory,
}

/// What has the content.
#[derive(Debug)]
pub(super) enum Origin<'o> {
    WorkTree(OwnedFd),
    Commit(&'o Repository, &'o DraftIndex),
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Copied {
    pub(super) files: usize,
    /// Files that are as entries of the index say.
    pub(super) stats: Vec<(usize, FileStat)>,
}

/// Why files could not be made.
#[derive(Debug, Error)]
pub(super) enum CopyError {
    #[error("failed to open `{}`", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("`{0}` cannot be checked out: no file may have such a path")]
    Path(String),
    #[error("failed to read `{path}` of the work tree")]
    Read { path: String, source: io::Error },
    #[error("failed to write `{path}` in the workspace")]
    Write { path: String, source: io::Error },
    #[error("failed to check out `{path}`")]
    Object { path: String, source: GitError },
}

impl Origin<'_> {
    /// A work tree that a person has on this machine.
    pub(super) fn work_tree(path: &Path) -> Result<Self, CopyError> {
        rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map(Self::WorkTree)
            .map_err(|errno| CopyError::Open { path: path.to_owned(), source: errno.into() })
    }
}

/// Makes all files in `target`.
pub(super) fn copy(
    origin: &Origin<'_>,
    mut pieces: Vec<Piece>,
    target: &Folder,
) -> Result<Copied, CopyError> {
    if let Some(bad) = pieces.iter().find(|piece| !is_fit(&piece.path)) {
        return Err(CopyError::Path(shown(&bad.path)));
    }
    pieces.sort_unstable_by(|one, other| split(&one.path).cmp(&split(&other.path)));
    let portions: Vec<&[Piece]> = pieces
        .chunk_by(|one, other| split(&one.path).0 == split(&other.path).0)
        .flat_map(|files| files.chunks(PORTION))
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MAX_THREADS).min(portions.len()).max(1);
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results: Mutex<Vec<Result<Copied, CopyError>>> = Mutex::default();
    let work = |mut hand: Hand<'_>| {
        let mut result = Ok(());
        while let Some(portion) = portions.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed.load(Ordering::Relaxed) {
                break;
            }
            result = hand.take(portion);
            if result.is_err() {
                failed.store(true, Ordering::Relaxed);
                break;
            }
        }
        let copied = std::mem::take(&mut hand.copied);
        results.lock().unwrap_or_else(PoisonError::into_inner).push(result.map(|()| copied));
    };
    let may_clone = AtomicBool::new(true);
    let hand = || Hand::new(origin, target, &may_clone);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            let hand = hand();
            let work = &work;
            scope.spawn(move || work(hand));
        }
        work(hand());
    });
    let mut all = Copied::default();
    for result in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let copied = result?;
        all.files += copied.files;
        all.stats.extend(copied.stats);
    }
    Ok(all)
}

/// A thread at work.
struct Hand<'h> {
    source: Source<'h>,
    target: &'h Folder,
    /// Whether files may share their content here.
    may_clone: &'h AtomicBool,
    buffer: Vec<u8>,
    copied: Copied,
}

enum Source<'h> {
    WorkTree(&'h OwnedFd),
    Commit(Box<Repository>, &'h DraftIndex),
}

impl<'h> Hand<'h> {
    fn new(origin: &'h Origin<'_>, target: &'h Folder, may_clone: &'h AtomicBool) -> Self {
        let source = match origin {
            Origin::WorkTree(root) => Source::WorkTree(root),
            Origin::Commit(repository, draft) => Source::Commit(Box::new(repository.for_thread()), draft),
        };
        Self { source, target, may_clone, buffer: Vec::new(), copied: Copied::default() }
    }

    /// Makes files of one directory.
    fn take(&mut self, pieces: &[Piece]) -> Result<(), CopyError> {
        let Some(first) = pieces.first() else { return Ok(()) };
        let directory = split(&first.path).0;
        let from = match self.source {
            Source::WorkTree(root) => match enter(root, directory) {
                // The directory is gone, or no directory: so are the files that git tracks in it.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
                Err(errno) => {
                    return Err(CopyError::Read { path: shown(directory), source: errno.into() });
                }
                Ok(from) => Some(from),
            },
            Source::Commit(..) => None,
        };
        // A directory whose files are all gone is not made.
        let mut into = None;
        for piece in pieces {
            self.make(piece, from.as_ref(), &mut into)?;
        }
        Ok(())
    }

    fn make(
        &mut self,
        piece: &Piece,
        from: Option<&OwnedFd>,
        into: &mut Option<Folder>,
    ) -> Result<(), CopyError> {
        let name = split(&piece.path).1;
        let wrong = |source: io::Error| CopyError::Write { path: shown(&piece.path), source };
        let directory = split(&piece.path).0;
        let target = self.target;
        let open = |into: &mut Option<Folder>| -> io::Result<()> {
            if into.is_none() {
                use std::os::unix::ffi::OsStrExt as _;
                *into = Some(target.make_all(Path::new(std::ffi::OsStr::from_bytes(directory)))?);
            }
            Ok(())
        };
        match (&piece.kind, from) {
            (PieceKind::Directory, _) => {
                open(into).map_err(wrong)?;
                let Some(into) = into else { return Ok(()) };
                into.make(name).map(drop).map_err(wrong)
            }
            (PieceKind::AtHand(known), Some(from)) => {
                let failed = |source: io::Error| CopyError::Read { path: shown(&piece.path), source };
                let Some(found) = Found::open(from, name).map_err(failed)? else { return Ok(()) };
                open(into).map_err(wrong)?;
                let Some(into) = into else { return Ok(()) };
                self.copy(&found, known.as_ref(), into, name).map_err(wrong)
            }
            (PieceKind::Entry(entry, kind), None) => {
                open(into).map_err(wrong)?;
                let Some(into) = into else { return Ok(()) };
                let Source::Commit(repository, draft) = &self.source else { return Ok(()) };
                let content = repository
                    .content(draft, *entry)
                    .map_err(|source| CopyError::Object { path: shown(&piece.path), source })?;
                let stat = write(into, name, *kind, &content).map_err(wrong)?;
                self.copied.files += 1;
                self.copied.stats.push((*entry, file_stat(&stat, true)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn copy(
        &mut self,
        found: &Found,
        known: Option<&(usize, FileStat)>,
        into: &Folder,
        name: &[u8],
    ) -> io::Result<()> {
        let (before, after) = match found {
            Found::Link(target, stat) => {
                into.link(name, target)?;
                (stat, statat(into.fd(), name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?)
            }
            Found::File(file, stat) => {
                let mode = stat.st_mode & 0o777;
                let copy = into.create(name, mode)?;
                self.content(file, &copy, stat.st_size.unsigned_abs())?;
                let mut after = fstat(&copy)?;
                if after.st_mode & 0o777 != mode {
                    rustix::fs::fchmod(&copy, Mode::from_raw_mode(mode))?;
                    after = fstat(&copy)?;
                }
                (stat, after)
            }
        };
        self.copied.files += 1;
        if let Some((entry, looks)) = known
            && *looks == file_stat(before, false)
            && before.st_size == after.st_size
        {
            self.copied.stats.push((*entry, file_stat(&after, true)));
        }
        Ok(())
    }

    fn content(&mut self, source: &File, target: &File, size: u64) -> io::Result<()> {
        if size > 0 && self.may_clone.load(Ordering::Relaxed) {
            match rustix::fs::ioctl_ficlone(target, source) {
                Ok(()) => return Ok(()),
                // Some file systems refuse only some files.
                Err(Errno::INVAL) => {}
                Err(_) => self.may_clone.store(false, Ordering::Relaxed),
            }
        }
        let mut left = usize::try_from(size).unwrap_or(usize::MAX);
        while left > BUFFER {
            match rustix::fs::copy_file_range(source, None, target, None, left) {
                Ok(0) => return Ok(()),
                Ok(length) => left = left.saturating_sub(length),
                Err(Errno::INTR) => {}
                Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        self.buffer.resize(BUFFER, 0);
        let (mut source, mut target) = (source, target);
        while left > 0 {
            let length = match source.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            target.write_all(self.buffer.get(..length).unwrap_or_default())?;
            left = left.saturating_sub(length);
        }
        Ok(())
    }
}

/// A file of the work tree.
enum Found {
    File(File, Stat),
    Link(Vec<u8>, Stat),
}

impl Found {
    /// None if it is gone, or neither file nor link.
    fn open(directory: &OwnedFd, name: &[u8]) -> io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        match openat(directory, name, flags, Mode::empty()) {
            Ok(file) => {
                let stat = fstat(&file)?;
                let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
                Ok(is_file.then(|| Self::File(File::from(file), stat)))
            }
            Err(Errno::LOOP) => {
                let stat = statat(directory, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
                let target = readlinkat(directory, name, Vec::new())?;
                Ok(Some(Self::Link(target.into_bytes(), stat)))
            }
            // A socket, or a pipe that nobody reads.
            Err(Errno::NOENT | Errno::NXIO) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

fn enter(root: &OwnedFd, directory: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let directory = if directory.is_empty() { b".".as_slice() } else { directory };
    openat2(root.as_fd(), directory, flags, Mode::empty(), how)
}

/// Makes a file of a commit.
fn write(into: &Folder, name: &[u8], kind: EntryKind, content: &[u8]) -> io::Result<Stat> {
    if kind == EntryKind::Link {
        into.link(name, content)?;
        return Ok(statat(into.fd(), name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?);
    }
    let mode = if kind == EntryKind::Executable { 0o755 } else { 0o644 };
    let mut file = into.create(name, mode)?;
    file.write_all(content)?;
    let stat = fstat(&file)?;
    if stat.st_mode & 0o777 == mode {
        return Ok(stat);
    }
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
    Ok(fstat(&file)?)
}

/// What git remembers of a file. Inside of the job's container we are root.
fn file_stat(stat: &Stat, inside: bool) -> FileStat {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "git keeps the low 32 bits")]
    let (seconds, low) = (|number: i64| number as u32, |number: u64| number as u32);
    let own = inside.then(|| (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()));
    FileStat {
        mtime: (seconds(stat.st_mtime), low(stat.st_mtime_nsec)),
        ctime: (seconds(stat.st_ctime), low(stat.st_ctime_nsec)),
        inode: low(stat.st_ino),
        user: own.filter(|own| own.0 == stat.st_uid).map_or(stat.st_uid, |_| 0),
        group: own.filter(|own| own.1 == stat.st_gid).map_or(stat.st_gid, |_| 0),
        size: seconds(stat.st_size),
    }
}

/// The directory and the name of a path.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(end) => (path.get(..end).unwrap_or_default(), path.get(end + 1..).unwrap_or_default()),
        None => (b"", path),
    }
}

/// Whether a checkout may have a file of this path: it names something below, and nothing of git's own.
fn is_fit(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').all(|part| {
        !matches!(part, b"" | b"." | b"..") && !part.eq_ignore_ascii_case(b".git") && !part.contains(&0)
    })
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
