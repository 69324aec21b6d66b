//! Starting jobs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use longshore_event::{Conclusion, JobEvent};
use longshore_workflow::graph::{CellOutcome, JobResult, ReadyCell};

use super::{Dispatcher, Place};
use crate::control::JobControl;
use crate::job::{JobRun, JobTask, Place as JobPlace};
use crate::runner::Runner;
use crate::voice::JobVoice;

impl Dispatcher<'_> {
    /// What a job has to do.
    pub(super) fn task(
        &self,
        ready: &ReadyCell,
        place: &Place,
        name: String,
        control: Arc<JobControl>,
        voice: JobVoice,
    ) -> Option<JobTask> {
        let level = self.levels.get(place.level)?;
        let job = level.job(ready)?.clone();
        let scope = level.scope(&self.facts, ready);
        Some(JobTask {
            facts: Arc::clone(&self.facts),
            workflow: Arc::clone(&level.workflow),
            job,
            name,
            scope,
            control,
            resume: self.facts.request.resume.get(voice.job.as_str()).cloned(),
            voice,
        })
    }
}

/// Runs a job to its end. A mistake of ours fails the job, not the run.
pub(super) fn run(runner: &Runner, task: JobTask) -> (CellOutcome, Option<JobPlace>) {
    let voice = task.voice.clone();
    let run = AssertUnwindSafe(|| JobRun::new(runner, task).run());
    std::panic::catch_unwind(run).unwrap_or_else(|_| {
        voice.say(JobEvent::Finished {
            conclusion: Conclusion::Failure,
            continue_on_error: false,
            outputs: std::collections::BTreeMap::new(),
            url: None,
            error: Some("internal error: a mistake in Longshore ended the job; please report it".to_owned()),
            kept: false,
        });
        (CellOutcome::new(JobResult::Failure), None)
    })
}
