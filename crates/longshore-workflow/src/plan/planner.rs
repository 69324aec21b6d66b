//! From an event to a plan.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use longshore_syntax::{Diagnostic, Progress, Severity, SourceFile, SourceRef};

use super::scope::{Origin, Scope};
use super::{Plan, PlanDiagnostic, PlanInput, RunPlan, Source, WorkflowFile, WorkflowPlan, follow};
use crate::evaluate::{Fact, Knowledge, TokenEvaluator};
use crate::event::{Event, WorkflowIdentity};
use crate::model::{ActionManifest, Workflow};
use crate::read::{Parsed, parse_action, parse_workflow};
use crate::start::{Obstacle, Start, Started, Stopped, start};

/// Greatest number of jobs and steps in the plan of one run, called ones included. Calls with a matrix multiply.
pub(super) const MAX_UNITS: usize = 100_000;

/// What the event would run.
///
/// Asks for the workflows that are called and the manifests of local actions, of remote ones if
/// [`PlanInput::fetch_actions`] says so. A source known to be missing is a diagnostic of the run, not a failure.
pub fn plan(input: &PlanInput<'_>) -> Progress<Plan> {
    let mut planner = Planner::new(input);
    let workflows: Vec<WorkflowPlan> =
        input.workflows.iter().map(|workflow| planner.workflow(workflow)).collect();
    if !planner.wanted.is_empty() {
        return Progress::Needs(planner.wanted);
    }
    let follow_ups = follow::follow_ups(input, &workflows);
    Progress::Ready(Plan { workflows, follow_ups })
}

/// What is shared while one plan is made.
pub(super) struct Planner<'a> {
    pub(super) input: &'a PlanInput<'a>,
    /// Sources that nobody has asked for yet.
    wanted: Vec<SourceRef>,
    workflows: BTreeMap<SourceRef, Arc<Parsed<Workflow>>>,
    actions: BTreeMap<SourceRef, Option<Arc<ActionManifest>>>,
    /// The findings of the current run.
    diagnostics: Vec<PlanDiagnostic>,
    /// The findings of the current run by file, place and text; each is kept once.
    reported: HashSet<(String, (u32, u32), String)>,
    /// Whether findings are dropped.
    is_muted: bool,
    /// The workflows that the current run calls.
    pub(super) called: BTreeSet<SourceRef>,
    /// How many more jobs and steps the current run may have.
    pub(super) units_left: usize,
}

/// The answer to the question for a source.
pub(super) enum Found<T> {
    /// It is there.
    Here(T),
    /// It is known to be missing; why.
    Missing(String),
    /// It is not known yet and has been asked for.
    Wanted,
}

impl<'a> Planner<'a> {
    fn new(input: &'a PlanInput<'a>) -> Self {
        Self {
            input,
            wanted: Vec::new(),
            workflows: BTreeMap::new(),
            actions: BTreeMap::new(),
            diagnostics: Vec::new(),
            reported: HashSet::new(),
            is_muted: false,
            called: BTreeSet::new(),
            units_left: MAX_UNITS,
        }
    }

    fn workflow(&mut self, workflow: &WorkflowFile) -> WorkflowPlan {
        let model = workflow.parsed.model.as_ref();
        let valid = model.filter(|_| workflow.parsed.is_valid());
        let start = match valid {
            Some(model) => start(model, self.input.event),
            None => Start::Stopped(invalid(workflow)),
        };
        let run = match (valid, &start) {
            (Some(model), Start::Starts(started)) => Some(self.run(model, started)),
            _ => None,
        };
        let name = model.map_or(workflow.file.name(), |model| model.display_name()).to_owned();
        WorkflowPlan { file: workflow.file.clone(), name, start, run }
    }

    fn run(&mut self, workflow: &Workflow, started: &Started) -> RunPlan {
        self.diagnostics.clear();
        self.reported.clear();
        self.called.clear();
        self.units_left = MAX_UNITS;
        let event = self.input.event.clone().with_inputs(&started.inputs);
        let (name, path) = (workflow.context_name(), workflow.repository_path());
        let identity = WorkflowIdentity { name: &name, path: &path };
        let knowledge = Knowledge::default()
            .with("github", event.github_facts(identity))
            .with("inputs", Fact::Known(started.inputs.clone().into()))
            .with("vars", self.vars());
        let scope = Scope::top(workflow, knowledge, Origin::Here);
        let run_name = match &workflow.run_name {
            Some(token) => {
                Some(self.evaluate(&workflow.file, &scope.knowledge, |evaluator| evaluator.text(token)))
            }
            None => run_name(&event, workflow).map(super::Planned::Known),
        };
        let concurrency = workflow
            .concurrency
            .as_ref()
            .map(|concurrency| self.concurrency(&workflow.file, concurrency, &scope.knowledge));
        let permissions = self.permissions(&scope, None);
        let (jobs, stages) = self.jobs(&scope, Some(self.input.selection));
        let diagnostics = std::mem::take(&mut self.diagnostics);
        RunPlan { run_name, concurrency, permissions, jobs, stages, diagnostics }
    }

    fn vars(&self) -> Fact {
        self.input.vars.map_or(Fact::Unknown, |vars| Fact::Known(vars.clone().into()))
    }

