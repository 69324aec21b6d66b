//! One job: from its first container to its last post step.

mod action_paths;
mod background;
pub(crate) mod certificates;
mod folder;
mod forwarder;
mod initialize;
mod keep;
mod node;
mod open;
mod paths;
mod place;
mod port;
mod progress;
mod relay;
mod resume;
mod service;
mod specification;
mod steps;
mod tool;
mod toolkit;
mod trace;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::Secret;
use longshore_event::{Annotation, AnnotationLevel, Conclusion, JobEvent};
use longshore_expr::{Object, Value};
use longshore_workflow::graph::{CellOutcome, JobResult};
use longshore_workflow::model::{Job, JobKind, StepsJob, Workflow};

use crate::context::Scope;
use crate::control::JobControl;
use crate::dispatch::RunFacts;
use crate::evaluate::Evaluator;
use crate::kept::Resume;
use crate::runner::Runner;
use crate::voice::JobVoice;
pub(crate) use action_paths::ActionPaths;
pub(crate) use background::{Aside, Changes};
pub(crate) use folder::Folder;
pub(crate) use node::Nodes;
pub(crate) use open::Directory;
pub(crate) use paths::Paths;
pub(crate) use place::{Place, PlaceError, RUN_LABEL, bind};
pub(crate) use progress::{Progress, StepResults};
pub(crate) use service::Services;
pub(crate) use specification::Specification;
use specification::Unfit;
pub(crate) use steps::{JobSteps, chain};
pub(crate) use toolkit::{JobServices, RunServices};
pub(crate) use walk::Kind;

/// What a job has to do.
pub(crate) struct JobTask {
    pub(crate) facts: Arc<RunFacts>,
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) job: Job,
    /// As it is shown.
    pub(crate) name: String,
    /// The contexts before it runs.
    pub(crate) scope: Scope,
    pub(crate) control: Arc<JobControl>,
    pub(crate) voice: JobVoice,
    /// Where it goes on, if it does.
    pub(crate) resume: Option<Arc<Resume>>,
}

/// A job that runs.
pub(crate) struct JobRun<'r> {
    pub(crate) runner: &'r Runner,
    pub(crate) task: JobTask,
    /// When its time is over.
    pub(crate) deadline: Option<Instant>,
}

/// A called workflow of another repository.
pub(crate) struct RemoteWorkflow {
    /// `owner/name`.
    pub(crate) repository: String,
    pub(crate) path: String,
    pub(crate) version: String,
}

impl JobRun<'_> {
    /// The workflow that the job stands in, if that is of another repository: its file is named `OWNER/NAME/PATH@REF`.
    pub(crate) fn remote_workflow(&self) -> Option<RemoteWorkflow> {
        let (place, version) = self.task.workflow.file.name().rsplit_once('@')?;
        let (at, _) = place.match_indices('/').nth(1).filter(|_| !place.starts_with(['/', '.']))?;
        let (repository, path) = place.split_at(at);
        Some(RemoteWorkflow {
            repository: repository.to_owned(),
            path: path.trim_start_matches('/').to_owned(),
            version: version.to_owned(),
        })
    }
}

/// How a job has ended, before it is told.
pub(crate) struct JobEnd {
    pub(crate) result: JobResult,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) url: Option<String>,
    pub(crate) error: Option<String>,
    /// Whether it stays as it was left.
    pub(crate) kept: bool,
}

impl JobEnd {
    fn failed(error: impl Into<String>) -> Self {
        Self {
            result: JobResult::Failure,
            outputs: Vec::new(),
            url: None,
            error: Some(error.into()),
            kept: false,
        }
    }
}

impl<'r> JobRun<'r> {
    pub(crate) fn new(runner: &'r Runner, task: JobTask) -> Self {
        Self { runner, task, deadline: None }
    }

    /// Runs it to its end, tells of it, and says how it ended. What it leaves is to be dropped, which nobody need wait for.
    pub(crate) fn run(mut self) -> (CellOutcome, Option<Place>) {
        let JobKind::Steps(model) = self.task.job.kind.clone() else {
            return (self.finish(JobEnd::failed("the job has no steps"), false), None);
        };
        let specification = match Specification::new(&self, &model) {
            Ok(specification) => specification,
            Err(Unfit::Runner(unknown)) => return (self.skip(&unknown.to_string(), &unknown.help()), None),
            Err(Unfit::Value(message)) => {
                self.task
                    .voice
                    .say(Annotation::new(AnnotationLevel::Error, self.task.voice.run.mask(&message)));
                return (self.finish(JobEnd::failed(message), false), None);
            }
        };
        self.deadline = Some(Instant::now() + specification.timeout);
        let continue_on_error = specification.continue_on_error;
        self.task.voice.say(JobEvent::Started {
            name: self.task.name.clone(),
            runs_on: specification.labels.clone(),
            image: specification.image.to_string(),
            steps: Vec::new(),
        });
        let (end, place) = self.carry_out(&model, &specification);
        (self.finish(end, continue_on_error), place)
    }

