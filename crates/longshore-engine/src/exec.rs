//! A further process in a container that runs.

use crate::{EngineError, ExitStatus};

/// What an exec is to be. What it does not say is as in the container's own process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecSpec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables as `NAME=value`, added to those of the container.
    pub env: Vec<String>,
    /// The working directory; made by nobody, so it must exist.
    pub working_directory: Option<String>,
    /// `user`, `uid`, `user:group` and so on.
    pub user: Option<String>,
    /// Give it a terminal.
    pub tty: bool,
    /// All capabilities and no filters.
    pub privileged: bool,
}

/// An exec that was started. Dropping it neither ends the process nor waits for it.
pub trait RunningExec: Send + Sync {
    /// Waits until it ends and its output has been handed on. A second call gives the same answer.
    fn wait(&self) -> Result<ExitStatus, EngineError>;

    /// Waits until the process has ended. Children of it may live on, and output that they hold open may still come.
    /// Engines that cannot tell wait as [`wait`](RunningExec::wait) does.
    fn wait_process(&self) -> Result<ExitStatus, EngineError> {
        self.wait()
    }

    /// Sends a signal to the process (not to its children). It is no error if it has ended.
    fn signal(&self, signal: i32) -> Result<(), EngineError>;

    /// Sends a signal to the process and all that descend from it, as far as the engine can tell.
    fn signal_tree(&self, signal: i32) -> Result<(), EngineError> {
        self.signal(signal)
    }
}
