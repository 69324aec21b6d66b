//! Why an engine could not do what it was asked for.

use std::error::Error;

use thiserror::Error;

/// What kind of failure it is; decides exit codes and what a caller may try next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// There is no container, sandbox, image, network or volume of that name.
    NotFound,
    /// A name is taken, or something is in use.
    Conflict,
    /// What was asked for makes no sense, or cannot be in this state.
    Invalid,
    /// The command to run is not in the container. Docker's exit code 127.
    CommandNotFound,
    /// The command to run cannot be run. Docker's exit code 126.
    CommandNotRunnable,
    /// The kernel, or the rights of this user, do not allow it.
    Unsupported,
    /// The machine failed: disk, memory, permissions.
    Environment,
    /// Another machine failed.
    Remote,
    /// A mistake in the engine.
    Bug,
}

/// Why an engine could not do what it was asked for.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct EngineError {
    /// What kind of failure it is.
    pub fault: Fault,
    /// What was attempted, on what, and why it failed as far as the engine itself knows; lower case, no full stop.
    pub message: String,
    /// What to do next, as an imperative; lower case, no full stop.
    pub help: Option<String>,
    /// What lies below.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl EngineError {
    /// A failure without cause below it.
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into(), help: None, source: None }
    }

    /// With what lies below.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether something was not found.
    pub fn is_not_found(&self) -> bool {
        self.fault == Fault::NotFound
    }
}
