//! Steps of a job that run beside the others.
//!
//! What such a step sets (outputs, results, variables, paths) is seen by others only once a `wait`, `wait-all` or `cancel`
//! step has joined it, and its failure fails the joining step. When the steps of the job have ended, those are waited for
//! that nobody joined, before the post steps, and then every failure counts for the job. One that a `cancel` step ended is
//! what was wanted, so that it counts for nothing. At most [`MOST`] run at the same time; others wait for a place.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use longshore_event::Conclusion;

use super::{Progress, StepResults};
use crate::control::{JobControl, StopFlag};

/// How many run at the same time.
const MOST: usize = 10;

/// The background steps of a job, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Background {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    steps: Vec<Begun>,
    /// How many have a place.
    placed: usize,
}

#[derive(Debug)]
struct Begun {
    id: String,
    stop: Arc<StopFlag>,
    /// A `cancel` step named it.
    is_cancelled: bool,
    end: Option<Aside>,
    /// Whether others see what it left.
    is_joined: bool,
}

/// What a background step leaves for others.
#[derive(Debug, Clone)]
pub(crate) struct Aside {
    pub(crate) outcome: Conclusion,
    pub(crate) conclusion: Conclusion,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) changes: Changes,
}

/// What a step changes for the steps after it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    /// Variables.
    pub(crate) env: Vec<(String, String)>,
    /// Directories in front of `PATH`, the oldest first.
    pub(crate) path: Vec<String>,
}

/// A place among those that run; given back when dropped.
pub(super) struct Berth<'b>(&'b Background);

impl Aside {
    /// What a step leaves that could not even tell how it failed.
    pub(super) fn failed() -> Self {
        let failure = Conclusion::Failure;
        Self { outcome: failure, conclusion: failure, outputs: Vec::new(), changes: Changes::default() }
    }
}

impl Changes {
    /// Lets others see them.
    pub(crate) fn apply(self, progress: &Progress) {
        for (name, value) in self.env {
            progress.set_env(&name, value);
        }
        self.path.into_iter().for_each(|directory| progress.add_path(directory));
    }
}

impl Background {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step begins, or will when it has a place.
    pub(super) fn begin(&self, id: &str) -> Arc<StopFlag> {
        let stop = Arc::new(StopFlag::default());
        let (id, end) = (id.to_owned(), None);
        let begun = Begun { id, stop: Arc::clone(&stop), is_cancelled: false, end, is_joined: false };
        self.state().steps.push(begun);
        stop
    }

    /// Waits for a place among those that run. Who is to end needs none.
    pub(super) fn berth(&self, stop: &StopFlag, control: &JobControl) -> Option<Berth<'_>> {
        let mut state = self.state();
        loop {
            if stop.is_asked() || control.cancelled().is_some() {
                return None;
            }
            if state.placed < MOST {
                state.placed += 1;
                return Some(Berth(self));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether one runs or waits for a place.
    pub(super) fn is_busy(&self) -> bool {
        self.state().steps.iter().any(|begun| begun.end.is_none())
    }

    /// A step has ended.
    pub(super) fn end(&self, id: &str, aside: Aside) {
        if let Some(begun) = self.state().find(id) {
            begun.end = Some(aside);
        }
        self.changed.notify_all();
    }

    /// Asks a step to end.
    pub(super) fn cancel(&self, id: &str, control: &JobControl) {
        let stop = self.state().find(id).map(|begun| {
            begun.is_cancelled = true;
            Arc::clone(&begun.stop)
        });
        if let Some(stop) = stop {
            stop.ask(control);
            self.changed.notify_all();
        }
    }

    /// Waits until these have ended, or all that began so far, and lets others see what they left. What has been joined
    /// before is not joined again. Gives what they come to together.
    pub(super) fn join(
        &self,
        ids: Option<&[String]>,
        results: &StepResults,
        progress: &Progress,
    ) -> Conclusion {
        let mut state = self.state();
        let wanted = |begun: &Begun| {
            ids.map_or(!begun.is_joined, |ids| ids.iter().any(|id| id.eq_ignore_ascii_case(&begun.id)))
        };
        while state.steps.iter().any(|begun| wanted(begun) && begun.end.is_none()) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut all = Conclusion::Success;
        for begun in state.steps.iter_mut().filter(|begun| wanted(begun)) {
            let Some(end) = &begun.end else { continue };
            if !begun.is_joined {
                results.set(&begun.id, end.outcome, end.conclusion, &end.outputs);
                end.changes.clone().apply(progress);
                begun.is_joined = true;
            }
            all = worse(all, end.conclusion);
        }
        all
    }

    /// What all come to for the job, when all have ended.
    pub(super) fn verdict(&self) -> Conclusion {
        let state = self.state();
        let counts = |begun: &&Begun| {
            let conclusion = begun.end.as_ref().map(|end| end.conclusion);
            !(begun.is_cancelled && conclusion == Some(Conclusion::Cancelled))
        };
        let ends = state.steps.iter().filter(counts).filter_map(|begun| begun.end.as_ref());
        ends.fold(Conclusion::Success, |all, end| worse(all, end.conclusion))
    }
}

impl State {
    fn find(&mut self, id: &str) -> Option<&mut Begun> {
        self.steps.iter_mut().find(|begun| begun.id.eq_ignore_ascii_case(id))
    }
}

impl Drop for Berth<'_> {
    fn drop(&mut self) {
        self.0.state().placed -= 1;
        self.0.changed.notify_all();
    }
}

/// Of two, the one that counts.
fn worse(one: Conclusion, other: Conclusion) -> Conclusion {
    let rank = |conclusion| match conclusion {
        Conclusion::Skipped | Conclusion::Success => 0,
        Conclusion::Failure => 1,
        Conclusion::Cancelled => 2,
    };
    let worst = if rank(other) > rank(one) { other } else { one };
    if worst == Conclusion::Skipped { Conclusion::Success } else { worst }
}
