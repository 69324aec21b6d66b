//! The directory of all runs.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use longshore_event::RunId;
use thiserror::Error;

use crate::counter::{CounterError, CountersDto};
use crate::layout::Layout;
use crate::lock;
use crate::recorder::{RecordError, RunRecorder};
use crate::removal::{self, RemoveError};
use crate::run::{ReadError, Run, RunSummary};

/// Why a new run cannot be recorded.
#[derive(Debug, Error)]
pub enum BeginError {
    /// The directory or the lock in it cannot be had.
    #[error("failed to make the history in `{}`", path.display())]
    Directory {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no number for it.
    #[error("failed to number a new run")]
    Counter(#[from] CounterError),
    /// All numbers were given out.
    #[error("the counters in `{}` have no id left for a new run", path.display())]
    Exhausted {
        /// The counters.
        path: PathBuf,
    },
    /// The run to go on with cannot be read.
    #[error("failed to go on with run {run}")]
    Read {
        /// Which.
        run: RunId,
        /// Why.
        source: ReadError,
    },
    /// The run to go on with lives.
    #[error("run {run} is still running")]
    Running {
        /// Which.
        run: RunId,
    },
    /// Its files cannot be made.
    #[error("failed to record a run")]
    Record(#[from] RecordError),
}

/// Why a run was not found.
#[derive(Debug, Error)]
pub enum FindError {
    /// The directory cannot be read.
    #[error("failed to list the runs in `{}`", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is none with this id.
    #[error("there is no run {run}")]
    Missing {
        /// The id.
        run: RunId,
        /// The newest that there is.
        newest: Option<RunId>,
    },
    /// There are none.
    #[error("there are no runs{}", project.as_ref().map(|project| format!(" of `{project}`")).unwrap_or_default())]
    Nothing {
        /// The project whose runs were looked for, if of one.
        project: Option<String>,
    },
}

/// Which run is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunSelector {
    /// The newest.
    Last,
    /// The one with this id.
    Id(RunId),
}

impl FromStr for RunSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "last" => Ok(Self::Last),
            _ => text
                .parse()
                .map(Self::Id)
                .map_err(|_| "a run is a number such as `7` or `#7`, or `last`".to_owned()),
        }
    }
}

/// The runs of this machine, or of whatever shares a state directory.
#[derive(Debug, Clone)]
pub struct History {
    layout: Layout,
}

impl History {
    /// The history in a directory, which need not exist yet. Deletes what a crash left of runs that were being removed.
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        let layout = Layout::new(directory.into());
        removal::sweep(&layout);
        Self { layout }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        self.layout.root()
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Begins to record a run of a workflow, by its path, in a project, by its directory.
    ///
    /// Ids rise and are given out once, to whichever process comes first; the run's number counts the runs of the
    /// workflow. The run lives from here on, and is in lists from its first event on, which must be
    /// [`RunEvent::Started`](longshore_event::RunEvent::Started).
    pub fn begin(&self, directory: &str, workflow: &str) -> Result<RunRecorder, BeginError> {
        let _turn = self.turn()?;
        let mut counters = CountersDto::load(&self.layout)?;
        let number = counters.next_number(directory, workflow);
        self.begin_numbered(&mut counters, number, 1)
    }

    /// Begins to record another attempt at a run: a run with an id of its own and the number of the first.
    pub fn begin_again(&self, run: RunId) -> Result<RunRecorder, BeginError> {
        let _turn = self.turn()?;
        let earlier = Run::at(run, self.layout.run(run)).summary();
        let earlier = earlier.map_err(|source| BeginError::Read { run, source })?.outline;
        let mut counters = CountersDto::load(&self.layout)?;
        self.begin_numbered(&mut counters, earlier.number, earlier.attempt.saturating_add(1))
    }

