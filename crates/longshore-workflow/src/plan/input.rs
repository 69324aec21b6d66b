//! What a plan is made from.

use longshore_expr::Object;
use longshore_syntax::SourceFile;

use super::SourceSet;
use crate::event::Event;
use crate::model::Workflow;
use crate::read::{Parsed, parse_workflow};

/// One workflow file with what was read from it.
#[derive(Debug, Clone)]
pub struct WorkflowFile {
    /// The file, named by its path from the root of the repository.
    pub file: SourceFile,
    /// What it says.
    pub parsed: Parsed<Workflow>,
}

impl WorkflowFile {
    /// Reads a file.
    pub fn read(file: SourceFile) -> Self {
        let parsed = parse_workflow(&file);
        Self { file, parsed }
    }
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// What happened.
    pub event: &'a Event,
    /// The repository's workflows, in the order they shall be listed. Files that GitHub refuses do not start.
    pub workflows: &'a [WorkflowFile],
    /// Called workflows and action manifests fetched so far. Workflows in `workflows` need not be repeated.
    pub sources: &'a SourceSet,
    /// The configuration variables (`vars`); `None` if nobody knows them, which defers what reads them.
    pub vars: Option<&'a Object>,
    /// What to plan; everything by default.
    pub selection: &'a Selection,
    /// Whether manifests of actions in other repositories are asked for, to see the actions that they use. Those of
    /// local actions always are.
    pub fetch_actions: bool,
}

/// A part of the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Keeps these jobs and what they need; all jobs if empty. Case does not count.
    pub jobs: Vec<String>,
    /// Keeps cells whose matrix has these values as text; of a key given twice either value. Case does not count.
    pub matrix: Vec<(String, String)>,
}
