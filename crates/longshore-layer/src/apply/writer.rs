//! Threads that make files.
//!
//! Making a small file costs the system more than its content does, so small files and links are collected in batches
//! and made by a crew of threads while the parser goes on. No two jobs that are under way may concern the same name:
//! the parser waits for the crew to be idle before it touches a name that it has handed out ([`Crew::drain`]).

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::fs::{Mode, OFlags, openat, symlinkat};
use rustix::io::Errno;

use super::attributes::{AttributePolicy, Attributes};
use super::path::EntryPath;
use super::{ApplyError, stream, tree};

/// A batch is handed over when it has this many jobs,
const BATCH_JOBS: usize = 32;
/// or this many bytes.
const BATCH_BYTES: usize = 1 << 20;
/// How many batches wait at most.
const QUEUE: usize = 4;
/// More threads would only wait for each other's directories, and hold files open.
const MOST_THREADS: usize = 8;

/// Something to be made.
pub(crate) struct Job {
    /// Where.
    pub(crate) directory: Arc<OwnedFd>,
    /// The whole path, whose last component is the name there.
    pub(crate) path: EntryPath,
    pub(crate) attributes: Attributes,
    pub(crate) made: Made,
}

/// What is to be made.
pub(crate) enum Made {
    /// A file with a part of the batch's bytes.
    File(Range<usize>),
    /// A symbolic link with this text.
    Symlink(Vec<u8>),
}

#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    bytes: Vec<u8>,
}

/// The threads, seen from the parser.
pub(crate) struct Crew {
    batches: SyncSender<Batch>,
    building: Batch,
    shared: Arc<Shared>,
}

struct Shared {
    policy: Arc<AttributePolicy>,
    progress: Mutex<Progress>,
    idle: Condvar,
    failed: AtomicBool,
}

#[derive(Default)]
struct Progress {
    under_way: usize,
    error: Option<ApplyError>,
    /// Used batches, whose memory serves again.
    spare: Vec<Batch>,
}

impl Crew {
    /// Starts the threads, which end when the crew is dropped.
    pub(crate) fn start<'scope>(
        scope: &'scope thread::Scope<'scope, '_>,
        threads: usize,
        policy: Arc<AttributePolicy>,
    ) -> Result<Self, ApplyError> {
        let (batches, receiver) = sync_channel(QUEUE);
        // Only the threads hold the receiver, so that sending fails when none is left.
        let receiver = Arc::new(Mutex::new(receiver));
        let shared = Arc::new(Shared {
            policy,
            progress: Mutex::default(),
            idle: Condvar::new(),
            failed: AtomicBool::new(false),
        });
        for _ in 0..threads.clamp(1, MOST_THREADS) {
            let (receiver, shared) = (Arc::clone(&receiver), Arc::clone(&shared));
            let work = move || shared.work(&receiver);
            stream::named("layer-write").spawn_scoped(scope, work).map_err(ApplyError::Thread)?;
        }
        Ok(Self { batches, building: Batch::default(), shared })
    }

    /// Where the content of the next file goes.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.building.bytes
    }

    /// Hands out a job.
    pub(crate) fn push(&mut self, job: Job) -> Result<(), ApplyError> {
        self.building.jobs.push(job);
        if self.building.jobs.len() >= BATCH_JOBS || self.building.bytes.len() >= BATCH_BYTES {
            self.send()?;
        }
        Ok(())
    }

    /// Waits until everything handed out is made.
    pub(crate) fn drain(&mut self) -> Result<(), ApplyError> {
        self.send()?;
        let mut progress = self.shared.progress();
        while progress.under_way > 0 {
            progress = self.shared.idle.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        progress.error.take().map_or(Ok(()), Err)
    }

    fn send(&mut self) -> Result<(), ApplyError> {
        if self.building.jobs.is_empty() {
            return Ok(());
        }
        let spare = {
            let mut progress = self.shared.progress();
            if let Some(error) = progress.error.take() {
                return Err(error);
            }
            progress.under_way += 1;
            progress.spare.pop().unwrap_or_default()
        };
        let batch = std::mem::replace(&mut self.building, spare);
        self.batches
            .send(batch)
            .map_err(|_| ApplyError::Thread(std::io::Error::other("all threads that write have ended")))
    }
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, batches: &Mutex<Receiver<Batch>>) {
        loop {
            let received = batches.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(mut batch) = received else { return };
            // Counts the batch as done even if making it panics.
            let _done = Done(self);
            self.make(&batch);
            batch.jobs.clear();
            batch.bytes.clear();
            self.progress().spare.push(batch);
        }
    }

    fn make(&self, batch: &Batch) {
        for job in &batch.jobs {
            if self.failed.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = job.run(&batch.bytes, &self.policy) {
                self.failed.store(true, Ordering::Relaxed);
                self.progress().error.get_or_insert(error);
            }
        }
    }
}

struct Done<'a>(&'a Shared);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.progress().under_way -= 1;
        self.0.idle.notify_all();
    }
}

impl Job {
    fn run(&self, bytes: &[u8], policy: &AttributePolicy) -> Result<(), ApplyError> {
        let (name, path) = (self.path.name(), self.path.as_bytes());
        match &self.made {
            Made::File(range) => {
                let file = create_file(&self.directory, &self.path)?;
                write_all(&file, bytes.get(range.clone()).unwrap_or_default(), path)?;
                policy.set_file(&file, &self.attributes, path)
            }
            Made::Symlink(text) => {
                replacing(&self.directory, name, || symlinkat(text.as_slice(), &self.directory, name))
                    .map_err(|source| ApplyError::system("make the symbolic link", path, source))?;
                policy.set_at(&self.directory, name, &self.attributes, true, path)
            }
        }
    }
}

/// Makes a new file, in place of whatever had its name.
pub(crate) fn create_file(directory: &OwnedFd, path: &EntryPath) -> Result<OwnedFd, ApplyError> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    replacing(directory, path.name(), || openat(directory, path.name(), flags, mode))
        .map_err(|source| ApplyError::system("make the file", path.as_bytes(), source))
}

/// Makes something new; if its name is taken, removes what has it and tries again.
pub(crate) fn replacing<T>(
    directory: &OwnedFd,
    name: &[u8],
    make: impl Fn() -> Result<T, Errno>,
) -> std::io::Result<T> {
    match make() {
        Err(Errno::EXIST) => {
            tree::remove(directory, name)?;
            Ok(make()?)
        }
        result => Ok(result?),
    }
}

/// Writes all bytes.
pub(crate) fn write_all(file: &OwnedFd, mut bytes: &[u8], entry: &[u8]) -> Result<(), ApplyError> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(source) => return Err(ApplyError::system("write", entry, source)),
        }
    }
    Ok(())
}
