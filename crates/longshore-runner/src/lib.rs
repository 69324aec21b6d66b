//! Carries out what a workflow's plan says: jobs in containers, steps in jobs.
//!
//! - [`Runner`] is what all runs of one invocation share: the engine, images for labels, where actions come from. A
//!   [`RunRequest`] is one run of one workflow.
//! - `dispatch`: the one owner of a run's state. It asks the job graph what may start, starts it, and stamps events.
//! - `job`: one job from its first container to its last post step.
//! - `step`: one step: condition, environment, handler, result.
//! - `handler`: the kinds of steps: scripts, and actions of every kind.
//! - [`command`]: what steps say to the runner by their output and by files.
//! - `checkpoint`: the files of a job as each step found them.
//! - `native`: actions that need neither Node nor a network, because they are built in.
//!
//! **Invariants:** events are stamped by the dispatcher alone and in order; every job that was started ends, and with it its
//! containers, whatever fails; nothing that a step prints reaches an event unmasked.

#![forbid(unsafe_code)]

mod action;
mod checkpoint;
pub mod command;
mod concurrency;
mod context;
mod control;
mod dispatch;
mod environment;
mod evaluate;
mod forward;
mod handler;
mod image;
mod job;
mod kept;
mod native;
mod request;
mod runner;
pub mod shell;
mod slots;
mod step;
mod stores;
mod trust;
mod voice;

pub use action::{ActionSource, FetchError, FetchedAction, FetchedRepository, RepositoryPlace};
pub use control::Shutdown;
pub use evaluate::EvaluationError;
pub use forward::forward_main;
pub use image::{ImageMap, UnknownRunner};
pub use kept::{KeptError, KeptJob, Missing, Process, Resume, ReviveError, Revived, seal_json, unseal_json};
pub use request::{Prior, Project, RunOutcome, RunRequest};
pub use runner::{ActionMode, Machine, Runner, Swept};
pub use slots::Slots;
pub use stores::Stores;
pub use trust::is_untrusted;