    /// Evaluates with what is known, and keeps what is found to be wrong.
    pub(super) fn evaluate<T>(
        &mut self,
        file: &SourceFile,
        knowledge: &Knowledge,
        evaluate: impl FnOnce(&mut TokenEvaluator<'_>) -> T,
    ) -> T {
        let mut evaluator = TokenEvaluator::new(file, knowledge);
        let result = evaluate(&mut evaluator);
        for diagnostic in evaluator.into_diagnostics() {
            self.report(file, diagnostic);
        }
        result
    }

    /// Keeps a finding, once.
    pub(super) fn report(&mut self, file: &SourceFile, diagnostic: Diagnostic) {
        let span = (diagnostic.span.start, diagnostic.span.end);
        if !self.is_muted && self.reported.insert((file.name().to_owned(), span, diagnostic.message.clone()))
        {
            self.diagnostics.push(PlanDiagnostic { file: file.clone(), diagnostic });
        }
    }

    /// Does something whose findings do not count.
    pub(super) fn quietly<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.is_muted, true);
        let result = act(self);
        self.is_muted = before;
        result
    }

    /// A workflow that is called.
    pub(super) fn called_workflow(&mut self, reference: &SourceRef) -> Found<Called<'a>> {
        if let SourceRef::Local { path } = reference {
            let own = self.input.workflows.iter().find(|workflow| workflow.file.name() == path);
            if let Some(own) = own {
                return Found::Here(Called::Own(own));
            }
        }
        if let Some(parsed) = self.workflows.get(reference) {
            return Found::Here(Called::Fetched(Arc::clone(parsed)));
        }
        match self.input.sources.find(reference) {
            Some(Source::Found(file)) => {
                let parsed = Arc::new(parse_workflow(file));
                self.workflows.insert(reference.clone(), Arc::clone(&parsed));
                Found::Here(Called::Fetched(parsed))
            }
            Some(Source::Missing(reason)) => Found::Missing(reason.clone()),
            None => self.want(reference),
        }
    }

    /// The manifest of an action, if it has one that can be read. Its directory is a reference with a path.
    pub(super) fn manifest(&mut self, directory: &SourceRef) -> Found<Option<Arc<ActionManifest>>> {
        if let Some(known) = self.actions.get(directory) {
            return Found::Here(known.clone());
        }
        let mut reason = String::new();
        for name in ["action.yml", "action.yaml"] {
            let reference = inside(directory, name);
            match self.input.sources.find(&reference) {
                Some(Source::Found(file)) => {
                    let manifest = parse_action(file).model.map(Arc::new);
                    self.actions.insert(directory.clone(), manifest.clone());
                    return Found::Here(manifest);
                }
                Some(Source::Missing(why)) => reason.clone_from(why),
                None => return self.want(&reference),
            }
        }
        // An action may be nothing but a Dockerfile, which uses no other action.
        match self.input.sources.find(&inside(directory, "Dockerfile")) {
            Some(Source::Found(_)) => Found::Here(None),
            Some(Source::Missing(_)) => Found::Missing(reason),
            None => self.want(&inside(directory, "Dockerfile")),
        }
    }

    fn want<T>(&mut self, reference: &SourceRef) -> Found<T> {
        if !self.wanted.contains(reference) {
            self.wanted.push(reference.clone());
        }
        Found::Wanted
    }
}

/// A workflow that is called.
pub(super) enum Called<'a> {
    /// One of those that are planned.
    Own(&'a WorkflowFile),
    /// One that was fetched.
    Fetched(Arc<Parsed<Workflow>>),
}

impl Called<'_> {
    pub(super) fn parsed(&self) -> &Parsed<Workflow> {
        match self {
            Self::Own(own) => &own.parsed,
            Self::Fetched(parsed) => parsed,
        }
    }
}

/// A file in a directory.
fn inside(directory: &SourceRef, name: &str) -> SourceRef {
    let join = |path: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    match directory {
        SourceRef::Local { path } => SourceRef::Local { path: join(path) },
        SourceRef::Remote { owner, repository, path, version } => SourceRef::Remote {
            owner: owner.clone(),
            repository: repository.clone(),
            path: join(path),
            version: version.clone(),
        },
    }
}

fn invalid(workflow: &WorkflowFile) -> Stopped {
    let diagnostics = workflow.parsed.diagnostics();
    let first = diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
    let text = first.map_or_else(String::new, |diagnostic| diagnostic.message.clone());
    Stopped::new(Obstacle::InvalidFile, first.map(|diagnostic| diagnostic.span), text)
}

/// What GitHub calls a run without `run-name`.
fn run_name(event: &Event, workflow: &Workflow) -> Option<String> {
    let message = || event.commit_message.as_deref().and_then(|message| message.lines().next());
    let title = || event.payload.property("pull_request")?.property("title")?.as_str();
    let name = match event.name.as_str() {
        "push" => message()?,
        "schedule" | "workflow_dispatch" | "repository_dispatch" => workflow.display_name(),
        name if name.starts_with("pull_request") => title()?,
        _ => return None,
    };
    Some(name.to_owned())
}
