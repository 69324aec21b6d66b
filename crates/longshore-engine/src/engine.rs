//! The contract.

use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore_event::EventSink;
use longshore_oci::Reference;

use crate::{
    Capabilities, ContainerId, ContainerSpec, ContainerStatus, EngineError, ExecSpec, ExitStatus, Fault,
    ImageId, LabelSelector, LogEntry, LogQuery, Output, ProcessIo, PullSpec, RunningExec, SandboxId,
    SandboxSpec, SandboxStatus,
};

/// Runs containers.
///
/// **Lifecycle.** A sandbox is created, containers are created in it and started, execs run in containers that run;
/// containers end by themselves, by [`stop`](Engine::stop) or [`kill`](Engine::kill), may be started again, and are
/// removed; a sandbox is removed with whatever is left in it.
///
/// **Concurrency.** Every method may be called from any thread at any time, also by several processes on one engine.
/// Calls on one container take effect one after the other; what a call found may have changed when it returns.
///
/// **Idempotence.** `stop`, `kill`, `remove_container` and `remove_sandbox` succeed if what they ask for is so
/// already. `start` of a container that runs succeeds and changes nothing.
///
/// **Crashes.** What a call left half-done when its process was killed is undone or finished by the next one.
pub trait Engine: Send + Sync {
    /// What this engine can do.
    fn capabilities(&self) -> &Capabilities;

    /// Makes sure that an image is here, and gives its id. Calls for the same content transfer it once.
    fn pull(&self, image: &Reference, spec: &PullSpec, sink: &dyn EventSink) -> Result<ImageId, EngineError>;

    /// Makes a group of containers with one network. The name must be free.
    fn create_sandbox(&self, spec: &SandboxSpec) -> Result<SandboxId, EngineError>;

    /// Makes a container in a sandbox. Its image must be here. The name must be free. Nothing of it runs yet, but files
    /// can be copied. Containers of a sandbox find each other by name, alias and short id, once they run.
    fn create_container(&self, sandbox: &SandboxId, spec: &ContainerSpec)
    -> Result<ContainerId, EngineError>;

    /// Starts a container that was created or has ended. When it returns the process runs (or has ended already);
    /// if the program could not be run, that is an error and the container has ended with 127 or 126.
    fn start(&self, id: &ContainerId) -> Result<(), EngineError>;

    /// Starts a further process in a container that runs. Output is handed on from a thread of the engine.
    fn start_exec(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        io: ProcessIo,
    ) -> Result<Box<dyn RunningExec>, EngineError>;

    /// Runs a further process in a container that runs, and waits for it.
    fn exec(&self, id: &ContainerId, spec: &ExecSpec, io: ProcessIo) -> Result<ExitStatus, EngineError> {
        self.start_exec(id, spec, io)?.wait()
    }

    /// Starts a program of this machine in the network of a container that runs, and in nothing else of it: it sees this
    /// machine's files and processes, and has no rights besides listening at any port. So it works with every image. Names of
    /// the container's networks are answered at `127.0.0.11`. What it writes to standard output is handed on; its standard
    /// input becomes readable when the container ends, and it is expected to end then. It works in `directory`, which it may
    /// use even where the way there is closed to the container's user. Engines whose containers may be elsewhere cannot do
    /// it, and say so in [`Capabilities::beside`].
    fn start_beside(
        &self,
        id: &ContainerId,
        directory: &Path,
        command: &[String],
        output: Output,
    ) -> Result<Box<dyn RunningExec>, EngineError> {
        let _ = (directory, command, output);
        let engine = self.capabilities().engine;
        let message = format!(
            "the engine {engine} starts no programs of this machine in the network of container {}",
            id.short()
        );
        Err(EngineError::new(Fault::Unsupported, message))
    }

    /// Waits until a container does not run. One that was created but never started counts as running.
    fn wait(&self, id: &ContainerId) -> Result<ExitStatus, EngineError>;

    /// Hands on what a container wrote, oldest first, while `each` answers true.
    fn logs(
        &self,
        id: &ContainerId,
        query: &LogQuery,
        each: &mut dyn FnMut(LogEntry) -> bool,
    ) -> Result<(), EngineError>;

    /// Unpacks a tar archive into a directory of a container, running or not; owners are those of the archive.
    fn copy_in(
        &self,
        id: &ContainerId,
        directory: &Path,
        archive: &mut (dyn std::io::Read + Send),
    ) -> Result<(), EngineError>;

    /// Packs a file or directory of a container, running or not, as a tar archive whose names begin with its last part.
    fn copy_out(
        &self,
        id: &ContainerId,
        path: &Path,
        archive: &mut (dyn std::io::Write + Send),
    ) -> Result<(), EngineError>;

    /// The directories of this machine that hold what a container has changed of its root file system, in a form of the
    /// engine's own. They may be read while it runs. Who puts back what was in them while it does not run has put back
    /// its root file system. None, if there are no such directories here.
    fn changed_directories(&self, _id: &ContainerId) -> Result<Vec<PathBuf>, EngineError> {
        Ok(Vec::new())
    }

    /// What is known of a container now.
    fn inspect(&self, id: &ContainerId) -> Result<ContainerStatus, EngineError>;

    /// All containers with certain labels, newest first, also those that do not run.
    fn list(&self, labels: &LabelSelector) -> Result<Vec<ContainerStatus>, EngineError>;

    /// All sandboxes with certain labels.
    fn list_sandboxes(&self, labels: &LabelSelector) -> Result<Vec<SandboxStatus>, EngineError>;

    /// Finds a container by its name, its id, or the beginning of its id.
    fn find(&self, text: &str) -> Result<ContainerId, EngineError>;

    /// Asks a container to end, and kills it when the grace is over (its own, if absent). Ends its restarts.
    fn stop(&self, id: &ContainerId, grace: Option<Duration>) -> Result<(), EngineError>;

    /// Sends a signal to the process of a container. A container that has ended is a conflict, as in Docker.
    fn kill(&self, id: &ContainerId, signal: i32) -> Result<(), EngineError>;

    /// Removes a container with its files and its anonymous volumes. One that runs is a conflict, unless forced.
    fn remove_container(&self, id: &ContainerId, force: bool) -> Result<(), EngineError>;

    /// Kills and removes everything in a sandbox, and the sandbox.
    fn remove_sandbox(&self, id: &SandboxId) -> Result<(), EngineError>;

    /// Says that no sandbox is to come for now: removes what was kept for them, which an engine may do for who makes many
    /// one after the other. Nothing of that is seen by anybody meanwhile.
    ///
    /// # Errors
    /// Something of it cannot be removed.
    fn discard_spares(&self) -> Result<(), EngineError> {
        Ok(())
    }
}
