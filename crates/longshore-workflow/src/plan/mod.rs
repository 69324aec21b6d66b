//! What an event would run, decided as far as it can be before anything runs.
//!
//! [`plan`] takes an event, the repository's workflows and the sources they refer to, and says for each workflow whether
//! it starts and why, and for each of its jobs what would happen: whether it runs, in which cells, where, with which
//! permissions, in which environment, with which images and actions. What only the run can tell is [`Deferred`], with
//! the reason.
//!
//! **Invariants:** pure and synchronous; no clock, no randomness; same inputs, same plan, byte for byte. What is missing
//! is named in [`Progress::Needs`](longshore_syntax::Progress::Needs); asking again with it ends in a plan.

mod action;
mod call;
mod calling;
mod follow;
mod input;
mod job;
mod jobs;
mod permission;
mod place;
mod planned;
mod planner;
mod reads;
mod scope;
mod source;
mod stage;
mod step;
pub(crate) mod strategy;
mod uses;
mod verdict;
mod workflow;

pub use action::{ActionKind, ActionUse};
pub use call::{CallPlan, CallSecretsPlan, CalledWorkflow};
pub use input::{PlanInput, Selection, WorkflowFile};
pub use job::{
    ConcurrencyPlan, ContainerPlan, EnvironmentPlan, JobBody, JobInstance, JobPlan, MatrixPlan, RunsOn,
    StepsPlan, Verdict,
};
pub use permission::TokenPermissions;
pub use planned::{Deferred, Planned};
pub use planner::plan;
pub use source::{Source, SourceSet};
pub use stage::stages;
pub use step::{StepPlan, StepPlanKind};
pub use strategy::certain_failures;
pub use workflow::{FollowUp, Plan, PlanDiagnostic, RunPlan, WorkflowPlan};
