//! The life of a container, from its making to its removal.
//!
//! What happens to a container that runs is done by its monitor, which is asked; one without a monitor does not run.

use std::time::{Duration, Instant};

use longshore_engine::{ContainerId, ContainerSpec, EngineError, Fault, SandboxId};

use super::NativeEngine;
use crate::attach::Attached;
use crate::control::{Client, RequestDto, connect};
use crate::directory;
use crate::record::{ContainerDirectory, LiveLock, RecordDto};

/// How long a monitor may take from the end of its container to its own.
pub(crate) const LEAVING: Duration = Duration::from_secs(20);

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
            if let Some(client) = crate::start::start(&self.home, &self.starter, id, &requests)? {
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
    pub(crate) fn client(&self, id: &ContainerId) -> Result<Client, EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        directory.record()?;
        connect(directory.path()).map(Client::new).map_err(|_| {
            EngineError::new(Fault::Conflict, format!("container {} is not running", id.short()))
        })
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
        self.discard(id, force)?;
        self.empty_trash();
        Ok(())
    }

    /// Deletes the files of what was removed.
    pub(crate) fn empty_trash(&self) {
        directory::empty_trash(&self.home, &self.worker);
    }

    /// Removes a container; its files lie in the trash then.
    pub(crate) fn discard(&self, id: &ContainerId, force: bool) -> Result<(), EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        let record = directory.record()?;
        match self.discard_present(id, &directory, &record, force) {
            // It was there a moment ago, and somebody else has removed it.
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    fn discard_present(
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
}
