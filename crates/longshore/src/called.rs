//! Calls of workflows and uses of actions in the same project, held against the files they name.
//!
//! GitHub refuses a workflow whose local call does not fit; a local action that is missing fails the job. What lies in other
//! repositories is the planner's business, because it may have to be fetched.

use std::path::Path;

use longshore_source::{RepositoryPath, WorkTree};
use longshore_syntax::{Diagnostic, SourceFile, Span};
use longshore_workflow::model::{JobKind, StepKind, Workflow};
use longshore_workflow::template::code;
use longshore_workflow::{check_call, parse_workflow};

/// What does not fit between `workflow` and the files of the project at `root`.
pub(crate) fn check(workflow: &Workflow, root: &Path) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut tree = None;
    let mut open = || tree.get_or_insert_with(|| WorkTree::at(root).ok()).clone();
    for job in &workflow.jobs {
        match &job.kind {
            JobKind::Call(call) => {
                let Some(path) = local(&call.uses.value) else { continue };
                let Some(tree) = open() else { continue };
                match read(&tree, path) {
                    Some(file) => {
                        let called = parse_workflow(&file).model;
                        let refusals = called.map(|called| check_call(call, &called)).unwrap_or_default();
                        found.extend(refusals.into_iter().map(|refusal| refusal.diagnostic));
                    }
                    None => found.push(missing(call.uses.span, path, "workflow")),
                }
            }
            JobKind::Steps(_) => {
                for step in job.steps().iter().flat_map(longshore_workflow::model::Step::flatten) {
                    let StepKind::Uses { uses, .. } = &step.kind else { continue };
                    // An earlier checkout or download may bring the directory, so only the project's own place counts.
                    let own = |path: &&str| path.starts_with(".github/");
                    let Some(path) = local(&uses.value).filter(own) else { continue };
                    if open().is_some_and(|tree| action(&tree, path).is_none()) {
                        found.push(missing(uses.span, path, "action"));
                    }
                }
            }
        }
    }
    found
}

/// The path of a reference into the same repository.
fn local(uses: &str) -> Option<&str> {
    uses.strip_prefix("./").or_else(|| uses.strip_prefix("$/"))
}

fn read(tree: &WorkTree, path: &str) -> Option<SourceFile> {
    tree.read(&RepositoryPath::parse(path).ok()?).ok()?
}

fn action(tree: &WorkTree, path: &str) -> Option<()> {
    let path = path.trim_end_matches('/');
    ["action.yml", "action.yaml", "Dockerfile"]
        .iter()
        .find_map(|file| read(tree, &format!("{path}/{file}")))
        .map(|_| ())
}

fn missing(span: Span, path: &str, what: &str) -> Diagnostic {
    let message = format!("there is no {what} `{path}` in this repository");
    Diagnostic::error(code::UNKNOWN_WORKFLOW, span, message)
        .help("check the spelling; the path starts at the root")
}
