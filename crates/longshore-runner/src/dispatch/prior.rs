//! Results of an earlier attempt that still hold.
//!
//! A result holds if everything that the job needs has its earlier result, too. Once a job is carried out anew, so is all
//! that needs it, through calls of workflows as well.

use longshore_event::{Conclusion, JobEvent, JobKey, RunSink};
use longshore_expr::{Object, Value};
use longshore_workflow::graph::{CellOutcome, JobResult, ReadyCell};

use super::{Dispatcher, Place};
use crate::request::Prior;

impl Dispatcher<'_> {
    /// The earlier result of a cell, if it holds. If not, what needs it is carried out anew.
    pub(super) fn prior(&mut self, at: usize, ready: &ReadyCell, key: &JobKey, name: &str) -> Option<Prior> {
        let level = self.levels.get_mut(at)?;
        let known = self.facts.request.prior.get(key.as_str()).filter(|prior| prior.name == name);
        let held = known.filter(|_| !level.is_renewed(&ready.id.job));
        if held.is_none() {
            level.renew(&ready.id.job);
        }
        held.cloned()
    }

    /// Ends a cell with its earlier result.
    pub(super) fn take_over(
        &mut self,
        place: &Place,
        key: &JobKey,
        name: &str,
        prior: &Prior,
        sink: &mut dyn RunSink,
    ) {
        let reason = format!("its result is that of run {}", prior.run);
        self.tell(sink, Some(key), JobEvent::Queued { name: name.to_owned(), reason: Some(reason) });
        self.told.insert(key.clone());
        let event = JobEvent::Finished {
            conclusion: prior.conclusion,
            continue_on_error: prior.continue_on_error,
            outputs: prior.outputs.clone(),
            url: prior.url.clone(),
            error: prior.error.clone(),
            kept: false,
        };
        self.tell(sink, Some(key), event);
        let outputs: Object =
            prior.outputs.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str()))).collect();
        let result = match prior.conclusion {
            Conclusion::Success => JobResult::Success,
            Conclusion::Failure => JobResult::Failure,
            Conclusion::Cancelled => JobResult::Cancelled,
            Conclusion::Skipped => JobResult::Skipped,
        };
        let outcome = CellOutcome { result, outputs, continue_on_error: prior.continue_on_error };
        let Some(level) = self.levels.get_mut(place.level) else { return };
        level.keep_outputs(&place.cell, &outcome);
        // An old failure ends no other cell: those that run do so because they were asked for.
        let _ = level.graph.complete(&place.cell, outcome);
    }
}
