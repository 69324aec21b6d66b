//! The engine behind the contract that all engines have.
//!
//! What a container needs of a sandbox is its network, so that is settled here: everything below knows containers and
//! networks only.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use longshore_cgroup::Hierarchy;
use longshore_engine::{
    Capabilities, ContainerId, ContainerSpec, ContainerStatus, Engine, EngineError, ExecSpec, ExitStatus,
    Fault, ImageId, Isolation, LabelSelector, LogEntry, LogQuery, NetworkMode, Output, ProcessIo, PullPolicy,
    PullSpec, RunningExec, SandboxId, SandboxSpec, SandboxStatus,
};
use longshore_event::EventSink;
use longshore_oci::Reference;

use crate::NativeEngine;
use crate::launch::Privilege;
use crate::sandbox::Sandboxes;

/// Fetches images that are not here. The engine itself knows no registries: their settings and credentials belong to
/// the program.
pub trait Fetch: std::fmt::Debug + Send + Sync {
    /// Transfers an image into the engine's store.
    ///
    /// # Errors
    ///
    /// If it cannot be transferred.
    fn fetch(&self, image: &Reference, spec: &PullSpec, sink: &dyn EventSink) -> Result<(), EngineError>;
}

/// What an engine can do here, as this user.
pub(crate) fn capabilities(privilege: Privilege) -> Capabilities {
    let limits = match Hierarchy::detect() {
        Hierarchy::None(absence) => Err(absence.to_string()),
        Hierarchy::V1(_) | Hierarchy::V2(_) => Ok(()),
    };
    let isolation = if privilege == Privilege::Root { Isolation::Root } else { Isolation::Rootless };
    Capabilities {
        engine: "native",
        isolation,
        add_container_later: true,
        names_resolve: true,
        publish_ports: true,
        privileged: true,
        limits,
        bind_mounts: true,
        copy_stopped: true,
        host_image: true,
        beside: true,
    }
}

impl NativeEngine {
    /// The same engine, with somebody who fetches images.
    #[must_use]
    pub fn with_fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// The same engine, which keeps networks of sandboxes that it removes for the next ones that it makes, until
    /// [`Engine::discard_spares`] or the end of the process: to make a network is quick, to take one apart is not.
    #[must_use]
    pub fn handing_networks_on(mut self) -> Self {
        self.hands_on.want();
        self
    }

