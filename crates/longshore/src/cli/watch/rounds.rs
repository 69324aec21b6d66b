//! Rounds of runs: one begins with the first run after a rest and ends with the last. Within one, a newer save cancels the
//! runs of the workflows that it affects, and starts them anew at once; runs never meet, so nobody waits for the end of the
//! others.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use longshore_event::RunId;
use longshore_report::render_error;
use longshore_runner::Shutdown;
use longshore_source::{Saved, WatchError};

use super::affected::Affected;
use super::telling::{Came, Telling};
use super::{Outcome, Post, Session};
use crate::cli::carry::{Begun, CarriedOut, CarryError, Stage, complain_of_record};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::SharedDisplay;
use crate::run::secrets::Secrets;

/// How long a run whose place is taken has for its end. Nobody wants its result, so that is less than when a person cancels.
const GRACE: Duration = Duration::from_secs(2);

/// What the loop hears of.
pub(super) enum Heard {
    /// Files were saved, or there will be no more of them.
    Saved(Result<Saved, WatchError>),
    /// Ctrl-C.
    Signal,
    /// A run has ended.
    Ended(RunId, CarriedOut),
}

/// A run that goes on.
struct Active {
    workflow: String,
    shutdown: Shutdown,
    /// Whether a newer one takes its place.
    is_superseded: bool,
    /// When it is killed, if it has not ended by then.
    deadline: Option<Instant>,
}

/// Runs that are shown together.
struct Round {
    display: SharedDisplay,
    runs: Vec<RunId>,
}

pub(super) struct Rounds<'s, 'e> {
    post: &'s Post<'s>,
    stage: &'s Stage<'s>,
    secrets: &'s Secrets,
    telling: Telling,
    threads: &'s Scope<'s, 'e>,
    messages: Sender<Heard>,
    active: BTreeMap<RunId, Active>,
    round: Option<Round>,
    /// Whether a save has started something.
    has_begun: bool,
    /// Whether all went well in the last round that was not superseded.
    is_good: bool,
    /// Why this is the last round.
    ending: Option<Result<(), WatchError>>,
}

impl<'s, 'e> Rounds<'s, 'e> {
    pub(super) fn new(
        post: &'s Post<'s>,
        stage: &'s Stage<'s>,
        secrets: &'s Secrets,
        telling: Telling,
        threads: &'s Scope<'s, 'e>,
        messages: Sender<Heard>,
    ) -> Self {
        let (active, round) = (BTreeMap::new(), None);
        Self {
            post,
            stage,
            secrets,
            telling,
            threads,
            messages,
            active,
            round,
            has_begun: false,
            is_good: true,
            ending: None,
        }
    }

    /// Carries out what is affected first, and then what saves affect, until somebody wants an end.
    pub(super) fn go_on(
        &mut self,
        first: Option<Affected>,
        inbox: &Receiver<Heard>,
        session: &mut Session,
    ) -> Outcome {
        let outcome = self.watch(first, inbox, session);
        // After a failure, runs may still go on.
        self.end(Ok(()));
        outcome
    }

    fn watch(&mut self, first: Option<Affected>, inbox: &Receiver<Heard>, session: &mut Session) -> Outcome {
        if let Some(first) = first {
            let begun = self.begin(&first, session)?;
            self.start(begun, session);
        }
        if self.active.is_empty() {
            self.telling.waits(session)?;
        }
        loop {
            match self.listen(inbox) {
                Some(Heard::Saved(Ok(saved))) if self.ending.is_none() => self.saved(&saved, session)?,
                Some(Heard::Saved(Ok(_))) => {}
                Some(Heard::Saved(Err(error))) => self.end(Err(error)),
                Some(Heard::Signal) => self.end(Ok(())),
                Some(Heard::Ended(run, ended)) => self.ended(run, &ended, session)?,
                None => self.press(),
            }
            if let Some(outcome) = self.over() {
                return outcome;
            }
        }
    }

    /// Waits for something to happen; nothing, if a superseded run takes too long.
    fn listen(&self, inbox: &Receiver<Heard>) -> Option<Heard> {
        let deadline = self.active.values().filter_map(|active| active.deadline).min();
        let heard = match deadline {
            Some(deadline) => inbox.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        heard.ok()
    }

    /// Kills superseded runs that take too long.
    fn press(&mut self) {
        for active in self.active.values_mut() {
            if active.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                active.shutdown.ask();
                active.deadline = None;
            }
        }
    }

    /// No more runs are begun; those that go on are cancelled, and killed when this is asked for again.
    fn end(&mut self, why: Result<(), WatchError>) {
        for active in self.active.values_mut() {
            active.shutdown.ask();
            active.deadline = None;
        }
        self.ending.get_or_insert(why);
    }

