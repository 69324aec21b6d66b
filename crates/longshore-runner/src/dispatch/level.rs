//! One workflow of a run: the one that the event started, or a called one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use longshore_event::{Conclusion, EventKind, JobEvent, JobKey};
use longshore_expr::{Object, Value};
use longshore_workflow::evaluate::{Fact, Knowledge};
use longshore_workflow::graph::{CellId, CellOutcome, JobGraph, JobResult, ReadyCell};
use longshore_workflow::matrix::cell_name;
use longshore_workflow::model::{Job, Workflow};
use longshore_workflow::plan::{JobPlan, Planned};

use super::{Place, RunFacts};
use crate::context::Scope;
use crate::evaluate::Evaluator;

/// One workflow of a run.
pub(super) struct Level {
    pub(super) workflow: Arc<Workflow>,
    pub(super) graph: JobGraph,
    /// What was planned of its jobs.
    pub(super) plans: Vec<JobPlan>,
    /// In front of the keys of its jobs, such as `deploy.`.
    pub(super) key_prefix: String,
    /// In front of the names of its jobs, such as `deploy / `.
    pub(super) name_prefix: String,
    /// `inputs`.
    pub(super) inputs: Value,
    /// `secrets`.
    pub(super) secrets: Object,
    /// The cell that calls it.
    pub(super) parent: Option<Place>,
    /// Whether the end of a call was told to its caller.
    pub(super) is_reported: bool,
    /// Outputs by the id of the job.
    outputs: HashMap<String, Object>,
    /// The ids of jobs that are carried out anew, so that earlier results of what needs them hold no longer.
    renewed: HashSet<String>,
    /// Whether the call is made anew.
    pub(super) is_new: bool,
}

/// A job that the graph ended without a start.
pub(super) struct Undone {
    pub(super) key: JobKey,
    pub(super) event: EventKind,
    pub(super) error: Option<String>,
}

impl Level {
    /// The workflow that the event started.
    pub(super) fn top(facts: &RunFacts) -> Self {
        let request = &facts.request;
        let inputs = Value::Object(request.inputs.clone());
        let kept: HashSet<String> = request.plan.jobs.iter().map(|job| job.id.to_lowercase()).collect();
        let mut workflow = (*request.workflow).clone();
        workflow.jobs.retain(|job| kept.contains(&job.id.value.to_lowercase()));
        Self::new(facts, Arc::new(workflow), request.plan.jobs.clone(), inputs, facts.secrets())
    }

    pub(super) fn new(
        facts: &RunFacts,
        workflow: Arc<Workflow>,
        plans: Vec<JobPlan>,
        inputs: Value,
        secrets: Object,
    ) -> Self {
        let knowledge = Knowledge::default()
            .with("github", Fact::Known(Value::Object(facts.github.clone())))
            .with("inputs", Fact::Known(inputs.clone()))
            .with("vars", Fact::Known(Value::Object(facts.request.vars.clone())));
        Self {
            graph: JobGraph::new(&workflow, knowledge),
            workflow,
            plans,
            key_prefix: String::new(),
            name_prefix: String::new(),
            inputs,
            secrets,
            parent: None,
            is_reported: false,
            outputs: HashMap::new(),
            renewed: HashSet::new(),
            is_new: false,
        }
    }

    /// Whether something that a job needs is carried out anew.
    pub(super) fn is_renewed(&self, job: &str) -> bool {
        let needs = self.workflow.job(job).map_or(&[][..], |job| &job.needs);
        self.is_new || needs.iter().any(|need| self.renewed.contains(&need.value.to_lowercase()))
    }

    /// A job is carried out anew.
    pub(super) fn renew(&mut self, job: &str) {
        self.renewed.insert(job.to_lowercase());
    }

    /// Whether something is carried out anew.
    pub(super) fn has_renewed(&self) -> bool {
        !self.renewed.is_empty()
    }

    /// The model of a cell's job.
    pub(super) fn job(&self, ready: &ReadyCell) -> Option<&Job> {
        self.workflow.job(&ready.id.job)
    }

