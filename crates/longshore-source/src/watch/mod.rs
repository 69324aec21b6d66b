//! Which files of a work tree are saved, told as it happens.
//!
//! Inotify watches directories, so a [`Watcher`] has one watch for each directory that git does not ignore: what git
//! ignores (`target`, `node_modules`) is neither walked nor watched, which is why no library that watches trees as a whole
//! is used. A directory is watched before it is read, so that nothing is missed between the two; what is already in one that
//! appears counts as saved.
//!
//! Saves come in bursts: an editor writes a file beside the one that it saves and renames it, a formatter changes a hundred.
//! A [`Burst`](burst::Burst) gathers them until nothing happens for a moment, and then the files themselves say what came of
//! it. Links are not followed, as git does not follow them.
//!
//! **Invariant:** what is told was saved before it is told, and what is saved is told, unless it was gone again. When the
//! system could not tell everything, that is said ([`Saved::is_complete`]).

mod burst;
mod ground;
mod ignored;

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, ReadFlags};
use thiserror::Error;

use self::burst::{Burst, Fact};
use self::ground::Ground;
use crate::GitError;

/// A burst is over when nothing has happened for so long,
const QUIET: Duration = Duration::from_millis(60);
/// or when it has gone on for so long.
const LONGEST: Duration = Duration::from_secs(1);

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// The files, written, made or removed, from the root of the tree with `/`; in order, each once.
    pub paths: Vec<String>,
    /// Whether these are all. They are not when more was saved at once than the system tells of, or a directory went.
    pub is_complete: bool,
}

/// Why saves cannot be told.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The system does not let anything be watched.
    #[error(
        "failed to watch files: the system lets this user watch with no more programs (`fs.inotify.max_user_instances`)"
    )]
    Begin(#[source] io::Error),
    /// There are more directories than the system lets be watched.
    #[error("failed to watch `{}`: the system lets this user watch no more directories (`fs.inotify.max_user_watches`)", path.display())]
    Full {
        /// The directory that is one too many.
        path: PathBuf,
    },
    /// A directory cannot be watched or read.
    #[error("failed to watch `{}`", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system does not tell any more.
    #[error("failed to hear of saved files")]
    Read(#[source] io::Error),
    /// The tree itself is there no more.
    #[error("the directory `{}` is gone", path.display())]
    Gone {
        /// Its root.
        path: PathBuf,
    },
    /// It is not known what git ignores.
    #[error("failed to find out which files git ignores")]
    Ignored(#[from] GitError),
}

/// Tells which files of a work tree are saved.
#[derive(Debug)]
pub struct Watcher {
    events: OwnedFd,
    ground: Ground,
}

impl Watcher {
    /// Watches the tree at `root`, but what git ignores, `.git`, and what is in one of the `excluded` places. Everything
    /// that is saved from here on is told.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub fn start(root: &Path, excluded: &[PathBuf]) -> Result<Self, WatchError> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let events = inotify::init(flags).map_err(|error| WatchError::Begin(error.into()))?;
        let mut ground = Ground::new(root, excluded)?;
        ground.enter(&events, "", &mut |_| {})?;
        Ok(Self { events, ground })
    }

    /// How many directories are watched.
    pub fn directories(&self) -> usize {
        self.ground.directories()
    }

    /// Waits for files to be saved.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub fn hear(&mut self) -> Result<Saved, WatchError> {
        loop {
            let mut burst = Burst::default();
            self.wait(None)?;
            let began = Instant::now();
            loop {
                self.read(&mut burst)?;
                let left = LONGEST.saturating_sub(began.elapsed());
                if left.is_zero() || !self.wait(Some(QUIET.min(left)))? {
                    break;
                }
            }
            let saved = self.settle(&burst)?;
            if !saved.paths.is_empty() || !saved.is_complete {
                return Ok(saved);
            }
        }
    }

    /// Waits for something to be told, for a while or as long as it takes; whether there is something.
    fn wait(&self, limit: Option<Duration>) -> Result<bool, WatchError> {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        loop {
            match poll(&mut [PollFd::new(&self.events, PollFlags::IN)], limit.as_ref()) {
                Ok(count) => return Ok(count > 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(WatchError::Read(error.into())),
            }
        }
    }

    /// Takes everything that was told so far. New directories are entered at once: the sooner they are watched, the fewer
    /// files have to be looked for.
    fn read(&mut self, burst: &mut Burst) -> Result<(), WatchError> {
        let mut entered = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
        let mut reader = inotify::Reader::new(&self.events, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(rustix::io::Errno::AGAIN) => break,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(WatchError::Read(error.into())),
            };
            let flags = event.events();
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                burst.lose();
                entered.push(String::new());
                continue;
            }
            let Some(directory) = self.ground.directory(event.wd()) else { continue };
            if flags.contains(ReadFlags::IGNORED) {
                if directory.is_empty() {
                    return Err(self.ground.gone());
                }
                self.ground.forget(event.wd());
                continue;
            }
            let Some(name) = event.file_name().and_then(|name| name.to_str().ok()) else { continue };
            let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
            let Some(fact) = fact(flags) else { continue };
            if !flags.contains(ReadFlags::ISDIR) {
                burst.take(&path, fact);
            } else if matches!(fact, Fact::Made | Fact::MovedHere) {
                entered.push(path);
            } else if fact == Fact::MovedAway && self.ground.knows(&path) {
                burst.left(&path);
            }
        }
        for path in entered {
            self.ground.enter(&self.events, &path, &mut |file| burst.take(file, Fact::Found))?;
        }
        Ok(())
    }

    /// What came of a burst, by the files as they are now.
    fn settle(&mut self, burst: &Burst) -> Result<Saved, WatchError> {
        self.ground.leave(&self.events, burst.departed());
        // What was moved within the tree has new names, and of the old ones nothing else is known.
        let mut is_complete = burst.is_complete() && burst.departed().is_empty();
        let mut paths = burst.changed(|path| self.ground.look(path));
        if !paths.is_empty() {
            self.ground.retain_known(&mut paths)?;
        }
        // Which files git ignores has changed: some directories may have to be watched that were not.
        if paths.iter().any(|path| path == ".gitignore" || path.ends_with("/.gitignore")) {
            let mut found = Vec::new();
            self.ground.enter(&self.events, "", &mut |file| found.push(file.to_owned()))?;
            is_complete &= found.is_empty();
        }
        Ok(Saved { paths, is_complete })
    }
}

fn fact(flags: ReadFlags) -> Option<Fact> {
    [
        (ReadFlags::CREATE, Fact::Made),
        (ReadFlags::CLOSE_WRITE, Fact::Written),
        (ReadFlags::MOVED_TO, Fact::MovedHere),
        (ReadFlags::MOVED_FROM, Fact::MovedAway),
        (ReadFlags::DELETE, Fact::Removed),
    ]
    .into_iter()
    .find_map(|(flag, fact)| flags.contains(flag).then_some(fact))
}
