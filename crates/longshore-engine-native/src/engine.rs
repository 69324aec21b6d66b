//! The engine.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use longshore_cgroup::Hierarchy;
use longshore_engine::{
    Capabilities, ContainerId, ContainerSpec, ContainerState, ContainerStatus, EngineError, ExecSpec,
    ExitStatus, Fault, LogEntry, LogQuery, ProcessIo, RunningExec as _, SandboxId,
};

use crate::attach::Attached;
use crate::contract::Fetch;
use crate::control::{Client, RequestDto, connect};
use crate::directory;
use crate::exec::Entered;
use crate::home::{Home, io_error};
use crate::images::Images;
use crate::launch::Privilege;
use crate::process::ProcessDto;
use crate::reap::{self, Reaped};
use crate::record::{ContainerDirectory, LiveLock, RecordDto, StateDto};
use crate::rootless::Worker;
use crate::running::{self, NativeExec};
use crate::volume::Volumes;

/// How long a monitor may take from the end of its container to its own.
const LEAVING: Duration = Duration::from_secs(20);

/// What an engine is opened with.
#[derive(Debug, Clone)]
pub struct NativeOptions {
    /// The engine's directory. The store of images is beside it and called `store`.
    pub home: PathBuf,
    /// The program whose main function calls [`crate::internal_main`]: this one.
    pub program: PathBuf,
}

/// Containers without a daemon.
#[derive(Debug, Clone)]
pub struct NativeEngine {
    home: Home,
    program: PathBuf,
    images: Images,
    privilege: Privilege,
    worker: Worker,
    pub(crate) fetch: Option<Arc<dyn Fetch>>,
    capabilities: OnceLock<Capabilities>,
}

