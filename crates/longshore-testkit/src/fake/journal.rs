//! What was asked of the fake, and what it was told to refuse.

use std::path::PathBuf;
use std::time::Duration;

use longshore_engine::{ContainerId, ContainerSpec, EngineError, ExecSpec, Fault, PullPolicy, SandboxSpec};

/// A method of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `pull`.
    Pull,
    /// `create_sandbox`.
    CreateSandbox,
    /// `create_container`.
    CreateContainer,
    /// `start`.
    Start,
    /// `start_exec` and `exec`.
    Exec,
    /// Waiting for an exec.
    AwaitExec,
    /// Sending a signal to an exec.
    SignalExec,
    /// `wait`.
    Wait,
    /// `logs`.
    Logs,
    /// `copy_in`.
    CopyIn,
    /// `copy_out`.
    CopyOut,
    /// `inspect`.
    Inspect,
    /// `list`.
    List,
    /// `find`.
    Find,
    /// `stop`.
    Stop,
    /// `kill`.
    Kill,
    /// `remove_container`.
    RemoveContainer,
    /// `remove_sandbox`.
    RemoveSandbox,
}

/// A call with what it asked for. Calls that only look (`wait`, `logs`, `inspect`, `list`, `find`) are not kept, because
/// how often somebody looks is no part of what they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// An image was asked for.
    Pull {
        /// The reference, in full.
        image: String,
        /// Whether it was to be fetched anew.
        policy: PullPolicy,
    },
    /// A sandbox was made.
    CreateSandbox(SandboxSpec),
    /// A container was made.
    CreateContainer(Box<ContainerSpec>),
    /// A container was started.
    Start,
    /// A command was started in a container.
    Exec(ExecSpec),
    /// A command of a container got a signal.
    SignalExec {
        /// The command.
        command: Vec<String>,
        /// The signal.
        signal: i32,
    },
    /// Files were copied in.
    CopyIn {
        /// Where to.
        directory: PathBuf,
        /// The names in the archive.
        names: Vec<String>,
    },
    /// Files were copied out.
    CopyOut(PathBuf),
    /// A container was asked to end.
    Stop(Option<Duration>),
    /// A container got a signal.
    Kill(i32),
    /// A container was removed.
    RemoveContainer {
        /// Even if it runs.
        force: bool,
    },
    /// A sandbox was removed; its name, if there was one.
    RemoveSandbox(Option<String>),
}

impl Call {
    /// The method that was called.
    pub fn method(&self) -> Method {
        match self {
            Self::Pull { .. } => Method::Pull,
            Self::CreateSandbox(_) => Method::CreateSandbox,
            Self::CreateContainer(_) => Method::CreateContainer,
            Self::Start => Method::Start,
            Self::Exec(_) => Method::Exec,
            Self::SignalExec { .. } => Method::SignalExec,
            Self::CopyIn { .. } => Method::CopyIn,
            Self::CopyOut(_) => Method::CopyOut,
            Self::Stop(_) => Method::Stop,
            Self::Kill(_) => Method::Kill,
            Self::RemoveContainer { .. } => Method::RemoveContainer,
            Self::RemoveSandbox(_) => Method::RemoveSandbox,
        }
    }
}

/// One call that was made, kept from its beginning on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it began, by the fake's clock: nanoseconds since 1970.
    pub at: i128,
    /// The container that it was about.
    pub container: Option<ContainerId>,
    /// The container's name; also that of one that is being made, if it was given.
    pub name: Option<String>,
    /// What was asked for.
    pub call: Call,
    /// How it failed, if it did.
    pub fault: Option<Fault>,
}

/// A failure that a test asked for.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) method: Method,
    /// How many calls are left, this one included.
    pub(super) left: usize,
    pub(super) fault: Fault,
    pub(super) message: String,
}

/// Counts a call of a method; an error if it was to fail.
pub(super) fn count(planned: &mut Vec<Planned>, method: Method) -> Result<(), EngineError> {
    let mut due = None;
    for (place, failure) in planned.iter_mut().enumerate() {
        if failure.method == method {
            failure.left = failure.left.saturating_sub(1);
            if failure.left == 0 {
                due = due.or(Some(place));
            }
        }
    }
    match due {
        Some(place) => {
            let failure = planned.remove(place);
            Err(EngineError::new(failure.fault, failure.message))
        }
        None => Ok(()),
    }
}
