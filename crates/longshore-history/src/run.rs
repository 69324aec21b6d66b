//! Reading one run.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use longshore_event::{
    Conclusion, EventKind, JobKey, RunEvent, RunId, RunOutline, RunState, SCHEMA, StepNumber, StepStatus,
    Timestamp,
};
use serde::Deserialize;
use thiserror::Error;

use crate::log::Log;
use crate::replay::{self, Replay};
use crate::{layout, lock};

/// Why a run cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// There is no record of how it began: it was ended just then, or its files were removed.
    #[error("run {run} has no record of its beginning in `{}`", path.display())]
    Headless {
        /// The run.
        run: RunId,
        /// Its file of events.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "run {run} was recorded in version {found} of the event format, which this program does not know"
    )]
    Newer {
        /// The run.
        run: RunId,
        /// The version.
        found: String,
    },
    /// A file cannot be read.
    #[error("failed to read `{}` of run {run}", path.display())]
    Io {
        /// The run.
        run: RunId,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// How a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// It lives.
    Running,
    /// It was ended from outside: its process is gone and its end was never told.
    Interrupted,
    /// It has ended.
    Finished(Conclusion),
}

impl RunStatus {
    /// Every word that a status has.
    pub const WORDS: [&str; 6] = ["running", "interrupted", "success", "failure", "cancelled", "skipped"];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Finished(conclusion) => conclusion.as_str(),
        }
    }
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// What it was when it began.
    pub outline: RunOutline,
    /// How it is.
    pub status: RunStatus,
    /// When it began.
    pub started: Timestamp,
    /// When it ended, or was last heard of if it was interrupted; nothing while it runs.
    pub ended: Option<Timestamp>,
}

impl RunSummary {
    /// How many milliseconds it took, or has taken until now.
    pub fn duration(&self, now: Timestamp) -> u64 {
        self.ended.unwrap_or(now).0.saturating_sub(self.started.0)
    }
}

/// One run that was recorded, or is.
#[derive(Debug, Clone)]
pub struct Run {
    id: RunId,
    directory: PathBuf,
}

/// The first event as far as every version has it.
#[derive(Debug, Deserialize)]
struct HeadDto {
    schema: String,
}

impl Run {
    pub(crate) fn at(id: RunId, directory: PathBuf) -> Self {
        Self { id, directory }
    }

    /// Its id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Its directory, where other parts keep what belongs to it, such as `artifacts`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether a process holds it open.
    pub fn is_alive(&self) -> Result<bool, ReadError> {
        let path = layout::run_lock(&self.directory);
        lock::is_held(&path).map_err(|source| ReadError::Io { run: self.id, path, source })
    }

    /// What lists show of it. It takes the first and the last line of its events, however many there are.
    pub fn summary(&self) -> Result<RunSummary, ReadError> {
        // Asked first: a run that ends in between is found ended below.
        let alive = self.is_alive()?;
        let path = layout::events(&self.directory);
        let (run, failed_path) = (self.id, path.clone());
        let failed = |source| ReadError::Io { run, path: failed_path.clone(), source };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ReadError::Headless { run, path });
            }
            opened => opened.map_err(failed)?,
        };
        let (started, outline) = self.head(&file)?;
        let last = replay::last_event(&file).map_err(failed)?;
        let (status, ended) = match last.map(|event| (event.at, event.kind)) {
            Some((at, EventKind::Run(RunEvent::Finished { conclusion }))) => {
                (RunStatus::Finished(conclusion), Some(at))
            }
            _ if alive => (RunStatus::Running, None),
            last => (RunStatus::Interrupted, Some(last.map_or(started, |(at, _)| at))),
        };
        Ok(RunSummary { id: self.id, outline, status, started, ended })
    }

    /// Whether it never began: its process was killed before the first event was written.
    pub(crate) fn is_headless(&self) -> bool {
        match File::open(layout::events(&self.directory)) {
            Ok(file) => matches!(replay::first_line(&file), Ok(None)),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// What its events add up to, as it was live: the lines of logs, whose events are not kept, are counted in the logs.
    pub fn state(&self) -> Result<RunState, ReadError> {
        let mut state = self.replay()?;
        for job in &mut state.jobs {
            for (number, step) in &mut job.steps {
                if step.status != StepStatus::Pending {
                    let path = layout::log(&self.directory, Some(&job.key), Some(*number));
                    step.lines =
                        lines_of(&path).map_err(|source| ReadError::Io { run: self.id, path, source })?;
                }
            }
        }
        Ok(state)
    }

    /// What its events add up to, with no lines counted.
    pub fn replay(&self) -> Result<RunState, ReadError> {
        let path = layout::events(&self.directory);
        let failed = |path: PathBuf| move |source| ReadError::Io { run: self.id, path, source };
        let file = File::open(&path).map_err(failed(path.clone()))?;
        self.head(&file)?;
        let mut replay = Replay::new(path.clone());
        replay.advance().map_err(failed(path))?;
        Ok(replay.into_state())
    }

    /// The log of a step, which may be empty.
    pub fn log(&self, job: &JobKey, step: StepNumber) -> Log {
        Log::new(layout::log(&self.directory, Some(job), Some(step)))
    }

    /// The first event: when the run began, and as what.
    fn head(&self, file: &File) -> Result<(Timestamp, RunOutline), ReadError> {
        let (run, path) = (self.id, layout::events(&self.directory));
        let line = match replay::first_line(file) {
            Ok(Some(line)) => line,
            Ok(None) => return Err(ReadError::Headless { run, path }),
            Err(source) => return Err(ReadError::Io { run, path, source }),
        };
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        match serde_json::from_slice::<HeadDto>(&line) {
            Ok(head) if major(&head.schema) != major(SCHEMA) => {
                return Err(ReadError::Newer { run, found: head.schema });
            }
            _ => {}
        }
        match replay::event(&line) {
            Some(event) => match event.kind {
                EventKind::Run(RunEvent::Started(outline)) => Ok((event.at, *outline)),
                _ => Err(ReadError::Headless { run, path }),
            },
            None => Err(ReadError::Headless { run, path }),
        }
    }
}

/// How many whole lines a file has.
fn lines_of(path: &Path) -> io::Result<u64> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        opened => opened?,
    };
    let mut block = vec![0; 256 * 1024];
    let mut lines = 0;
    loop {
        let length = file.read(&mut block)?;
        if length == 0 {
            return Ok(lines);
        }
        let read = block.get(..length).unwrap_or_default();
        lines += read.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
    }
}
