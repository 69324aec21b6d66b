//! The one owner of a run: asks the job graph what may start, starts it, stamps events, hears of ends.
//!
//! Jobs run on threads of their own and speak through one bounded channel, so that a display or a disk that is slow slows
//! the jobs down and fills no memory. A job that calls a workflow is a graph of its own, whose end is the end of the calling
//! cell.

mod call;
mod facts;
mod group;
mod level;
mod prior;
mod start;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Scope as Threads;
use std::time::{Duration, Instant};

use longshore_event::{
    Annotation, AnnotationLevel, Conclusion, Event, EventKind, JobEvent, JobKey, Masker, RunEvent, RunSink,
    StepNumber, Timestamp,
};
use longshore_workflow::graph::{CellId, CellOutcome, JobResult, ReadyCell};

use crate::concurrency::Ticket;
use crate::control::{JobControl, Shutdown, Wish};
use crate::request::{RunOutcome, RunRequest};
use crate::runner::Runner;
use crate::voice::{JobVoice, Voice};
pub(crate) use facts::RunFacts;
use group::{Admission, Blocked};
use level::Level;

/// How many events may wait for the dispatcher before those who speak wait, too. An event may hold the lines of 64 KiB of
/// output, so this bounds the memory that a flood of it takes.
const BACKLOG: usize = 256;

/// How often it is looked whether a person wants an end, and displays may move.
const TICK: Duration = Duration::from_millis(50);

/// What a job tells the dispatcher.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something happened.
    Event {
        /// When.
        at: Timestamp,
        /// In which job.
        job: Option<JobKey>,
        /// In which step.
        step: Option<StepNumber>,
        /// What.
        kind: EventKind,
    },
    /// A job has ended and cleaned up.
    Ended {
        /// The level and cell.
        place: Place,
        /// How.
        outcome: CellOutcome,
    },
}

/// Which cell of which level.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The index of the level.
    pub(crate) level: usize,
    /// The cell.
    pub(crate) cell: CellId,
}

/// A cell that may run and waits for a place.
struct Waiting {
    place: Place,
    ready: ReadyCell,
    key: JobKey,
    name: String,
    /// Whether it was told that it waits.
    is_told: bool,
}

/// Carries out one run.
pub(crate) struct Dispatcher<'r> {
    runner: &'r Runner,
    facts: Arc<RunFacts>,
    levels: Vec<Level>,
    waiting: VecDeque<Waiting>,
    running: HashMap<Place, Arc<JobControl>>,
    /// Jobs of which an end was told, by level and key.
    told: HashSet<JobKey>,
    /// Cells that wait for their concurrency groups.
    blocked: VecDeque<Blocked>,
    /// The concurrency groups that cells are in.
    tickets: HashMap<Place, Vec<Ticket>>,
    /// Cells that were told to leave theirs.
    superseded: HashSet<Place>,
    /// The concurrency group that the run is in.
    ticket: Option<Ticket>,
    seq: u64,
    wish: Wish,
}

impl<'r> Dispatcher<'r> {
    pub(crate) fn new(runner: &'r Runner, request: RunRequest) -> Self {
        let masker = Arc::new(Masker::default());
        let facts = Arc::new(RunFacts::new(runner, request, masker));
        let top = Level::top(&facts);
        Self {
            runner,
            facts,
            levels: vec![top],
            waiting: VecDeque::new(),
            running: HashMap::new(),
            told: HashSet::new(),
            blocked: VecDeque::new(),
            tickets: HashMap::new(),
            superseded: HashSet::new(),
            ticket: None,
            seq: 0,
            wish: Wish::GoOn,
        }
    }

    pub(crate) fn run(mut self, sink: &mut dyn RunSink, shutdown: &Shutdown) -> RunOutcome {
        let (messages, inbox) = sync_channel(BACKLOG);
        let outline = self.facts.outline();
        self.tell(sink, None, RunEvent::Started(Box::new(outline)));
        if let Admission::Refused { conclusion, error } = self.await_own_group(sink, shutdown) {
            self.refuse(conclusion, &error, sink);
            self.tell(sink, None, RunEvent::Finished { conclusion });
            return RunOutcome { conclusion };
        }
        let conclusion = std::thread::scope(|threads| {
            self.drive(threads, &messages, &inbox, sink, shutdown);
            // What cannot be removed now is found at the next start.
            let engine = &self.runner.engine;
            threads.spawn(|| engine.discard_spares());
            // Told before the threads have cleared up.
            self.conclude(sink)
        });
        RunOutcome { conclusion }
    }

    fn conclude(&mut self, sink: &mut dyn RunSink) -> Conclusion {
        let conclusion = match self.levels.first().map_or(JobResult::Success, |level| level.graph.outcome()) {
            // A run of which every job was skipped is a success, unless a person ended it.
            JobResult::Skipped if self.wish == Wish::GoOn => Conclusion::Success,
            JobResult::Skipped => Conclusion::Cancelled,
            result => conclusion(result),
        };
        self.tell(sink, None, RunEvent::Finished { conclusion });
        conclusion
    }

