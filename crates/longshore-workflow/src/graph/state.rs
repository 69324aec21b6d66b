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
    /// The indices of all jobs it needs, directly or not.
    pub(super) ancestors: Vec<usize>,
    pub(super) state: State,
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
    pub(super) fn count(&self, state: &Cell) -> usize {
        self.cells.iter().filter(|cell| *cell == state).count()
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
    pub(super) fn is_called(&self, id: &str) -> bool {
        self.job.id.value.eq_ignore_ascii_case(id)
    }

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

    /// Ends the job if all its cells have ended.
    pub(super) fn finish(&mut self) {
        let State::Running(running) = &self.state else { return };
        let results: Option<Vec<JobResult>> = running
            .cells
            .iter()
            .map(|cell| match cell {
                Cell::Done(result) => Some(*result),
                _ => None,
            })
            .collect();
        if let Some(results) = results {
            let result = JobResult::of_all(results.into_iter());
            self.state = State::Done { result, outputs: running.outputs.clone() };
        }
    }
}

/// The jobs of a workflow. Jobs in or behind a circle of needs can never start and are skipped.
pub(super) fn nodes(workflow: &Workflow) -> Vec<Node> {
    let index: HashMap<String, usize> =
        workflow.jobs.iter().enumerate().map(|(at, job)| (job.id.value.to_ascii_lowercase(), at)).collect();
    let mut nodes: Vec<Node> = workflow
        .jobs
        .iter()
        .map(|job| {
            let needs =
                job.needs.iter().filter_map(|need| index.get(&need.value.to_ascii_lowercase()).copied());
            let complete = job.needs.iter().all(|need| index.contains_key(&need.value.to_ascii_lowercase()));
            let state = if complete { State::Waiting } else { State::done(JobResult::Skipped) };
            Node { job: job.clone(), needs: needs.collect(), ancestors: Vec::new(), state }
        })
        .collect();
    let ordered: Vec<usize> = crate::plan::stages(workflow)
        .into_iter()
        .flatten()
        .filter_map(|id| index.get(&id.to_ascii_lowercase()).copied())
        .collect();
    for at in &ordered {
        let needs = nodes.get(*at).map_or_else(Vec::new, |node| node.needs.clone());
        let mut ancestors: Vec<usize> = needs.clone();
        for need in needs {
            ancestors.extend(nodes.get(need).map_or(&[][..], |node| &node.ancestors));
        }
        ancestors.sort_unstable();
        ancestors.dedup();
        if let Some(node) = nodes.get_mut(*at) {
            node.ancestors = ancestors;
        }
    }
    for (at, node) in nodes.iter_mut().enumerate() {
        if !ordered.contains(&at) {
            node.state = State::done(JobResult::Skipped);
        }
    }
    nodes
}