/// Which streams one wants to be attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attachments {
    /// Send input.
    pub stdin: bool,
    /// Get standard output.
    pub stdout: bool,
    /// Get standard error.
    pub stderr: bool,
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
            program: options.program.clone(),
            images,
            privilege,
            worker,
            fetch: None,
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

    /// Makes a container.
    ///
    /// # Errors
    ///
    /// If the image is not here, the name is taken, or the specification makes no sense.
    pub fn create(
        &self,
        spec: &ContainerSpec,
        sandbox: Option<&SandboxId>,
    ) -> Result<ContainerId, EngineError> {
        crate::create::create(&self.home, &self.images, sandbox, spec)
    }

    /// Starts a container and stays connected to it. One that runs already is an error with the fault
    /// [`Fault::Conflict`].
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start_attached(
        &self,
        id: &ContainerId,
        streams: Attachments,
        size: Option<(u16, u16)>,
    ) -> Result<(Attached, Vec<String>), EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        directory.record()?;
        let Attachments { stdin, stdout, stderr } = streams;
        let mut requests = vec![RequestDto::Attach { stdout, stderr, stdin }];
        requests.extend(size.map(|(rows, columns)| RequestDto::Resize { rows, columns }));
        let since = Instant::now();
        loop {
            if let Some(client) = crate::start::start(&self.home, &self.program, id, &requests)? {
                let mut attached = Attached::new(client);
                let warnings = attached.started()?;
                return Ok((attached, warnings));
            }
            if self.is_running(id)? || since.elapsed() > LEAVING {
                let message = format!("container {} is running already", id.short());
                return Err(EngineError::new(Fault::Conflict, message));
            }
            // It has ended, and its monitor is about to let the lock go.
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Connects to a container that runs.
    ///
    /// # Errors
    ///
    /// If it does not run.
    pub fn attach(&self, id: &ContainerId, streams: Attachments) -> Result<Attached, EngineError> {
        let mut client = self.client(id)?;
        let Attachments { stdin, stdout, stderr } = streams;
        client.send(RequestDto::Attach { stdout, stderr, stdin }).map_err(|error| {
            EngineError::new(Fault::Environment, "failed to speak to the container's monitor").because(error)
        })?;
        Ok(Attached::new(client))
    }

    /// A connection to the monitor of a container.
    fn client(&self, id: &ContainerId) -> Result<Client, EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        directory.record()?;
        connect(directory.path()).map(Client::new).map_err(|_| {
            EngineError::new(Fault::Conflict, format!("container {} is not running", id.short()))
        })
    }

    /// Asks the monitor of a container that runs for something.
    pub(crate) fn ask(&self, id: &ContainerId, request: RequestDto) -> Result<(), EngineError> {
        self.client(id)?.ask(request)
    }

    /// Starts a container that does not run, without staying connected.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(&self, id: &ContainerId) -> Result<Vec<String>, EngineError> {
        match self.start_attached(id, Attachments::default(), None) {
            Ok((_, warnings)) => Ok(warnings),
            Err(error) if error.fault == Fault::Conflict && self.is_running(id)? => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn is_running(&self, id: &ContainerId) -> Result<bool, EngineError> {
        Ok(self.status(id)?.state.is_alive())
    }

    /// What is known of a container now.
    ///
    /// # Errors
    ///
    /// If there is none of that id.
    pub fn status(&self, id: &ContainerId) -> Result<ContainerStatus, EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        let record = directory.record()?;
        let mut state = directory.state()?;
        let name = directory.name()?;
        let watched = state.monitor.is_some_and(ProcessDto::is_alive);
        if !watched
            && matches!(
                state.state,
                ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
            )
        {
            // The next command cleans up; what is told is true already.
            state.state = ContainerState::Dead;
            state.process = None;
        }
        Ok(status(id.clone(), name, record, state))
    }

    /// All containers, newest first.
    ///
    /// # Errors
    ///
    /// If they cannot be listed.
    pub fn containers(&self) -> Result<Vec<ContainerStatus>, EngineError> {
        let mut all: Vec<ContainerStatus> =
            directory::all(&self.home)?.iter().filter_map(|id| self.status(id).ok()).collect();
        all.sort_by_key(|status| std::cmp::Reverse(status.created));
        Ok(all)
    }

    /// Finds a container by its name, its id, or the beginning of its id.
    ///
    /// # Errors
    ///
    /// If there is none, or several.
    pub fn find_container(&self, text: &str) -> Result<ContainerId, EngineError> {
        directory::find(&self.home, text)
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
        let directory = ContainerDirectory::new(&self.home, id);
        let record = directory.record()?;
        let state = directory.state()?;
        let process = match (state.state, state.process) {
            (ContainerState::Running, Some(process)) => process,
            (ContainerState::Paused, _) => {
                let message =
                    format!("container {} is paused, unpause the container before exec", id.short());
                return Err(EngineError::new(Fault::Conflict, message));
            }
            _ => {
                let message = format!("container {} is not running", id.short());
                return Err(EngineError::new(Fault::Conflict, message));
            }
        };
        let group = Hierarchy::detect().open(id.as_str()).ok().flatten();
        let entered = Entered { record: &record, process, cgroup: group.as_ref(), privilege: self.privilege };
        let streams = running::streams(&io, spec.tty)?;
        let (child, streams) = entered.start(spec, streams, false)?;
        Ok(NativeExec::new(child, streams, io))
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

    /// Waits until a container does not run.
    ///
    /// # Errors
    ///
    /// If there is none of that id.
    pub fn wait_container(&self, id: &ContainerId) -> Result<ExitStatus, EngineError> {
        loop {
            let status = self.status(id)?;
            if let (false, Some(exit)) = (
                matches!(
                    status.state,
                    ContainerState::Running | ContainerState::Paused | ContainerState::Restarting
                ),
                status.exit,
            ) {
                return Ok(exit);
            }
            match self.client(id) {
                Ok(mut client) => {
                    if client.send(RequestDto::Watch).is_ok() {
                        let mut attached = Attached::new(client);
                        while let Ok(incoming) = attached.receive() {
                            match incoming {
                                crate::attach::Incoming::Exited(exit) => return Ok(exit),
                                crate::attach::Incoming::Lost => break,
                                crate::attach::Incoming::Output(..) => {}
                            }
                        }
                    }
                }
                // Not started yet, or just about to end.
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Hands on what a container wrote.
    ///
    /// # Errors
    ///
    /// If there is none of that id, or its log cannot be read.
    pub fn read_log(
        &self,
        id: &ContainerId,
        query: &LogQuery,
        each: &mut dyn FnMut(LogEntry) -> bool,
    ) -> Result<(), EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        let record = directory.record()?;
        if record.spec.log.none {
            let message = "configured logging driver does not support reading";
            return Err(EngineError::new(Fault::Unsupported, message));
        }
        let alive = || {
            directory.state().is_ok_and(|state| {
                !matches!(state.state, ContainerState::Exited | ContainerState::Dead)
                    && state.monitor.is_none_or(ProcessDto::is_alive)
            })
        };
        crate::log::read(directory.path(), query, &alive, each)
            .map_err(|error| io_error("read the log in", directory.path(), error))
    }

    /// Asks a container to end, and kills it when the grace is over.
    ///
    /// # Errors
    ///
    /// If there is none of that id.
    pub fn stop_container(
        &self,
        id: &ContainerId,
        signal: Option<i32>,
        grace: Option<Duration>,
    ) -> Result<(), EngineError> {
        let grace = grace.map(|grace| u64::try_from(grace.as_millis()).unwrap_or(u64::MAX));
        self.ask_if_running(id, RequestDto::Stop { signal, grace })
    }

    /// Asks the monitor; a container without one has ended, which is as good.
    fn ask_if_running(&self, id: &ContainerId, request: RequestDto) -> Result<(), EngineError> {
        match self.client(id) {
            Ok(mut client) => match client.ask(request) {
                Err(error) if error.fault == Fault::Conflict && !self.is_running(id)? => Ok(()),
                result => result,
            },
            Err(error) if error.fault == Fault::Conflict => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends a signal to the process of a container.
    ///
    /// # Errors
    ///
    /// If it does not run.
    pub fn kill_container(&self, id: &ContainerId, signal: i32) -> Result<(), EngineError> {
        let not_running = || {
            EngineError::new(
                Fault::Conflict,
                format!("cannot kill container: {}: container is not running", id.short()),
            )
        };
        if !self.is_running(id)? {
            return Err(not_running());
        }
        // As in Docker, a signal that ends for sure also ends restarts.
        let for_good = signal == 9 || signal == crate::signal::stop_signal(&self.status(id)?.spec);
        match self.client(id)?.ask(RequestDto::Kill { signal, for_good }) {
            Err(error) if error.fault == Fault::Conflict => Ok(()),
            result => result,
        }
    }

    /// Freezes the processes of a container, or lets them go on.
    ///
    /// # Errors
    ///
    /// If it does not run, or is so already.
    pub fn pause_container(&self, id: &ContainerId, pause: bool) -> Result<(), EngineError> {
        self.client(id)?.ask(if pause { RequestDto::Pause } else { RequestDto::Unpause })
    }

    /// Removes a container with its files and its anonymous volumes.
    ///
    /// # Errors
    ///
    /// If it runs and this is not forced.
    pub fn remove(&self, id: &ContainerId, force: bool) -> Result<(), EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        let record = directory.record()?;
        match self.remove_present(id, &directory, &record, force) {
            // It was there a moment ago, and somebody else has removed it.
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    fn remove_present(
        &self,
        id: &ContainerId,
        directory: &ContainerDirectory,
        record: &RecordDto,
        force: bool,
    ) -> Result<(), EngineError> {
        let since = Instant::now();
        loop {
            if let Some(lock) = LiveLock::take(&self.home, id)? {
                let result = directory::discard(&self.home, record);
                lock.end();
                directory::empty_trash(&self.home, &self.worker);
                return result;
            }
            let state = self.status(id)?.state;
            if !force && (state.is_alive() || since.elapsed() > LEAVING) {
                let name = directory.name()?;
                let message = format!(
                    "cannot remove container \"/{name}\": container is {}: stop the container before removing or force \
                     remove",
                    state.name()
                );
                return Err(EngineError::new(Fault::Conflict, message));
            }
            if force {
                self.ask_if_running(id, RequestDto::Stop { signal: Some(9), grace: Some(0) })?;
            }
            if !directory.path().exists() {
                return Ok(());
            }
            // It has ended, and its monitor is about to let the lock go.
            std::thread::sleep(Duration::from_millis(1));
        }
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
        Ok(())
    }

    /// The program that is started under other names.
    pub(crate) fn program(&self) -> &Path {
        &self.program
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

fn status(
    id: ContainerId,
    name: String,
    record: crate::record::RecordDto,
    state: StateDto,
) -> ContainerStatus {
    ContainerStatus {
        id,
        name,
        sandbox: record.sandbox,
        image: record.image,
        spec: record.spec,
        state: state.state,
        pid: state.process.map(|process| process.pid),
        exit: state.exit,
        error: state.error,
        created: i128::from(record.created),
        started: state.started.map(i128::from),
        finished: state.finished.map(i128::from),
        restarts: state.restarts,
        health: state.health,
        networks: state.networks,
        ports: state.ports,
    }
}