    /// The plan of a cell's job.
    pub(super) fn plan(&self, job: &str) -> Option<&JobPlan> {
        self.plans.iter().find(|plan| plan.id.eq_ignore_ascii_case(job))
    }

    /// The key of a cell, as the plan makes it.
    pub(super) fn key(&self, ready: &ReadyCell) -> JobKey {
        let id = &ready.id.job;
        let key = if ready.matrix.is_some() { format!("{id}/{}", ready.id.cell + 1) } else { id.clone() };
        JobKey::from(format!("{}{key}", self.key_prefix))
    }

    /// The name of a cell, as GitHub shows it.
    pub(super) fn name(&self, facts: &RunFacts, ready: &ReadyCell) -> String {
        let plain = || {
            ready.matrix.as_ref().map_or_else(|| ready.id.job.clone(), |cell| cell_name(&ready.id.job, cell))
        };
        let name = match self.job(ready).and_then(|job| job.name.as_ref()) {
            None => plain(),
            Some(token) => {
                let scope = self.scope(facts, ready);
                let text =
                    Evaluator::new(&self.workflow.file, &scope).text(token).unwrap_or_else(|_| plain());
                match (&ready.matrix, token.as_expression()) {
                    (Some(cell), None) => cell_name(&text, cell),
                    _ => text,
                }
            }
        };
        facts.masker.mask(&format!("{}{name}", self.name_prefix)).into_owned()
    }

    /// Whether a cell is wanted.
    pub(super) fn selects(&self, facts: &RunFacts, ready: &ReadyCell) -> bool {
        let wanted = &facts.request.selection.matrix;
        let Some(cell) = ready.matrix.as_ref().filter(|_| self.parent.is_none()) else { return true };
        wanted.iter().all(|(key, _)| {
            let Some(own) = cell.get(key).map(|value| value.to_text().to_lowercase()) else { return true };
            wanted.iter().any(|(other, value)| other.eq_ignore_ascii_case(key) && value.to_lowercase() == own)
        })
    }

    /// The contexts of a cell before it runs.
    pub(super) fn scope(&self, facts: &RunFacts, ready: &ReadyCell) -> Scope {
        let known = |name: &str| ready.knowledge.context(name).known_part();
        let mut scope = Scope::default();
        let id = self.job(ready).map_or(ready.id.job.as_str(), |job| job.id.value.as_str());
        scope.set("github", Value::Object(facts.github.with("job", Value::from(id))));
        scope.set("needs", known("needs"));
        scope.set("strategy", known("strategy"));
        scope.set("matrix", known("matrix"));
        scope.set("inputs", self.inputs.clone());
        scope.set("vars", Value::Object(facts.request.vars.clone()));
        scope.set("secrets", Value::Object(self.secrets.clone()));
        scope
    }

    /// Keeps the outputs of a cell; of the same output, the last that is not empty counts.
    pub(super) fn keep_outputs(&mut self, cell: &CellId, outcome: &CellOutcome) {
        let kept = self.outputs.entry(cell.job.to_lowercase()).or_default();
        for (name, value) in outcome.outputs.iter() {
            if value.is_truthy() || kept.get(name).is_none() {
                *kept = kept.with(name, value.clone());
            }
        }
    }

    /// The `jobs` context, for the outputs of a called workflow.
    pub(super) fn jobs_context(&self) -> Value {
        let jobs = self.workflow.jobs.iter().map(|job| {
            let id = job.id.value.as_str();
            let result = self.graph.result(id).unwrap_or(JobResult::Skipped);
            let outputs = self.outputs.get(&id.to_lowercase()).cloned().unwrap_or_default();
            let entry: Object =
                [("result", Value::from(result.as_str())), ("outputs", Value::Object(outputs))]
                    .into_iter()
                    .collect();
            (id, Value::Object(entry))
        });
        Value::Object(jobs.collect())
    }

