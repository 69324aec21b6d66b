//! What the fake knows of one container.

use std::collections::BTreeMap;

use longshore_engine::{
    ContainerId, ContainerSpec, ContainerState, ContainerStatus, EngineError, ExecSpec, ExitStatus, Fault,
    HealthStatus, ImageId, NetworkStatus, PortBinding, SandboxId,
};

use super::files::Files;
use super::image::variables;
use super::invocation::{Invocation, Occasion, absolute};
use super::log::Log;

/// What the fake knows of one container.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) id: ContainerId,
    pub(super) name: String,
    pub(super) sandbox: SandboxId,
    pub(super) image: ImageId,
    pub(super) spec: ContainerSpec,
    pub(super) state: ContainerState,
    /// The number of its process.
    pub(super) process: Option<u64>,
    pub(super) exit: Option<ExitStatus>,
    pub(super) error: Option<String>,
    pub(super) created: i128,
    pub(super) started: Option<i128>,
    pub(super) finished: Option<i128>,
    pub(super) restarts: u32,
    pub(super) health: Option<HealthStatus>,
    pub(super) log: Log,
    pub(super) files: Files,
    pub(super) networks: BTreeMap<String, NetworkStatus>,
    pub(super) ports: Vec<PortBinding>,
    /// Somebody is about to start it.
    pub(super) starting: bool,
    /// It is to end for good.
    pub(super) stopping: bool,
    /// How often its process was started.
    pub(super) runs: u64,
    /// How often it ended for good.
    pub(super) ends: u64,
    /// What it waits for next.
    pub(super) timer: Option<i128>,
}

impl Container {
    pub(super) fn status(&self) -> ContainerStatus {
        ContainerStatus {
            id: self.id.clone(),
            name: self.name.clone(),
            sandbox: Some(self.sandbox.clone()),
            image: self.image.clone(),
            spec: self.spec.clone(),
            state: self.state,
            pid: self.process.and_then(|number| i32::try_from(number).ok()),
            exit: self.exit,
            error: self.error.clone(),
            created: self.created,
            started: self.started,
            finished: self.finished,
            restarts: self.restarts,
            health: self.health.clone(),
            networks: self.networks.clone(),
            ports: self.ports.clone(),
        }
    }

    /// Whether its process runs or will run again by itself.
    pub(super) fn is_up(&self) -> bool {
        self.state.is_alive() || self.state == ContainerState::Restarting
    }

    /// Whether a waiter goes on waiting: what never ran counts as running.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_up() || self.state == ContainerState::Created
    }

    /// It ended and is not started again by itself.
    pub(super) fn end(&mut self) {
        self.state = ContainerState::Exited;
        self.stopping = false;
        self.ends += 1;
        self.timer = None;
    }

    /// The directory in which its processes begin.
    pub(super) fn working_directory(&self) -> String {
        let directory = self.spec.working_directory.as_deref().filter(|path| !path.is_empty());
        directory.unwrap_or("/").to_owned()
    }

    /// Its own process.
    pub(super) fn invocation(&self) -> Invocation {
        let words = self.spec.entrypoint.iter().flatten().chain(&self.spec.command);
        Invocation {
            container: self.id.clone(),
            name: self.name.clone(),
            occasion: Occasion::Start,
            command: words.cloned().collect(),
            env: self.variables(&[]),
            working_directory: self.working_directory(),
            user: self.spec.user.clone(),
            tty: self.spec.tty,
            privileged: self.spec.security.privileged,
            files: self.files.clone(),
        }
    }

    /// A further process. It runs only while the container does.
    pub(super) fn further(&self, spec: &ExecSpec, occasion: Occasion) -> Result<Invocation, EngineError> {
        if self.state != ContainerState::Running {
            let message = format!("the container `{}` does not run", self.name);
            return Err(EngineError::new(Fault::Conflict, message));
        }
        let own = self.working_directory();
        let directory = spec.working_directory.as_ref().map(|path| absolute(&own, path));
        Ok(Invocation {
            occasion,
            command: spec.command.clone(),
            env: self.variables(&spec.env),
            working_directory: directory.unwrap_or(own),
            user: spec.user.clone().or_else(|| self.spec.user.clone()),
            tty: spec.tty,
            privileged: spec.privileged || self.spec.security.privileged,
            ..self.invocation()
        })
    }

    fn variables(&self, added: &[String]) -> BTreeMap<String, String> {
        let hostname = self.spec.hostname.clone().unwrap_or_else(|| self.id.short().to_owned());
        let first = ["HOME=/root".to_owned(), format!("HOSTNAME={hostname}")];
        variables(&[&first, &self.spec.env, added])
    }
}
