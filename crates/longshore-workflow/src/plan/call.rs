//! Calls of reusable workflows.

use longshore_expr::Value;
use longshore_syntax::{SourceFile, SourceRef};

use super::{JobPlan, Planned};

/// A job that calls a reusable workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct CallPlan {
    /// As written.
    pub uses: String,
    /// What that refers to; `None` if it names nothing.
    pub reference: Option<SourceRef>,
    /// The inputs that the called workflow gets, with defaults, in its order.
    pub inputs: Vec<(String, Planned<Value>)>,
    /// The secrets that it gets.
    pub secrets: CallSecretsPlan,
    /// The called workflow.
    pub called: CalledWorkflow,
}

/// The secrets that a call passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallSecretsPlan {
    /// None.
    None,
    /// All of the caller's.
    Inherit,
    /// These names in the called workflow, with the caller's secrets that each is made of.
    Mapping(Vec<(String, Vec<String>)>),
}

/// What is known of a called workflow.
#[derive(Debug, Clone, PartialEq)]
pub enum CalledWorkflow {
    /// Its jobs.
    Jobs {
        /// Its file.
        file: SourceFile,
        /// What GitHub calls it.
        name: String,
        /// Its jobs in file order.
        jobs: Vec<JobPlan>,
        /// The ids of its jobs by stage.
        stages: Vec<Vec<String>>,
        /// The names of its outputs, in file order.
        outputs: Vec<String>,
    },
    /// It is not at hand. Why, in one sentence; the same is a diagnostic of the plan.
    Missing(String),
    /// GitHub refuses the call. Why, in one sentence; the same is a diagnostic of the plan.
    Refused(String),
    /// It was not looked at, because the job is skipped.
    Skipped,
}