    /// Nothing here runs it.
    fn skip(&self, reason: &str, help: &str) -> CellOutcome {
        // It names no job, so that jobs which are skipped alike have one warning in the end.
        let message = format!("skipped: {reason}; {help}");
        self.task.voice.say(Annotation::new(AnnotationLevel::Warning, message));
        self.task.voice.say(JobEvent::Skipped { name: self.task.name.clone(), reason: reason.to_owned() });
        CellOutcome::new(JobResult::Skipped)
    }

    fn finish(&self, end: JobEnd, continue_on_error: bool) -> CellOutcome {
        let voice = &self.task.voice;
        let mut outputs = BTreeMap::new();
        for (name, value) in &end.outputs {
            // GitHub hands no output on that may be a secret.
            if voice.run.masker.finds_in(value) {
                let message = format!("Skip output '{name}' since it may contain secret.");
                voice.say(Annotation::new(AnnotationLevel::Warning, message));
            } else {
                outputs.insert(name.clone(), value.clone());
            }
        }
        voice.say(JobEvent::Finished {
            conclusion: crate::dispatch::conclusion(end.result),
            continue_on_error: continue_on_error && end.result == JobResult::Failure,
            outputs: outputs.clone(),
            url: end.url.map(|url| voice.run.mask(&url)),
            error: end.error.map(|error| voice.run.mask(&error)),
            kept: end.kept,
        });
        let outputs: Object =
            outputs.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str()))).collect();
        CellOutcome { result: end.result, outputs, continue_on_error }
    }

    /// The values of the job's `outputs:` and its environment's address, when its steps have ended.
    fn closing_values(&self, model: &StepsJob, scope: &Scope) -> (Vec<(String, String)>, Option<String>) {
        let evaluator = Evaluator::new(&self.task.workflow.file, scope);
        let complain = |error: &crate::EvaluationError| {
            let message = self.task.voice.run.mask(&error.to_string());
            self.task.voice.say(Annotation::new(AnnotationLevel::Error, message));
        };
        let mut outputs = Vec::new();
        for (key, token) in model.outputs.as_ref().map_or(&[][..], |outputs| outputs.entries()) {
            match (key.as_str(), evaluator.text(token)) {
                (Some(name), Ok(value)) if !value.is_empty() => outputs.push((name.to_owned(), value)),
                (_, Ok(_)) => {}
                (_, Err(error)) => complain(&error),
            }
        }
        let url = model.environment.as_ref().and_then(|environment| environment.entry("url"));
        let url = url.and_then(|token| evaluator.text(token).inspect_err(complain).ok());
        (outputs, url.filter(|url| !url.is_empty()))
    }

    /// The file that the job stands in.
    pub(crate) fn file(&self) -> &longshore_syntax::SourceFile {
        &self.task.workflow.file
    }

    /// What is left of the job's time.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Minutes as the file has them.
pub(crate) fn minutes(minutes: f64) -> Duration {
    Duration::try_from_secs_f64((minutes * 60.0).max(0.0))
        .unwrap_or(Duration::MAX / 4)
        .min(Duration::from_hours(35 * 24))
}

/// Minutes for people to read.
pub(crate) fn shown_minutes(time: Duration) -> f64 {
    // Seconds do not all have an exact number of minutes.
    (time.as_secs_f64() / 0.06).round() / 1000.0
}

/// How a step or job has ended, in the words of the graph.
pub(crate) fn result(conclusion: Conclusion) -> JobResult {
    match conclusion {
        Conclusion::Success => JobResult::Success,
        Conclusion::Failure => JobResult::Failure,
        Conclusion::Cancelled => JobResult::Cancelled,
        Conclusion::Skipped => JobResult::Skipped,
    }
}

/// The secrets of a job by name, for who needs them all.
pub(crate) fn secret_values(secrets: &Object) -> Vec<(String, Secret<String>)> {
    secrets
        .iter()
        .map(|(name, value)| (name.to_string(), Secret::new(value.to_text().into_owned())))
        .collect()
}
