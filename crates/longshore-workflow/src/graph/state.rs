//! The states of jobs and cells.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use longshore_expr::{Object, Value};

use crate::evaluate::Knowledge;
use crate::model::{Job, Workflow};
use crate::plan::MatrixPlan;
use crate::plan::strategy::Strategy;

/// How a job or cell has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobResult {
    /// All went well.
    Success,
    /// Something went wrong.
    Failure,
    /// It was stopped, or never started because the run was.
    Cancelled,
    /// It did not run.
    Skipped,
}

impl JobResult {
    /// The word that `needs.*.result` has.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    /// The worst of several; skipped only if all are.
    pub(super) fn of_all(results: impl Iterator<Item = Self>) -> Self {
        let rank = |result: &Self| match result {
            Self::Skipped => 0,
            Self::Success => 1,
            Self::Cancelled => 2,
            Self::Failure => 3,
        };
        results.max_by_key(rank).unwrap_or(Self::Skipped)
    }
}

/// One cell of one job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId {
    /// The job's id.
    pub job: String,
    /// The number of the cell; 0 for a job without a matrix.
    pub cell: usize,
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.job, self.cell + 1)
    }
}

/// A cell that can start.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadyCell {
    /// Which.
    pub id: CellId,
    /// Its values; `None` without a matrix.
    pub matrix: Option<Object>,
    /// What is known to it: `needs`, `matrix`, `strategy` and what the graph was made with.
    pub knowledge: Knowledge,
}

/// How a cell has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CellOutcome {
    /// How.
    pub result: JobResult,
    /// Its outputs.
    pub outputs: Object,
    /// Whether its failure does not count (`continue-on-error`).
    pub continue_on_error: bool,
}

impl CellOutcome {
    /// The result without outputs.
    pub fn new(result: JobResult) -> Self {
        Self { result, outputs: Object::default(), continue_on_error: false }
    }

    pub(super) fn effective(&self) -> JobResult {
        match self.result {
            JobResult::Failure if self.continue_on_error => JobResult::Success,
            result => result,
        }
    }
}

/// A report that does not fit the state of the graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// There is no such job.
    #[error("cannot complete a cell of `{0}`: there is no such job")]
    UnknownJob(String),
    /// The cell was not started, or has ended.
    #[error("cannot complete `{0}`: it is not running")]
    NotRunning(CellId),
}

/// One job.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) job: Job,
    /// The indices of the jobs it needs.
    pub(super) needs: Vec<usize>,
    /// The indices of the jobs that need it.
    pub(super) dependents: Vec<usize>,
    /// How many of its needs have not ended.
    pub(super) unsettled: usize,
    /// What is known of all jobs it needs, directly or not, once they have ended.
    pub(super) behind: Behind,
    pub(super) state: State,
}

/// What there is among some jobs that have ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Behind {
    /// A failure.
    pub(super) failure: bool,
    /// Anything but a success.
    pub(super) stopped: bool,
}

impl Behind {
    /// Adds a job and what is behind it.
    pub(super) fn add(&mut self, node: &Node) {
        self.failure |= node.behind.failure || node.result() == Some(JobResult::Failure);
        self.stopped |= node.behind.stopped || node.result() != Some(JobResult::Success);
    }
}

/// How far a job is.
#[derive(Debug)]
pub(super) enum State {
    /// Not all that it needs has ended.
    Waiting,
    /// Some of its cells wait or run.
    Running(Running),
    /// It has ended.
    Done { result: JobResult, outputs: Object },
}

/// A job whose cells are known.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) strategy: Strategy,
    pub(super) cells: Vec<Cell>,
    pub(super) fail_fast: bool,
    pub(super) max_parallel: usize,
    outputs: Object,
}

/// How far a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Waiting,
    Running,
    Done(JobResult),
}

impl State {
    pub(super) fn done(result: JobResult) -> Self {
        Self::Done { result, outputs: Object::default() }
    }

