//! Waiting for concurrency groups.
//!
//! A run waits before its first job, a job before it takes a place. A job that calls a workflow enters its own group and
//! then that of the called workflow. What waits for a group that somebody around it is in would wait for ever; GitHub calls
//! that a deadlock and cancels, and so do we.

use std::collections::VecDeque;

use longshore_event::{Annotation, AnnotationLevel, Conclusion, JobEvent, JobKey, RunEvent, RunSink};
use longshore_expr::Value;
use longshore_syntax::SourceFile;
use longshore_workflow::graph::{CellOutcome, JobResult, ReadyCell};
use longshore_workflow::model::Concurrency;

use super::level::Level;
use super::{Dispatcher, Place, Waiting};
use crate::concurrency::{GroupWish, Groups, Standing, Ticket};
use crate::context::Scope;
use crate::control::{Shutdown, Wish};
use crate::evaluate::{EvaluationError, Evaluator};
use crate::job::chain;

/// A cell that waits for groups.
pub(super) struct Blocked {
    pub(super) waiting: Waiting,
    /// The level that begins afterwards, if it calls a workflow.
    pub(super) level: Option<Box<Level>>,
    /// The groups that it has yet to enter.
    wishes: VecDeque<GroupWish>,
    /// Those that it is in; it may wait in the last.
    tickets: Vec<Ticket>,
}

/// How a run stands before its first job.
pub(super) enum Admission {
    /// It may begin.
    Granted,
    /// It ends without a job.
    Refused { conclusion: Conclusion, error: String },
}

impl Blocked {
    pub(super) fn new(waiting: Waiting, level: Option<Box<Level>>, wishes: Vec<GroupWish>) -> Self {
        Self { waiting, level, wishes: wishes.into(), tickets: Vec::new() }
    }
}