    /// The jobs that have ended, or parts of them, of which nothing was told.
    pub(super) fn take_undone(&mut self, facts: &RunFacts, told: &HashSet<JobKey>) -> Vec<Undone> {
        let mut undone = Vec::new();
        for job in &self.workflow.jobs {
            let Some(result) = self.graph.result(&job.id.value) else { continue };
            let plan = self.plan(&job.id.value);
            let instances = plan.map_or(&[][..], |plan| &plan.instances);
            let mut names: Vec<(JobKey, String)> = instances
                .iter()
                .map(|instance| {
                    let name = instance.name.known().cloned().unwrap_or_else(|| job.id.value.clone());
                    (JobKey::from(instance.key.as_str()), facts.masker.mask(&name).into_owned())
                })
                .collect();
            if is_deferred(plan) && told.iter().any(|key| is_of(key, &self.key_prefix, &job.id.value)) {
                // The cells took the place of the one that stood for them.
                continue;
            }
            names.retain(|(key, _)| !told.contains(key) && !is_call_of(told, key));
            // Cells beside those that had their turn were given up: one that failed, or somebody, cancelled the rest.
            let begun = told.iter().any(|key| is_of(key, &self.key_prefix, &job.id.value));
            let result = if begun && result != JobResult::Skipped { JobResult::Cancelled } else { result };
            for (key, name) in names {
                undone.push(self.undone(job, result, key, name));
            }
        }
        undone
    }

    fn undone(&self, job: &Job, result: JobResult, key: JobKey, name: String) -> Undone {
        if result == JobResult::Skipped {
            let needs =
                |need: &str| self.graph.result(need).is_none_or(|result| result == JobResult::Success);
            let hindered = job.condition.is_guarded() && !job.needs.iter().all(|need| needs(&need.value));
            let reason = match job.condition.as_written(&self.workflow.file).filter(|_| !hindered) {
                Some(condition) => format!("`if: {}` does not hold", one_line(&condition)),
                None => "what it needs did not succeed".to_owned(),
            };
            return Undone { key, event: JobEvent::Skipped { name, reason }.into(), error: None };
        }
        // A failure without a start is one of the condition or of the matrix.
        let diagnostic = self
            .graph
            .diagnostics()
            .iter()
            .find(|found| found.span.start >= job.span.start && found.span.end <= job.span.end);
        let error = (result == JobResult::Failure).then(|| {
            diagnostic.map_or_else(
                || "its condition or matrix has no value".to_owned(),
                |found| {
                    let line = self.workflow.file.position(found.span.start).line;
                    format!("{}:{line}: {}", self.workflow.file.name(), found.message)
                },
            )
        });
        let conclusion = match result {
            JobResult::Failure if error.is_some() => Conclusion::Failure,
            _ => Conclusion::Cancelled,
        };
        let event = JobEvent::Finished {
            conclusion,
            continue_on_error: false,
            outputs: std::collections::BTreeMap::new(),
            url: None,
            error: error.clone(),
            kept: false,
        };
        Undone { key, event: event.into(), error }
    }
}

fn is_deferred(plan: Option<&JobPlan>) -> bool {
    plan.is_some_and(|plan| matches!(plan.matrix, longshore_workflow::plan::MatrixPlan::Deferred(_)))
        || plan.is_some_and(|plan| {
            matches!(plan.instances.first().map(|i| &i.name), Some(Planned::Deferred(_)))
                && plan.instances.len() == 1
        })
}

/// Whether a key is that of a cell of a job.
fn is_of(key: &JobKey, prefix: &str, job: &str) -> bool {
    let Some(rest) = key.as_str().strip_prefix(prefix) else { return false };
    rest.eq_ignore_ascii_case(job)
        || rest.rsplit_once('/').is_some_and(|(id, _)| id.eq_ignore_ascii_case(job))
}

/// Whether jobs of a workflow that `key` calls were told of, which tells of the call.
fn is_call_of(told: &HashSet<JobKey>, key: &JobKey) -> bool {
    let prefix = format!("{key}.");
    told.iter().any(|other| other.as_str().starts_with(&prefix))
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}
