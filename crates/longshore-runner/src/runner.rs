//! What all runs of one invocation share.

use std::path::PathBuf;
use std::sync::Arc;

use longshore_engine::{ContainerSpec, Engine, EngineError, LabelSelector};
use longshore_event::{RunId, RunSink, Timestamp};

use crate::dispatch::Dispatcher;
use crate::job::RUN_LABEL;
use crate::{ActionSource, ImageMap, RunOutcome, RunRequest, Shutdown, Slots, Stores};

/// What all runs of one invocation share.
pub struct Runner {
    /// What runs containers.
    pub engine: Arc<dyn Engine>,
    /// Images for labels of `runs-on`.
    pub images: ImageMap,
    /// Where actions come from.
    pub actions: Arc<dyn ActionSource>,
    /// Whether actions are replaced by what is built in.
    pub action_mode: ActionMode,
    /// Reads the options of `docker create` that `container.options` and services have: an image and words to what they
    /// ask for, or what is wrong with them. The first of several networks stands for the job's.
    pub container_options: fn(&str, &[String]) -> Result<ContainerSpec, String>,
    /// The program of this process, for what it does inside of containers.
    pub program: PathBuf,
    /// A directory for what jobs work with; nobody else uses it.
    pub work: PathBuf,
    /// Where artifacts and caches are kept.
    pub stores: Stores,
    /// A directory for concurrency groups; all runs that share their groups share it.
    pub concurrency: PathBuf,
    /// A directory for keys of this installation.
    pub keys: PathBuf,
    /// What of this machine is seen in jobs of the image `host`.
    pub machine: Machine,
    /// How many jobs run at the same time.
    pub slots: Slots,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Runner")
            .field("images", &self.images)
            .field("work", &self.work)
            .finish_non_exhaustive()
    }
}

/// Whether actions are replaced by what is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ActionMode {
    /// Where something is built in, it runs.
    #[default]
    Native,
    /// Every action runs as its authors published it.
    Upstream,
}

/// What of this machine is seen in jobs of the image `host`.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// The directories in which programs are looked for, in order.
    pub path: Vec<String>,
    /// Directories below home directories that hold tools, seen read-only.
    pub tools: Vec<PathBuf>,
    /// Variables that the tools need.
    pub env: Vec<(String, String)>,
    /// The file of certificates that this machine is told to trust; jobs of all images get it.
    pub certificates: Option<PathBuf>,
}

impl Runner {
    /// Carries out one run: tells `sink` what happens, and returns when everything has ended and is cleaned up.
    /// Several runs may be carried out at the same time, each on a thread of its own.
    pub fn run(&self, request: RunRequest, sink: &mut dyn RunSink, shutdown: &Shutdown) -> RunOutcome {
        Dispatcher::new(self, request).run(sink, shutdown)
    }

    /// Removes what runs that were killed have left: containers, networks, directories. `is_wanted` says
    /// whether a run still has a process, or what is left of it is kept.
    ///
    /// # Errors
    /// The engine cannot be asked, or does not remove something.
    pub fn sweep(&self, is_wanted: &dyn Fn(RunId) -> bool) -> Result<Swept, EngineError> {
        let mut swept = Swept::default();
        for sandbox in self.engine.list_sandboxes(&LabelSelector(vec![(RUN_LABEL.to_owned(), None)]))? {
            let run = sandbox.labels.get(RUN_LABEL).and_then(|run| run.parse().ok());
            if run.is_some_and(|run| !is_wanted(run)) {
                self.engine.remove_sandbox(&sandbox.id)?;
                swept.sandboxes += 1;
            }
        }
        // Directories go last: containers may still have had them mounted.
        let entries = std::fs::read_dir(&self.work).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let run =
                name.strip_prefix("run-").and_then(|rest| rest.split('-').next()?.parse().ok().map(RunId));
            if run.is_some_and(|run| !is_wanted(run)) && std::fs::remove_dir_all(entry.path()).is_ok() {
                swept.directories += 1;
            }
        }
        crate::concurrency::Groups::new(&self.concurrency).sweep();
        Ok(swept)
    }
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Sandboxes with all that was in them.
    pub sandboxes: usize,
    /// Directories of jobs.
    pub directories: usize,
}