impl Dispatcher<'_> {
    /// What `concurrency:` asks for.
    pub(super) fn wish_of(
        file: &SourceFile,
        concurrency: Option<&Concurrency>,
        scope: &Scope,
    ) -> Result<Option<GroupWish>, EvaluationError> {
        let Some(concurrency) = concurrency else { return Ok(None) };
        let evaluator = Evaluator::new(file, scope);
        let name = evaluator.text(concurrency.group.as_ref().unwrap_or(&concurrency.token))?;
        if name.is_empty() {
            return Ok(None);
        }
        let cancel = concurrency.cancel_in_progress.as_ref();
        Ok(Some(GroupWish {
            name,
            cancel_in_progress: cancel.map_or(Ok(false), |token| evaluator.boolean(token))?,
            queue_all: concurrency.queue.as_ref().is_some_and(|queue| queue.value == "max"),
        }))
    }

    /// The group of a workflow, which its inputs may decide.
    pub(super) fn workflow_wish(&self, level: &Level) -> Result<Option<GroupWish>, EvaluationError> {
        let scope = Scope::default()
            .with("github", Value::Object(self.facts.github.clone()))
            .with("inputs", level.inputs.clone())
            .with("vars", Value::Object(self.facts.request.vars.clone()));
        Self::wish_of(&level.workflow.file, level.workflow.concurrency.as_ref(), &scope)
    }

    /// The groups that a cell has to enter, from the outside in; or why that cannot go well.
    pub(super) fn cell_wishes(
        &self,
        place: &Place,
        ready: &ReadyCell,
        called: Option<&Level>,
    ) -> Result<Vec<GroupWish>, (JobResult, String)> {
        let Some(level) = self.levels.get(place.level) else { return Ok(Vec::new()) };
        let failed = |error: EvaluationError| (JobResult::Failure, error.to_string());
        let concurrency = level.job(ready).and_then(|job| job.concurrency.as_ref());
        let scope = level.scope(&self.facts, ready);
        let own = Self::wish_of(&level.workflow.file, concurrency, &scope).map_err(failed)?;
        let inner = called.map(|called| self.workflow_wish(called)).transpose().map_err(failed)?.flatten();
        let wishes: Vec<GroupWish> = own.into_iter().chain(inner).collect();
        let around = self.groups_around(place);
        for (at, wish) in wishes.iter().enumerate() {
            let before = wishes.iter().take(at).map(|wish| wish.name.as_str());
            if around.iter().map(String::as_str).chain(before).any(|name| wish.is(name)) {
                let message = format!(
                    "Canceling since a deadlock for concurrency group '{}' was detected between '{}' and what is \
                     around it",
                    wish.name, ready.id.job
                );
                return Err((JobResult::Cancelled, message));
            }
        }
        Ok(wishes)
    }

    /// The groups that are held around a place: those of the calls and the run that it is in.
    fn groups_around(&self, place: &Place) -> Vec<String> {
        let mut names: Vec<String> = self.ticket.iter().map(|ticket| ticket.group().to_owned()).collect();
        let mut at = self.levels.get(place.level).and_then(|level| level.parent.clone());
        while let Some(parent) = at {
            let held = self.tickets.get(&parent).into_iter().flatten();
            names.extend(held.map(|ticket| ticket.group().to_owned()));
            at = self.levels.get(parent.level).and_then(|level| level.parent.clone());
        }
        names
    }

    fn groups(&self) -> Groups {
        Groups::new(&self.runner.concurrency)
    }

    /// The repository that the names count for. One that only has a name on this machine is told apart by its directory.
    fn repository(&self) -> String {
        let project = &self.facts.request.project;
        match project.repository.strip_prefix("local/") {
            Some(_) => project.root.display().to_string(),
            None => project.repository.clone(),
        }
    }

    /// Enters the run's own group and waits there for its turn.
    pub(super) fn await_own_group(&mut self, sink: &mut dyn RunSink, shutdown: &Shutdown) -> Admission {
        let Some(top) = self.levels.first() else { return Admission::Granted };
        let refused = |conclusion, error: String| Admission::Refused { conclusion, error };
        let wish = match self.workflow_wish(top) {
            Ok(Some(wish)) => wish,
            Ok(None) => return Admission::Granted,
            Err(error) => return refused(Conclusion::Failure, error.to_string()),
        };
        let mut ticket = match self.groups().enter(&self.repository(), &wish) {
            Ok(ticket) => ticket,
            Err(error) => return refused(Conclusion::Failure, chain(&error)),
        };
        let mut told = false;
        loop {
            match ticket.standing() {
                Standing::Running => break,
                Standing::Cancelled => return refused(Conclusion::Cancelled, superseded(&ticket)),
                Standing::Waiting if shutdown.wish() > Wish::GoOn => {
                    let reason = "interrupted".to_owned();
                    self.tell(sink, None, RunEvent::Cancelling { reason });
                    return refused(Conclusion::Cancelled, "the run was cancelled".to_owned());
                }
                Standing::Waiting if !told => {
                    told = true;
                    let reason = waits_for(&self.facts.masker.mask(&wish.name));
                    self.tell(sink, None, RunEvent::Waiting { reason });
                }
                Standing::Waiting => {}
            }
            std::thread::sleep(super::TICK);
            sink.idle();
        }
        self.ticket = Some(ticket);
        Admission::Granted
    }

    /// Ends a run that does not begin: all of its jobs with it.
    pub(super) fn refuse(&mut self, conclusion: Conclusion, error: &str, sink: &mut dyn RunSink) {
        let error = self.facts.masker.mask(error).into_owned();
        self.tell(sink, None, Annotation::new(AnnotationLevel::Error, error.clone()));
        for job in self.facts.outline().jobs {
            let ended = finished(conclusion, Some(error.clone()));
            self.tell(sink, Some(&JobKey::from(job.key)), ended);
        }
    }

    /// Looks after everything that waits in groups, and after who has to leave one.
    pub(super) fn look_at_groups(&mut self, sink: &mut dyn RunSink) {
        if self.ticket.as_mut().is_some_and(|ticket| ticket.standing() == Standing::Cancelled)
            && self.wish == Wish::GoOn
        {
            self.wish = Wish::Cancel;
            let reason = self.ticket.as_ref().map(superseded).unwrap_or_default();
            let reason = self.facts.masker.mask(&reason).into_owned();
            self.tell(sink, None, Annotation::new(AnnotationLevel::Error, reason.clone()));
            self.tell(sink, None, RunEvent::Cancelling { reason: reason.clone() });
            self.cancel_level(0, &reason);
        }
        let ended: Vec<(Place, String)> = self
            .tickets
            .iter_mut()
            .filter(|(place, _)| !self.superseded.contains(place))
            .filter_map(|(place, tickets)| {
                let is_ended = |ticket: &mut Ticket| ticket.standing() == Standing::Cancelled;
                let ended = tickets.iter_mut().find_map(|ticket| is_ended(ticket).then_some(&*ticket));
                ended.map(|ticket| (place.clone(), superseded(ticket)))
            })
            .collect();
        for (place, reason) in ended {
            self.superseded.insert(place.clone());
            self.cancel(&place, &reason);
        }
        // Each once; one that goes may take others with it, and one that goes on waiting comes last.
        for _ in 0..self.blocked.len() {
            let Some(blocked) = self.blocked.pop_front() else { break };
            self.step_forward(blocked, sink);
        }
    }

    /// Lets a cell enter what it can enter now.
    pub(super) fn step_forward(&mut self, mut blocked: Blocked, sink: &mut dyn RunSink) {
        loop {
            match blocked.tickets.last_mut().map(Ticket::standing) {
                None | Some(Standing::Running) => {}
                Some(Standing::Waiting) => {
                    self.blocked.push_back(blocked);
                    return;
                }
                Some(Standing::Cancelled) => {
                    let reason = blocked.tickets.last().map(superseded).unwrap_or_default();
                    self.end_early(&blocked.waiting, JobResult::Cancelled, &reason, sink);
                    return;
                }
            }
            let Some(wish) = blocked.wishes.pop_front() else { break };
            match self.groups().enter(&self.repository(), &wish) {
                Ok(mut ticket) => {
                    if ticket.standing() == Standing::Waiting {
                        let reason = Some(waits_for(&self.facts.masker.mask(&wish.name)));
                        let name = blocked.waiting.name.clone();
                        let key = blocked.waiting.key.clone();
                        self.tell(sink, Some(&key), JobEvent::Queued { name, reason });
                    }
                    blocked.tickets.push(ticket);
                }
                Err(error) => {
                    self.end_early(&blocked.waiting, JobResult::Failure, &chain(&error), sink);
                    return;
                }
            }
        }
        let Blocked { waiting, level, tickets, .. } = blocked;
        if !tickets.is_empty() {
            self.tickets.insert(waiting.place.clone(), tickets);
        }
        match level {
            Some(level) => self.begin_level(&waiting, *level),
            None => self.waiting.push_back(waiting),
        }
    }

    /// Ends a cell that did not begin, and says why.
    pub(super) fn end_early(
        &mut self,
        waiting: &Waiting,
        result: JobResult,
        error: &str,
        sink: &mut dyn RunSink,
    ) {
        let error = self.facts.masker.mask(error).into_owned();
        self.told.insert(waiting.key.clone());
        self.tell(sink, Some(&waiting.key), Annotation::new(AnnotationLevel::Error, error.clone()));
        self.tell(sink, Some(&waiting.key), finished(super::conclusion(result), Some(error)));
        self.complete(&waiting.place, CellOutcome::new(result));
    }
}

fn finished(conclusion: Conclusion, error: Option<String>) -> JobEvent {
    JobEvent::Finished {
        conclusion,
        continue_on_error: false,
        outputs: std::collections::BTreeMap::new(),
        url: None,
        error,
        kept: false,
    }
}

fn waits_for(group: &str) -> String {
    format!("the concurrency group `{group}`")
}

/// Why one has to leave a group, in GitHub's words.
fn superseded(ticket: &Ticket) -> String {
    format!("Canceling since a higher priority waiting request for '{}' exists", ticket.group())
}
