//! Workflows and actions as GitHub means them, every part with its place.
//!
//! What GitHub decides when it reads the file is typed here; what it evaluates later (names, matrices, runners, …)
//! stays a [`Token`](crate::template::Token) that the planner or the runner evaluates when its contexts exist.

mod action;
mod condition;
mod job;
mod permission;
mod step;
mod trigger;
mod workflow;

pub use action::{ActionInput, ActionManifest, ActionOutput, Lifecycle, Runs};
pub use condition::Condition;
pub use job::{CallJob, CallSecrets, Job, JobKind, StepsJob};
pub use permission::{Access, Permissions};
pub use step::{Step, StepKind};
pub use trigger::{CallOutput, CallSecret, FilterKind, Input, InputType, PatternFilter, Schedule, Trigger};
pub use workflow::{Concurrency, Defaults, Workflow};