    /// Goes on recording a run that was interrupted or has ended. Torn lines are cut off; the next event must be numbered
    /// after the last.
    pub fn reopen(&self, run: RunId) -> Result<RunRecorder, BeginError> {
        // Whoever removes runs holds the same lock.
        let _turn = self.turn()?;
        let found = Run::at(run, self.layout.run(run));
        let read = |source| BeginError::Read { run, source };
        let outline = found.summary().map_err(read)?.outline;
        if found.is_alive().map_err(read)? {
            return Err(BeginError::Running { run });
        }
        Ok(RunRecorder::open(run, outline.number, outline.attempt, found.directory().to_owned())?)
    }

    fn begin_numbered(
        &self,
        counters: &mut CountersDto,
        number: u64,
        attempt: u32,
    ) -> Result<RunRecorder, BeginError> {
        let (id, directory) = self.make_directory(counters)?;
        let recorder = match counters.store(&self.layout) {
            Ok(()) => RunRecorder::open(id, number, attempt, directory.clone()).map_err(BeginError::from),
            Err(error) => Err(error.into()),
        };
        if recorder.is_err() {
            // An empty one would only be in the way.
            let _ = fs::remove_dir_all(&directory);
        }
        recorder
    }

    /// Makes the directory of the next id. One that is there already was made by somebody who was killed before he had
    /// written the counters.
    fn make_directory(&self, counters: &mut CountersDto) -> Result<(RunId, PathBuf), BeginError> {
        loop {
            let Some(id) = counters.next_id() else {
                return Err(BeginError::Exhausted { path: self.layout.counters() });
            };
            let path = self.layout.run(id);
            match fs::create_dir(&path) {
                Ok(()) => return Ok((id, path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(BeginError::Directory { path, source }),
            }
        }
    }

    /// Waits for the turn to give out numbers. Logs are nobody else's business, so neither is the directory.
    fn turn(&self) -> Result<fs::File, BeginError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| BeginError::Directory { path, source }
        };
        let root = self.layout.root();
        DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(failed(root))?;
        let lock = self.layout.lock();
        lock::hold(&lock).map_err(failed(&lock))
    }

    /// The runs, newest first, each read when it is asked for. Those that never began are left out, and those that only
    /// newer programs can read.
    pub fn runs(&self) -> Result<impl Iterator<Item = RunSummary> + '_, FindError> {
        let ids = self.ids()?;
        Ok(ids.into_iter().filter_map(|id| Run::at(id, self.layout.run(id)).summary().ok()))
    }

    /// The run with an id.
    pub fn run(&self, id: RunId) -> Result<Run, FindError> {
        let directory = self.layout.run(id);
        if fs::symlink_metadata(&directory).is_ok_and(|found| found.is_dir()) {
            return Ok(Run::at(id, directory));
        }
        let newest = self.runs()?.next().map(|run| run.id);
        Err(FindError::Missing { run: id, newest })
    }

    /// The run that is meant; the newest is the newest of a project, by its directory, or of all.
    pub fn select(&self, selector: RunSelector, project: Option<&str>) -> Result<Run, FindError> {
        match selector {
            RunSelector::Id(id) => self.run(id),
            RunSelector::Last => {
                let mut runs = self.runs()?;
                let newest = runs.find(|run| project.is_none_or(|project| run.outline.directory == project));
                let newest =
                    newest.ok_or_else(|| FindError::Nothing { project: project.map(str::to_owned) })?;
                Ok(Run::at(newest.id, self.layout.run(newest.id)))
            }
        }
    }

    /// Removes a run with all that is kept beside it; gives the bytes that this frees.
    pub fn remove(&self, run: RunId) -> Result<u64, RemoveError> {
        removal::remove(&self.layout, run)
    }

    /// The runs that never began.
    pub(crate) fn headless(&self) -> Result<Vec<RunId>, FindError> {
        let is_headless = |id: &RunId| Run::at(*id, self.layout.run(*id)).is_headless();
        Ok(self.ids()?.into_iter().filter(is_headless).collect())
    }

    pub(crate) fn ids(&self) -> Result<Vec<RunId>, FindError> {
        let path = self.layout.root().to_owned();
        self.layout.ids().map_err(|source| FindError::List { path, source })
    }
}