    /// How it ends, if nothing runs any more and nothing more is waited for.
    fn over(&mut self) -> Option<Outcome> {
        if !self.active.is_empty() {
            return None;
        }
        match self.ending.take() {
            Some(Err(error)) => Some(Err(error.into())),
            Some(Ok(())) if !self.post.args.once => Some(Ok(Exit::Success)),
            Some(Ok(())) => Some(Ok(Exit::Failed)),
            None if self.post.args.once && self.has_begun => {
                Some(Ok(if self.is_good { Exit::Success } else { Exit::Failed }))
            }
            None => None,
        }
    }

    fn saved(&mut self, saved: &Saved, session: &mut Session) -> Result<(), Failure> {
        let display = self.round.as_ref().map(|round| Arc::clone(&round.display));
        // Nothing is drawn while something else is said.
        let mut screen =
            display.as_ref().map(|display| display.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(screen) = &mut screen {
            screen.step_aside();
        }
        let mut came = Came::default();
        let begun = match self.post.affected(saved, session) {
            Ok(affected) => {
                let begun = self.begin(&affected, session)?;
                came.superseded = self.supersede(&begun);
                came.begun = begun.iter().map(|begun| (begun.id(), begun.workflow().to_owned())).collect();
                came.untouched = affected.untouched;
                begun
            }
            Err(failure) => {
                came.error = Some(failure.error.to_string());
                complain(&failure, session);
                Vec::new()
            }
        };
        self.telling.saved(saved, &came, session)?;
        drop(screen);
        self.has_begun |= !begun.is_empty();
        self.start(begun, session);
        if self.active.is_empty() {
            self.telling.waits(session)?;
        }
        Ok(())
    }

    /// Numbers the runs.
    fn begin(&self, affected: &Affected, session: &mut Session) -> Result<Vec<Begun>, Failure> {
        let prepared = &affected.prepared;
        let mut begun = Vec::new();
        for workflow in prepared.starting() {
            let Some(request) = prepared.request(workflow, self.secrets, self.post.args.carry.debug) else {
                continue;
            };
            let root = request.project.root.display().to_string();
            let history = &self.stage.history;
            let recorder = history.begin(&root, workflow.file.name()).map_err(CarryError::History)?;
            begun.push(self.stage.begin(recorder, request, &self.post.recorded(prepared, session), session));
        }
        Ok(begun)
    }

    /// Cancels the runs whose place others take; which.
    fn supersede(&mut self, begun: &[Begun]) -> Vec<(RunId, String)> {
        let mut superseded = Vec::new();
        for (run, active) in &mut self.active {
            if let Some(newer) = begun.iter().find(|begun| begun.workflow() == active.workflow)
                && !active.is_superseded
            {
                active
                    .shutdown
                    .cancel(&format!("run {} takes its place, because files were saved", newer.id()));
                active.is_superseded = true;
                active.deadline = Some(Instant::now() + GRACE);
                superseded.push((*run, active.workflow.clone()));
            }
        }
        superseded
    }

    /// Starts runs, each on a thread of its own.
    fn start(&mut self, begun: Vec<Begun>, session: &Session) {
        if begun.is_empty() {
            return;
        }
        let stage = self.stage;
        if self.round.is_none() {
            self.is_good = true;
        }
        let round =
            self.round.get_or_insert_with(|| Round { display: stage.display(session), runs: Vec::new() });
        for begun in begun {
            let (run, shutdown) = (begun.id(), Shutdown::default());
            round.runs.push(run);
            let active = Active {
                workflow: begun.workflow().to_owned(),
                shutdown: shutdown.clone(),
                is_superseded: false,
                deadline: None,
            };
            self.active.insert(run, active);
            let (display, messages) = (Arc::clone(&round.display), self.messages.clone());
            self.threads.spawn(move || {
                let carried_out = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    stage.carry_one(begun, display, &shutdown)
                }));
                let _ = messages.send(Heard::Ended(run, carried_out.unwrap_or_default()));
            });
        }
    }

    fn ended(&mut self, run: RunId, ended: &CarriedOut, session: &mut Session) -> Result<(), Failure> {
        let was_wanted = self.active.remove(&run).is_some_and(|active| !active.is_superseded);
        self.is_good &= ended.is_good() || !was_wanted;
        if let Some(trouble) = &ended.trouble {
            complain_of_record(trouble, session);
        }
        if !self.active.is_empty() {
            return Ok(());
        }
        if let Some(round) = self.round.take() {
            // A reader who has gone is no reason to end.
            let _ = round.display.lock().unwrap_or_else(PoisonError::into_inner).finish();
            self.stage.conclude(&round.runs, session)?;
        }
        if self.ending.is_none() && !(self.post.args.once && self.has_begun) {
            self.telling.waits(session)?;
        }
        Ok(())
    }
}

fn complain(failure: &Failure, session: &mut Session) {
    let style = session.output.talk_style();
    session.output.complain(&longshore_report::diagnostic::text::render(&failure.findings, style));
    session.output.complain(&render_error(&*failure.error, failure.help.as_deref(), style));
}