    pub(super) fn running(strategy: Strategy) -> Self {
        let (fail_fast, max_parallel) = match &strategy.matrix {
            MatrixPlan::Cells { fail_fast, max_parallel } => {
                let most = max_parallel.as_ref().and_then(|planned| planned.known()).copied();
                (fail_fast.known().copied().unwrap_or(true), most)
            }
            _ => (true, None),
        };
        #[expect(clippy::cast_sign_loss, reason = "checked to be at least one; the cast saturates")]
        let max_parallel = max_parallel.filter(|most| *most >= 1.0).map_or(usize::MAX, |most| most as usize);
        let count = strategy.cells.as_ref().map_or(1, Vec::len);
        let cells = vec![Cell::Waiting; count];
        Self::Running(Running { strategy, cells, fail_fast, max_parallel, outputs: Object::default() })
    }
}

impl Running {
    pub(super) fn count(&self, state: Cell) -> usize {
        self.cells.iter().filter(|cell| **cell == state).count()
    }

    /// Adds the outputs of a cell; of the same output, the last that is not empty counts.
    pub(super) fn merge(&mut self, outputs: Object) {
        if self.outputs.is_empty() {
            self.outputs = outputs;
            return;
        }
        let mut merged: Vec<(Arc<str>, Value)> =
            self.outputs.iter().map(|(key, value)| (Arc::clone(key), value.clone())).collect();
        for (key, value) in outputs.iter().filter(|(_, value)| value.is_truthy()) {
            merged.push((Arc::clone(key), value.clone()));
        }
        self.outputs = Object::from_entries(merged);
    }

    /// Gives up what waits; returns what runs.
    pub(super) fn cancel(&mut self, job: &str) -> Vec<CellId> {
        let mut running = Vec::new();
        for (at, cell) in self.cells.iter_mut().enumerate() {
            match cell {
                Cell::Waiting => *cell = Cell::Done(JobResult::Cancelled),
                Cell::Running => running.push(CellId { job: job.to_owned(), cell: at }),
                Cell::Done(_) => {}
            }
        }
        running
    }
}

impl Node {
    pub(super) fn result(&self) -> Option<JobResult> {
        match &self.state {
            State::Done { result, .. } => Some(*result),
            _ => None,
        }
    }

    pub(super) fn outputs(&self) -> Object {
        match &self.state {
            State::Done { outputs, .. } => outputs.clone(),
            _ => Object::default(),
        }
    }

    /// Ends the job if all its cells have ended; whether it has.
    pub(super) fn finish(&mut self) -> bool {
        let State::Running(running) = &self.state else { return false };
        let results: Option<Vec<JobResult>> = running
            .cells
            .iter()
            .map(|cell| match cell {
                Cell::Done(result) => Some(*result),
                _ => None,
            })
            .collect();
        let Some(results) = results else { return false };
        let result = JobResult::of_all(results.into_iter());
        self.state = State::Done { result, outputs: running.outputs.clone() };
        true
    }
}

/// The index of jobs by lower-case id.
pub(super) fn index(workflow: &Workflow) -> HashMap<String, usize> {
    workflow.jobs.iter().enumerate().map(|(at, job)| (job.id.value.to_ascii_lowercase(), at)).collect()
}

/// The jobs of a workflow with their needs; needs that do not exist are left out.
pub(super) fn nodes(workflow: &Workflow, index: &HashMap<String, usize>) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::with_capacity(workflow.jobs.len());
    for job in &workflow.jobs {
        let needs: Vec<usize> = job
            .needs
            .iter()
            .filter_map(|need| index.get(&need.value.to_ascii_lowercase()).copied())
            .collect();
        nodes.push(Node {
            job: job.clone(),
            unsettled: needs.len(),
            needs,
            dependents: Vec::new(),
            behind: Behind::default(),
            state: State::Waiting,
        });
    }
    let edges: Vec<(usize, usize)> = nodes
        .iter()
        .enumerate()
        .flat_map(|(at, node)| node.needs.iter().map(move |need| (*need, at)))
        .collect();
    for (need, dependent) in edges {
        if let Some(node) = nodes.get_mut(need) {
            node.dependents.push(dependent);
        }
    }
    nodes
}
