//! Carries out what a workflow's plan says: jobs in containers, steps in jobs.
//!
//! - `dispatch`: the one owner of a run's state. It asks the job graph what may start, starts it, and stamps events.
//! - `job`: one job from its first container to its last post step.
//! - `step`: one step: condition, environment, handler, result.
//! - `handler`: the kinds of steps: scripts, and actions of every kind.
//! - [`command`]: what steps say to the runner by their output and by files.
//! - [`shell`]: how the script of a `run` step is written and called.
//! - `native`: actions that need neither Node nor a network, because they are built in.

#![forbid(unsafe_code)]

pub mod command;
pub mod shell;
