//! One kept job, as those find it who look for it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use longshore_engine::{Engine, EngineError, SandboxId};
use longshore_event::RunId;
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};
use thiserror::Error;

use super::record::{KeptDto, VERSION};

/// What a job's key has that the name of a directory should not.
const SEPARATOR: &str = "%2F";

/// A job that was kept.
#[derive(Debug, Clone)]
pub struct KeptJob {
    directory: PathBuf,
    pub(crate) record: KeptDto,
}

/// Something cannot be done with a kept job.
#[derive(Debug, Error)]
pub enum KeptError {
    /// Its record cannot be written, read or removed.
    #[error("failed to work with the kept job in `{}`", path.display())]
    Record {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody works with it.
    #[error("the kept job `{job}` is in use: a shell is open in it, or it is being resumed")]
    Busy {
        /// Its key.
        job: String,
    },
    /// The engine does not remove it.
    #[error("failed to remove the containers of the kept job `{job}`")]
    Remove {
        /// Its key.
        job: String,
        /// Why.
        source: EngineError,
    },
}

impl KeptJob {
    /// The kept jobs in the directory `kept` of a run, by key. What cannot be read is passed over.
    pub fn list(directory: &Path) -> Vec<Self> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let mut jobs: Vec<Self> = entries.filter_map(|entry| Self::read(&entry.path())).collect();
        jobs.sort_by(|one, other| one.record.job.cmp(&other.record.job));
        jobs
    }

    fn read(directory: &Path) -> Option<Self> {
        let record: KeptDto = serde_json::from_slice(&fs::read(directory.join("record.json")).ok()?).ok()?;
        (record.version == VERSION).then(|| Self { directory: directory.to_owned(), record })
    }

    /// Writes a record into the directory `kept` of a run.
    pub(crate) fn write(directory: &Path, record: KeptDto) -> Result<Self, KeptError> {
        let place = Self::place(directory, &record.job);
        let failed = |source| KeptError::Record { path: place.clone(), source };
        fs::create_dir_all(&place).map_err(failed)?;
        let text = serde_json::to_vec(&record).map_err(io::Error::from).map_err(failed)?;
        let (new, path) = (place.join("record.json.new"), place.join("record.json"));
        fs::write(&new, text).and_then(|()| fs::rename(&new, &path)).map_err(failed)?;
        Ok(Self { directory: place, record })
    }

    fn place(directory: &Path, job: &str) -> PathBuf {
        directory.join(job.replace('/', SEPARATOR))
    }

    /// Forgets it, because its containers are gone or about to go.
    pub(crate) fn forget(&self) {
        // What stays says of a sandbox that is not there any more, which is found out when it is looked for.
        let _ = fs::remove_dir_all(&self.directory);
    }

    /// The key of the job.
    pub fn job(&self) -> &str {
        &self.record.job
    }

    /// The name of the job.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// The run whose sandbox it is.
    pub fn run(&self) -> RunId {
        RunId(self.record.run)
    }

    /// The number of the step that failed, and its name.
    pub fn step(&self) -> (u32, &str) {
        (self.record.failed.number, &self.record.failed.name)
    }

    /// Where the step worked.
    pub fn working_directory(&self) -> &str {
        &self.record.failed.working_directory
    }

    /// Moves it to another run's directory `kept`.
    ///
    /// # Errors
    /// It cannot be moved.
    pub fn move_to(self, directory: &Path) -> Result<Self, KeptError> {
        let place = Self::place(directory, &self.record.job);
        let failed = |source| KeptError::Record { path: place.clone(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        fs::rename(&self.directory, &place).map_err(failed)?;
        Ok(Self { directory: place, ..self })
    }

    /// Holds it as long as the file is open, with others who hold it so.
    ///
    /// # Errors
    /// It is being resumed or removed.
    pub fn share(&self) -> Result<File, KeptError> {
        self.lock(FlockOperation::NonBlockingLockShared)
    }

    /// Holds it alone as long as the file is open.
    ///
    /// # Errors
    /// Somebody holds it.
    pub fn hold(&self) -> Result<File, KeptError> {
        self.lock(FlockOperation::NonBlockingLockExclusive)
    }

    /// Whether nobody else holds what this file holds; then nobody else can from here on.
    pub fn is_last(lock: &File) -> bool {
        retry_on_intr(|| flock(lock, FlockOperation::NonBlockingLockExclusive)).is_ok()
    }

    fn lock(&self, operation: FlockOperation) -> Result<File, KeptError> {
        let path = self.directory.join("lock");
        let failed = |source| KeptError::Record { path: path.clone(), source };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match retry_on_intr(|| flock(&file, operation)) {
            Ok(()) => Ok(file),
            Err(Errno::WOULDBLOCK) => Err(KeptError::Busy { job: self.record.job.clone() }),
            Err(errno) => Err(failed(errno.into())),
        }
    }

    /// Removes its containers, its directories and its record.
    ///
    /// # Errors
    /// Somebody works with it, or something cannot be removed.
    pub fn discard(&self, engine: &dyn Engine) -> Result<(), KeptError> {
        let _alone = self.hold()?;
        let failed = |source| KeptError::Remove { job: self.record.job.clone(), source };
        if let Ok(sandbox) = self.record.sandbox.parse::<SandboxId>() {
            engine.remove_sandbox(&sandbox).map_err(failed)?;
        }
        let remove = |path: &Path| match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(KeptError::Record { path: path.to_owned(), source: error })
            }
            _ => Ok(()),
        };
        remove(&self.record.root)?;
        remove(&self.directory)
    }
}
