//! The engine, and what can be done in containers that run.
//!
//! It is a value that holds paths: all state is in files and in the kernel, so any number of processes can have one.

pub(crate) mod lifetime;
mod standing;

pub use lifetime::Attachments;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use longshore_cgroup::Hierarchy;
use longshore_engine::{
    Capabilities, ContainerId, ContainerState, EngineError, ExecSpec, ExitStatus, Fault, Output, ProcessIo,
    RunningExec as _,
};

use crate::contract::Fetch;
use crate::directory;
use crate::exec::Entered;
use crate::home::Home;
use crate::images::Images;
use crate::launch::Privilege;
use crate::process::ProcessDto;
use crate::reap::{self, Reaped};
use crate::record::ContainerDirectory;
use crate::rootless::Worker;
use crate::running::{self, NativeExec};
use crate::start::Starter;
use crate::volume::Volumes;

/// What an engine is opened with.
#[derive(Debug, Clone)]
pub struct NativeOptions {
    /// The engine's directory. The store of images is beside it and called `store`.
    pub home: PathBuf,
    /// The program whose main function calls [`crate::internal_main`]: this one.
    pub program: PathBuf,
    /// Whether this process ends soon. If it has one thread, the monitor of a container may then be a copy of it, which
    /// takes half the time of starting the program; how it ended, nobody would ask in a process that goes on.
    pub brief: bool,
}

/// Whether networks of sandboxes that end are for the next ones of this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct HandsOn {
    /// Whether that was asked for.
    is_wanted: bool,
    /// Whether nobody said since the last sandbox was made that it was the last.
    expects: Arc<AtomicBool>,
}

impl HandsOn {
    /// A sandbox is made, and further ones may come. Whether it gets what is there.
    pub(crate) fn begin(&self) -> bool {
        self.expects.store(self.is_wanted, Ordering::SeqCst);
        self.is_wanted
    }

    /// Whether what a sandbox had is kept.
    pub(crate) fn keeps(&self) -> bool {
        self.expects.load(Ordering::SeqCst)
    }

    /// No sandbox is to come for now.
    pub(crate) fn end(&self) {
        self.expects.store(false, Ordering::SeqCst);
    }

    pub(crate) fn want(&mut self) {
        self.is_wanted = true;
    }
}

/// Containers without a daemon.
#[derive(Debug, Clone)]
pub struct NativeEngine {
    home: Home,
    starter: Starter,
    images: Images,
    privilege: Privilege,
    worker: Worker,
    pub(crate) fetch: Option<Arc<dyn Fetch>>,
    pub(crate) hands_on: HandsOn,
    capabilities: OnceLock<Capabilities>,
}

impl NativeEngine {
    /// Opens the engine, and cleans up after monitors that were killed.
    ///
    /// # Errors
    ///
    /// If the directory cannot be used.
    pub fn open(options: &NativeOptions) -> Result<Self, EngineError> {
        let engine = Self::open_as_left(options)?;
        reap::monitors(&engine.home, &mut Reaped::default())?;
        Ok(engine)
    }

    /// Opens the engine and leaves everything as it is, for who wants to know what [`Self::reap`] finds.
    ///
    /// # Errors
    ///
    /// If the directory cannot be used.
    pub fn open_as_left(options: &NativeOptions) -> Result<Self, EngineError> {
        let home = Home::open(&options.home)?;
        let worker = Worker::new(&options.program);
        let images = Images::of(crate::images::store_of(&home), worker.clone());
        let privilege = crate::rootless::privilege();
        Ok(Self {
            home,
            starter: Starter { program: options.program.clone(), copies: options.brief },
            images,
            privilege,
            worker,
            fetch: None,
            hands_on: HandsOn::default(),
            capabilities: OnceLock::new(),
        })
    }

    /// Cleans up everything that killed processes left.
    ///
    /// # Errors
    ///
    /// If the engine's directory cannot be read.
    pub fn reap(&self) -> Result<Reaped, EngineError> {
        let mut reaped = Reaped::default();
        reap::everything(&self.home, &self.worker, &mut reaped)?;
        Ok(reaped)
    }