    /// Whether an image is here with all that a container needs of it.
    ///
    /// # Errors
    ///
    /// If that cannot be told.
    pub fn has_image(&self, name: &str, platform: Option<&str>) -> Result<bool, EngineError> {
        match self.images().find_image(name, platform) {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn sandboxes(&self) -> Sandboxes<'_> {
        Sandboxes::of(self.home_of(), &self.hands_on)
    }

    /// Removes a container that is in a sandbox, and leaves what is left of it in the trash.
    fn take_out(&self, id: &ContainerId) -> Result<(), EngineError> {
        match self.discard(id, true) {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    /// Removes what is in a sandbox, until there is nothing.
    fn empty_sandbox(&self, sandbox: &SandboxId) -> Result<(), EngineError> {
        loop {
            let inside: Vec<ContainerId> = self
                .containers()?
                .into_iter()
                .filter(|status| status.sandbox.as_ref() == Some(sandbox))
                .map(|status| status.id)
                .collect();
            if inside.is_empty() {
                return Ok(());
            }
            std::thread::scope(|scope| {
                let removals: Vec<_> = inside.iter().map(|id| scope.spawn(|| self.take_out(id))).collect();
                removals.into_iter().try_for_each(|removal| {
                    removal.join().unwrap_or_else(|_| {
                        Err(EngineError::new(Fault::Bug, "the removal of a container panicked"))
                    })
                })
            })?;
        }
    }
}

impl Engine for NativeEngine {
    fn capabilities(&self) -> &Capabilities {
        self.known_capabilities()
    }

    fn pull(&self, image: &Reference, spec: &PullSpec, sink: &dyn EventSink) -> Result<ImageId, EngineError> {
        let name = image.to_string();
        let wanted = spec.platform.as_ref().map(ToString::to_string);
        let find = || self.images().find_image(&name, wanted.as_deref()).map(|found| ImageId(found.id));
        match (spec.policy, find()) {
            (PullPolicy::Always, _) => {}
            (PullPolicy::Missing, Err(error)) if error.is_not_found() => {}
            (_, result) => return result,
        }
        let Some(fetch) = &self.fetch else {
            let message =
                format!("failed to pull `{}`: this engine has nobody who fetches images", image.familiar());
            return Err(EngineError::new(Fault::Unsupported, message));
        };
        fetch.fetch(image, spec, sink)?;
        find()
    }

    fn create_sandbox(&self, spec: &SandboxSpec) -> Result<SandboxId, EngineError> {
        self.sandboxes().create(spec)
    }

    fn create_container(
        &self,
        sandbox: &SandboxId,
        spec: &ContainerSpec,
    ) -> Result<ContainerId, EngineError> {
        let network = self.sandboxes().network(sandbox)?;
        let mut spec = spec.clone();
        if spec.network == NetworkMode::Default {
            spec.network = network;
        }
        self.create(&spec, Some(sandbox))
    }

    fn start(&self, id: &ContainerId) -> Result<(), EngineError> {
        self.start(id).map(drop)
    }

    fn start_exec(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        io: ProcessIo,
    ) -> Result<Box<dyn RunningExec>, EngineError> {
        if spec.command.is_empty() {
            return Err(EngineError::new(Fault::Invalid, "no command specified"));
        }
        Ok(Box::new(self.start_process(id, spec, io)?))
    }

    fn start_beside(
        &self,
        id: &ContainerId,
        directory: &Path,
        command: &[String],
        output: Output,
    ) -> Result<Box<dyn RunningExec>, EngineError> {
        Ok(Box::new(self.start_process_beside(id, directory, command, output)?))
    }

    fn wait(&self, id: &ContainerId) -> Result<ExitStatus, EngineError> {
        self.wait_container(id)
    }

    fn logs(
        &self,
        id: &ContainerId,
        query: &LogQuery,
        each: &mut dyn FnMut(LogEntry) -> bool,
    ) -> Result<(), EngineError> {
        self.read_log(id, query, each)
    }

    fn copy_in(
        &self,
        id: &ContainerId,
        directory: &Path,
        archive: &mut (dyn Read + Send),
    ) -> Result<(), EngineError> {
        self.copy_to(id, &directory.to_string_lossy(), archive)
    }

    fn copy_out(
        &self,
        id: &ContainerId,
        path: &Path,
        archive: &mut (dyn Write + Send),
    ) -> Result<(), EngineError> {
        self.copy_from(id, &path.to_string_lossy(), false, archive)
    }

    fn changed_directories(&self, id: &ContainerId) -> Result<Vec<PathBuf>, EngineError> {
        self.root_changes(id)
    }

    fn inspect(&self, id: &ContainerId) -> Result<ContainerStatus, EngineError> {
        self.status(id)
    }

    fn list(&self, labels: &LabelSelector) -> Result<Vec<ContainerStatus>, EngineError> {
        let mut all = self.containers()?;
        all.retain(|status| labels.matches(&status.spec.labels));
        Ok(all)
    }

    fn find(&self, text: &str) -> Result<ContainerId, EngineError> {
        self.find_container(text)
    }

    fn stop(&self, id: &ContainerId, grace: Option<Duration>) -> Result<(), EngineError> {
        self.stop_container(id, None, grace)
    }

    fn kill(&self, id: &ContainerId, signal: i32) -> Result<(), EngineError> {
        self.kill_container(id, signal)
    }

    fn remove_container(&self, id: &ContainerId, force: bool) -> Result<(), EngineError> {
        match self.remove(id, force) {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    fn list_sandboxes(&self, labels: &LabelSelector) -> Result<Vec<SandboxStatus>, EngineError> {
        self.sandboxes().list(labels)
    }

    fn remove_sandbox(&self, id: &SandboxId) -> Result<(), EngineError> {
        let sandboxes = self.sandboxes();
        let Some(record) = sandboxes.find(id)? else { return Ok(()) };
        self.empty_sandbox(id)?;
        // The kernel takes its time for the network, and for many files so does the disk.
        std::thread::scope(|threads| {
            threads.spawn(|| self.empty_trash());
            sandboxes.remove(&record)
        })
    }

    fn discard_spares(&self) -> Result<(), EngineError> {
        self.hands_on.end();
        crate::network::spare::discard(self.home_of(), crate::network::spare::Owner::OwnOrDead).map(drop)
    }
}
