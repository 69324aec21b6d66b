//! Which workflows saved files affect.
//!
//! The planner decides, as for a push or pull request that changes these files and no others. Two things differ, because a
//! workflow that is being written is to be seen running: a workflow whose own file was saved (or that of one that it calls)
//! runs whatever its `paths` say, and a save of workflow files alone affects no others.

use std::collections::BTreeSet;

use longshore_source::{RepositoryPath, Saved, WorkTree};
use longshore_workflow::event::{ChangedPaths, Event};
use longshore_workflow::model::{JobKind, Workflow};
use longshore_workflow::parse_workflow;
use longshore_workflow::plan::{Plan, WorkflowFile};
use longshore_workflow::start::Start;

use super::{Prepared, Scene, Session};
use crate::failure::Failure;

/// Where workflows are, unless somebody says otherwise.
const WORKFLOWS: &str = ".github/workflows/";
/// Paths that filters are asked about; with more of them everything runs.
const PATHS: usize = longshore_source::FILE_LIMIT;

/// What saved files affect.
pub(super) struct Affected {
    /// The runs.
    pub(super) prepared: Prepared,
    /// Workflows that do not run, with why.
    pub(super) untouched: Vec<(String, String)>,
}

pub(super) fn affected(scene: Scene, saved: &Saved, session: &mut Session) -> Result<Affected, Failure> {
    let (mut own, mut others): (Vec<WorkflowFile>, Vec<WorkflowFile>) =
        scene.project.workflows.iter().cloned().partition(|workflow| {
            let sources = sources(workflow, &scene.project.tree);
            saved.paths.iter().any(|path| sources.contains(path))
        });
    let mut untouched = Vec::new();
    if saved.is_complete && saved.paths.iter().all(|path| is_workflow(path, &scene)) {
        let why = "another workflow was saved";
        untouched.extend(others.drain(..).map(|workflow| (workflow.file.name().to_owned(), why.to_owned())));
    }
    let mut plan = Plan { workflows: Vec::new(), follow_ups: Vec::new() };
    let changed = ChangedPaths {
        paths: saved.paths.clone(),
        complete: saved.is_complete && saved.paths.len() <= PATHS,
    };
    for (workflows, changed) in [(&mut own, None), (&mut others, Some(changed))] {
        let event = Event { changed_paths: changed, ..scene.event.clone() };
        plan.workflows.append(&mut scene.plan(&event, workflows, session).workflows);
    }
    plan.workflows.sort_by(|one, other| one.file.name().cmp(other.file.name()));
    for workflow in &plan.workflows {
        if let Start::Stopped(stopped) = &workflow.start {
            untouched.push((workflow.file.name().to_owned(), stopped.text.clone()));
        }
    }
    untouched.sort();
    Ok(Affected { prepared: scene.prepared(plan, session)?, untouched })
}

fn is_workflow(path: &str, scene: &Scene) -> bool {
    let is_usual = path.strip_prefix(WORKFLOWS).is_some_and(|name| {
        !name.contains('/') && [".yml", ".yaml"].iter().any(|extension| name.ends_with(extension))
    });
    is_usual || scene.project.workflows.iter().any(|workflow| workflow.file.name() == path)
}

/// The files that a workflow is made of: its own, and those of the workflows that it calls in this repository.
fn sources(workflow: &WorkflowFile, tree: &WorkTree) -> BTreeSet<String> {
    let mut found = BTreeSet::from([workflow.file.name().to_owned()]);
    let mut left: Vec<String> = workflow.parsed.model.iter().flat_map(called).collect();
    while let Some(path) = left.pop() {
        if found.insert(path.clone())
            && let Ok(place) = RepositoryPath::parse(&path)
            && let Ok(Some(file)) = tree.read(&place)
        {
            left.extend(parse_workflow(&file).model.iter().flat_map(called));
        }
    }
    found
}

/// The files of the workflows of this repository that a workflow calls.
fn called(workflow: &Workflow) -> Vec<String> {
    let calls = workflow.jobs.iter().filter_map(|job| match &job.kind {
        JobKind::Call(call) => call.uses.value.strip_prefix("./"),
        JobKind::Steps(_) => None,
    });
    calls.map(str::to_owned).collect()
}