    /// What it can do here. Control groups are only looked for when somebody asks.
    pub(crate) fn known_capabilities(&self) -> &Capabilities {
        self.capabilities.get_or_init(|| crate::contract::capabilities(self.privilege))
    }

    /// The images.
    pub(crate) fn images(&self) -> &Images {
        &self.images
    }

    /// Where everything is.
    pub(crate) fn home_of(&self) -> &Home {
        &self.home
    }

    /// The volumes.
    pub fn volumes(&self) -> Volumes {
        Volumes::open(&self.home)
    }

    /// Starts a further process in a container that runs.
    ///
    /// # Errors
    ///
    /// If the container does not run, or the program cannot be run.
    pub fn start_process(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        io: ProcessIo,
    ) -> Result<NativeExec, EngineError> {
        let record = ContainerDirectory::new(&self.home, id).record()?;
        let process = self.running_process(id)?;
        let group = Hierarchy::detect().open(id.as_str()).ok().flatten();
        let entered = Entered { record: &record, process, cgroup: group.as_ref(), privilege: self.privilege };
        let streams = running::streams(&io, spec.tty)?;
        let (child, streams) = entered.start(spec, streams, false)?;
        Ok(NativeExec::new(child, streams, io, &self.starter.program))
    }

    /// Starts a program of this machine in the network of a container that runs, see
    /// [`Engine::start_beside`](longshore_engine::Engine::start_beside).
    ///
    /// # Errors
    ///
    /// If the container does not run, or the program cannot be run.
    pub fn start_process_beside(
        &self,
        id: &ContainerId,
        directory: &Path,
        command: &[String],
        output: Output,
    ) -> Result<NativeExec, EngineError> {
        let (child, streams) = crate::beside::start(self.running_process(id)?, directory, command)?;
        let io = ProcessIo { output, ..ProcessIo::default() };
        Ok(NativeExec::new(child, streams, io, self.program()))
    }

    /// The process of a container that runs.
    fn running_process(&self, id: &ContainerId) -> Result<ProcessDto, EngineError> {
        let state = ContainerDirectory::new(&self.home, id).state()?;
        match (state.state, state.process) {
            (ContainerState::Running, Some(process)) => Ok(process),
            (ContainerState::Paused, _) => {
                let message =
                    format!("container {} is paused, unpause the container before exec", id.short());
                Err(EngineError::new(Fault::Conflict, message))
            }
            _ => {
                let message = format!("container {} is not running", id.short());
                Err(EngineError::new(Fault::Conflict, message))
            }
        }
    }

    /// Runs a further process in a container that runs, and waits for it.
    ///
    /// # Errors
    ///
    /// If the container does not run, or the program cannot be run.
    pub fn run_process(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        io: ProcessIo,
    ) -> Result<ExitStatus, EngineError> {
        self.start_process(id, spec, io)?.wait()
    }

    /// Gives a container another name.
    ///
    /// # Errors
    ///
    /// If the name is taken, or none for a container.
    pub fn rename(&self, id: &ContainerId, name: &str) -> Result<(), EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        let old = directory.name()?;
        directory::claim(&self.home, name, id)?;
        directory.write_name(name)?;
        directory::release(&self.home, &old, id);
        if directory.state()?.networks.is_empty() {
            return Ok(());
        }
        crate::network::rename(&self.home, id, &old, name)
    }

    /// The program that is started under other names.
    pub(crate) fn program(&self) -> &Path {
        &self.starter.program
    }

    /// The engine's directory.
    pub fn home(&self) -> &Path {
        self.home.root()
    }

    /// Who does what needs a user namespace.
    pub(crate) fn worker(&self) -> &Worker {
        &self.worker
    }

    /// The engine's directory, for the engine's other files.
    pub(crate) fn engine_home(&self) -> &Home {
        &self.home
    }
}
