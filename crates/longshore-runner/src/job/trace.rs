//! What steps found when they began, and where the first one failed: what is needed to keep a failed job.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use longshore_event::StepNumber;

/// Where a process worked, and with which variables.
pub(crate) type Surroundings = (Vec<(String, String)>, String);

/// What is remembered of the steps of a job. Shared by steps that run at the same time.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    begun: Vec<Begun>,
    /// The last process of each step that failed.
    processes: HashMap<StepNumber, Surroundings>,
    failed: Option<Failed>,
}

/// A step of the job's list that has begun.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    pub(crate) number: StepNumber,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) path: Vec<String>,
    /// How many posts there were.
    pub(crate) posts: usize,
}

/// The first step that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) number: StepNumber,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) surroundings: Surroundings,
}

impl Trace {
    /// After steps that were carried out before.
    pub(crate) fn after(begun: Vec<Begun>) -> Self {
        Self { inner: Mutex::new(Inner { begun, ..Inner::default() }) }
    }

    /// A step of the job's list begins; they do in order.
    pub(crate) fn begin(&self, begun: Begun) {
        self.inner().begun.push(begun);
    }

    /// A process of a step has failed.
    pub(crate) fn process(&self, step: StepNumber, env: &[(String, String)], directory: &str) {
        self.inner().processes.insert(step, (env.to_vec(), directory.to_owned()));
    }

    /// A step has failed, and the job with it. Without a process of its own it is as if one had failed that it would
    /// have started.
    pub(crate) fn fail(
        &self,
        number: StepNumber,
        id: &str,
        name: &str,
        other: impl FnOnce() -> Surroundings,
    ) {
        let mut inner = self.inner();
        if inner.failed.is_some() {
            return;
        }
        let surroundings = inner.processes.remove(&number).unwrap_or_else(other);
        inner.failed = Some(Failed { number, id: id.to_owned(), name: name.to_owned(), surroundings });
    }

    /// The first step that failed.
    pub(crate) fn failed(&self) -> Option<Failed> {
        self.inner().failed.clone()
    }

    /// The steps that have begun.
    pub(crate) fn begun(&self) -> Vec<Begun> {
        self.inner().begun.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