    fn drive<'s>(
        &mut self,
        threads: &'s Threads<'s, '_>,
        messages: &SyncSender<Message>,
        inbox: &Receiver<Message>,
        sink: &mut dyn RunSink,
        shutdown: &Shutdown,
    ) where
        'r: 's,
    {
        let mut idle = Instant::now();
        loop {
            self.advance(sink);
            self.start_waiting(threads, messages, sink);
            if self.running.is_empty()
                && self.waiting.is_empty()
                && self.blocked.is_empty()
                && self.levels.iter().all(|level| level.graph.is_done())
            {
                return;
            }
            match inbox.recv_timeout(TICK) {
                Ok(message) => {
                    self.hear(message, sink);
                    while let Ok(message) = inbox.try_recv() {
                        self.hear(message, sink);
                        if idle.elapsed() >= TICK {
                            break;
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if idle.elapsed() >= TICK {
                sink.idle();
                self.look_at_groups(sink);
                idle = Instant::now();
            }
            self.heed(shutdown, sink);
        }
    }

    /// Asks all graphs what may start, until nothing changes any more.
    fn advance(&mut self, sink: &mut dyn RunSink) {
        loop {
            let mut changed = false;
            for level in 0..self.levels.len() {
                for ready in self.levels[level].graph.ready() {
                    changed = true;
                    self.admit(level, ready, sink);
                }
            }
            // Calls whose jobs have all ended end the cells that made them, which may make more ready.
            changed |= self.finish_calls(sink);
            if !changed {
                break;
            }
        }
        for level in 0..self.levels.len() {
            self.tell_undone(level, sink);
        }
    }

    /// Lets a cell wait for a place, or begins the level of a call.
    fn admit(&mut self, level: usize, ready: ReadyCell, sink: &mut dyn RunSink) {
        let place = Place { level, cell: ready.id.clone() };
        if self.wish == Wish::Kill {
            // Not even what always runs begins any more.
            return self.complete(&place, CellOutcome::new(JobResult::Cancelled));
        }
        let here = &self.levels[level];
        let key = here.key(&ready);
        let name = here.name(&self.facts, &ready);
        if !here.selects(&self.facts, &ready) {
            self.end_unstarted(&place, &key, &name, "not selected", sink);
            return;
        }
        let is_call = here
            .job(&ready)
            .is_some_and(|job| matches!(job.kind, longshore_workflow::model::JobKind::Call(_)));
        let prior = if is_call { None } else { self.prior(level, &ready, &key, &name) };
        if let Some(prior) = prior {
            return self.take_over(&place, &key, &name, &prior, sink);
        }
        let waiting = Waiting { place, ready, key, name, is_told: false };
        let called = if is_call {
            match self.called(&waiting) {
                Ok(called) => Some(Box::new(called)),
                Err(error) => {
                    self.levels[level].renew(&waiting.ready.id.job);
                    return self.end_early(&waiting, JobResult::Failure, &error, sink);
                }
            }
        } else {
            None
        };
        match self.cell_wishes(&waiting.place, &waiting.ready, called.as_deref()) {
            Ok(wishes) => self.step_forward(Blocked::new(waiting, called, wishes), sink),
            Err((result, error)) => self.end_early(&waiting, result, &error, sink),
        }
    }

    fn start_waiting<'s>(
        &mut self,
        threads: &'s Threads<'s, '_>,
        messages: &SyncSender<Message>,
        sink: &mut dyn RunSink,
    ) where
        'r: 's,
    {
        while !self.waiting.is_empty() {
            let Some(slot) = self.runner.slots.take() else { return self.tell_waiting(sink) };
            let Some(waiting) = self.waiting.pop_front() else { return };
            let control = Arc::new(JobControl::default());
            self.running.insert(waiting.place.clone(), Arc::clone(&control));
            let voice = JobVoice {
                run: Voice {
                    messages: messages.clone(),
                    masker: Arc::clone(&self.facts.masker),
                    clock: self.runner.clock,
                },
                job: waiting.key.clone(),
            };
            let task = self.task(&waiting.ready, &waiting.place, waiting.name, control, voice);
            let (runner, messages, place) = (self.runner, messages.clone(), waiting.place);
            threads.spawn(move || {
                let (outcome, left) = task
                    .map_or((CellOutcome::new(JobResult::Failure), None), |task| start::run(runner, task));
                drop(slot);
                let _ = messages.send(Message::Ended { place, outcome });
                // Removing containers takes longer than many a job; nobody waits for it but the end of the process.
                drop(left);
            });
        }
    }

    /// Tells once of each job that it waits for a place.
    fn tell_waiting(&mut self, sink: &mut dyn RunSink) {
        let untold = self.waiting.iter_mut().filter(|waiting| !waiting.is_told);
        let untold: Vec<(JobKey, String)> = untold
            .map(|waiting| {
                waiting.is_told = true;
                (waiting.key.clone(), waiting.name.clone())
            })
            .collect();
        for (key, name) in untold {
            self.tell(sink, Some(&key), JobEvent::Queued { name, reason: Some("a free place".to_owned()) });
        }
    }

    fn hear(&mut self, message: Message, sink: &mut dyn RunSink) {
        match message {
            Message::Event { at, job, step, kind } => {
                if let (Some(job), EventKind::Job(JobEvent::Finished { .. } | JobEvent::Skipped { .. })) =
                    (&job, &kind)
                {
                    self.told.insert(job.clone());
                }
                self.stamp(sink, at, job, step, kind);
            }
            Message::Ended { place, outcome } => {
                self.running.remove(&place);
                self.complete(&place, outcome);
            }
        }
    }

    /// Tells a graph of the end of a cell, and cancels what must end because of it.
    fn complete(&mut self, place: &Place, outcome: CellOutcome) {
        // Others of its concurrency groups may begin.
        self.tickets.remove(place);
        self.superseded.remove(place);
        let Some(level) = self.levels.get_mut(place.level) else { return };
        level.keep_outputs(&place.cell, &outcome);
        // It is running by our own book; a graph that says otherwise has nothing to complete.
        let cancelled = level.graph.complete(&place.cell, outcome).unwrap_or_default();
        for cell in cancelled {
            self.cancel(&Place { level: place.level, cell }, "another job of the matrix failed");
        }
    }

    /// Cancels a cell that was started: the job, or all jobs of the workflow that it calls.
    fn cancel(&mut self, place: &Place, reason: &str) {
        if let Some(control) = self.running.get(place) {
            control.cancel(reason);
        } else if let Some(at) = self.waiting.iter().position(|waiting| waiting.place == *place) {
            self.waiting.remove(at);
            self.complete(place, CellOutcome::new(JobResult::Cancelled));
        } else if let Some(at) = self.blocked.iter().position(|blocked| blocked.waiting.place == *place) {
            self.blocked.remove(at);
            self.complete(place, CellOutcome::new(JobResult::Cancelled));
        } else if let Some(level) = self.levels.iter().position(|level| level.parent.as_ref() == Some(place))
        {
            self.cancel_level(level, reason);
        }
    }

    fn cancel_level(&mut self, level: usize, reason: &str) {
        let cells = self.levels.get_mut(level).map(|level| level.graph.cancel()).unwrap_or_default();
        for cell in cells {
            self.cancel(&Place { level, cell }, reason);
        }
    }

    /// Does what a person wants.
    fn heed(&mut self, shutdown: &Shutdown, sink: &mut dyn RunSink) {
        let wish = shutdown.wish();
        if wish <= self.wish {
            return;
        }
        self.wish = wish;
        self.tell(sink, None, RunEvent::Cancelling { reason: shutdown.reason() });
        self.cancel_level(0, "the run was cancelled");
        if wish == Wish::Kill {
            self.running.values().for_each(|control| control.kill());
            let blocked = self.blocked.iter().map(|blocked| &blocked.waiting);
            let waiting: Vec<Place> =
                self.waiting.iter().chain(blocked).map(|waiting| waiting.place.clone()).collect();
            waiting.iter().for_each(|place| self.cancel(place, "killed"));
        }
    }

    /// Ends a cell that was ready and does not run.
    fn end_unstarted(
        &mut self,
        place: &Place,
        key: &JobKey,
        name: &str,
        reason: &str,
        sink: &mut dyn RunSink,
    ) {
        self.tell_skipped(key, name, reason, sink);
        self.complete(place, CellOutcome::new(JobResult::Skipped));
    }

    fn tell_skipped(&mut self, key: &JobKey, name: &str, reason: &str, sink: &mut dyn RunSink) {
        if self.told.insert(key.clone()) {
            self.tell(
                sink,
                Some(key),
                JobEvent::Skipped { name: name.to_owned(), reason: reason.to_owned() },
            );
        }
    }

    /// Tells of jobs that the graph has ended without a start.
    fn tell_undone(&mut self, level: usize, sink: &mut dyn RunSink) {
        for undone in self.levels[level].take_undone(&self.facts, &self.told) {
            self.told.insert(undone.key.clone());
            if let Some(error) = &undone.error {
                let annotation = Annotation::new(AnnotationLevel::Error, error.clone());
                self.tell(sink, Some(&undone.key), annotation);
            }
            self.tell(sink, Some(&undone.key), undone.event);
        }
    }

    fn tell(&mut self, sink: &mut dyn RunSink, job: Option<&JobKey>, kind: impl Into<EventKind>) {
        self.stamp(sink, (self.runner.clock)(), job.cloned(), None, kind.into());
    }

    fn stamp(
        &mut self,
        sink: &mut dyn RunSink,
        at: Timestamp,
        job: Option<JobKey>,
        step: Option<StepNumber>,
        kind: EventKind,
    ) {
        self.seq += 1;
        sink.take(&Event { seq: self.seq, at, run: self.facts.request.id, job, step, kind });
    }
}

/// How a job has ended, in the words of events.
pub(crate) fn conclusion(result: JobResult) -> Conclusion {
    match result {
        JobResult::Success => Conclusion::Success,
        JobResult::Failure => Conclusion::Failure,
        JobResult::Cancelled => Conclusion::Cancelled,
        JobResult::Skipped => Conclusion::Skipped,
    }
}
