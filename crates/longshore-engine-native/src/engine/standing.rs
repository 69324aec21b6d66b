//! How containers stand: which there are, what they do, how they ended, what they wrote.

use std::path::PathBuf;
use std::time::Duration;

use longshore_engine::{
    ContainerId, ContainerState, ContainerStatus, EngineError, ExitStatus, Fault, ImageSource, LogEntry,
    LogQuery,
};

use super::NativeEngine;
use crate::attach::{Attached, Incoming};
use crate::control::RequestDto;
use crate::directory;
use crate::home::io_error;
use crate::process::ProcessDto;
use crate::record::{ContainerDirectory, RecordDto, StateDto};
use crate::rootfs;

impl NativeEngine {
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

    pub(super) fn is_running(&self, id: &ContainerId) -> Result<bool, EngineError> {
        Ok(self.status(id)?.state.is_alive())
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
                                Incoming::Exited(exit) => return Ok(exit),
                                Incoming::Lost => break,
                                Incoming::Output(..) => {}
                            }
                        }
                    }
                }
                // Not started yet, or just about to end.
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// The directories that hold what a container has changed of its root file system.
    pub(crate) fn root_changes(&self, id: &ContainerId) -> Result<Vec<PathBuf>, EngineError> {
        let directory = ContainerDirectory::new(&self.home, id);
        Ok(match directory.record()?.spec.image {
            // That is its user's, who can see what happens in it.
            ImageSource::Directory(_) => Vec::new(),
            _ => rootfs::changes(directory.path()),
        })
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
            directory.state().is_ok_and(|state| match state.state {
                ContainerState::Exited | ContainerState::Dead => false,
                // One that nobody starts writes nothing.
                ContainerState::Created => state.monitor.is_some_and(ProcessDto::is_alive),
                _ => state.monitor.is_none_or(ProcessDto::is_alive),
            })
        };
        crate::log::read(directory.path(), query, &alive, each)
            .map_err(|error| io_error("read the log in", directory.path(), error))
    }
}

fn status(id: ContainerId, name: String, record: RecordDto, state: StateDto) -> ContainerStatus {
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
