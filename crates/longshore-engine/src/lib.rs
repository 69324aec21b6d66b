//! What it means to run containers: the contract of every engine.
//!
//! The words are those of the OCI runtime specification and of Kubernetes' container runtime interface: a *sandbox* is
//! a group of containers with one network, a *container* is one isolated process with its root file system, an *exec*
//! is a further process in it. An engine knows nothing of jobs, steps, services or deployments.
//!
//! [`Engine`] is synchronous: a call blocks its thread until it is done. What an engine does are system calls and
//! waiting on descriptors, for which a thread is the natural form; engines that speak to a daemon bring a runtime of
//! their own. Who wants to stop waiting ends what is waited for ([`Engine::kill`], [`RunningExec::signal`]).
//!
//! Which engine can do what is data ([`Capabilities`]), so that a planner can refuse early.
//! What every engine must do is checked by the conformance suite of `longshore-testkit`.

#![forbid(unsafe_code)]

mod capability;
mod container;
mod engine;
mod error;
mod exec;
mod health;
mod id;
mod image;
mod io;
mod log;
mod mount;
mod network;
mod pull;
mod resources;
mod sandbox;
mod security;
mod status;

pub use capability::{Capabilities, Isolation};
pub use container::{ContainerSpec, RestartPolicy, RestartPolicyError};
pub use engine::Engine;
pub use error::{EngineError, Fault};
pub use exec::{ExecSpec, RunningExec};
pub use health::{HealthLog, HealthSpec, HealthState, HealthStatus, HealthTracker, Probe, ProbeResult};
pub use id::{ContainerId, SandboxId};
pub use image::{ImageId, ImageSource};
pub use io::{Input, Output, OutputSink, ProcessIo, Stream};
pub use log::{LogEntry, LogQuery, LogSpec};
pub use mount::{Bind, Mount, MountKind, Propagation, Tmpfs};
pub use network::{Attachment, NetworkMode, PortBinding, Protocol};
pub use pull::{Login, PullPolicy, PullSpec};
pub use resources::{Device, Resources, Ulimit};
pub use sandbox::{SandboxNetwork, SandboxSpec, SandboxStatus};
pub use security::{
    Capability, MASKED_PATHS, NamespaceMode, READ_ONLY_PATHS, SeccompChoice, Security, UserNamespaceMode,
};
pub use status::{ContainerState, ContainerStatus, ExitStatus, LabelSelector, NetworkStatus};
