//! The jobs of a run as a state machine: which can start now, what follows from what has ended.
//!
//! The driver starts what [`JobGraph::ready`] returns and reports each end to [`JobGraph::complete`]; all decisions are
//! here: conditions, skipped dependents, matrices that need outputs, `fail-fast`, `max-parallel`, cancelling. A job that
//! calls a workflow is one cell for this graph; the driver runs the called workflow with a graph of its own.
//!
//! `success()` and `failure()` look at all jobs that a job needs, directly or not, as GitHub does.
//!
//! **Invariants:** no job is ready before all it needs have ended; each cell is ready at most once; when everything that
//! was ready has been completed, every job has a result. Pure: no clock, no I/O.

use longshore_expr::{Object, Value};
use longshore_syntax::{Diagnostic, SourceFile};

use crate::evaluate::{Fact, Knowledge, StatusFacts, TokenEvaluator};
use crate::model::{Job, Workflow};
use crate::plan::strategy::{Strategy, strategy};
use crate::plan::{MatrixPlan, Planned};

mod state;

pub use state::{CellId, CellOutcome, GraphError, JobResult, ReadyCell};

use state::{Cell, Node, State};

/// The jobs of one run.
#[derive(Debug)]
pub struct JobGraph {
    file: SourceFile,
    nodes: Vec<Node>,
    knowledge: Knowledge,
    is_cancelled: bool,
    diagnostics: Vec<Diagnostic>,
}

impl JobGraph {
    /// The jobs of a workflow that GitHub takes. `knowledge` has what is the same for all jobs: `github`, `inputs`,
    /// `vars`. A need that does not exist counts as skipped; jobs that need each other are skipped.
    pub fn new(workflow: &Workflow, knowledge: Knowledge) -> Self {
        let nodes = state::nodes(workflow);
        Self { file: workflow.file.clone(), nodes, knowledge, is_cancelled: false, diagnostics: Vec::new() }
    }

    /// What can start now and has not been returned before, in file order.
    pub fn ready(&mut self) -> Vec<ReadyCell> {
        // Skipping one job may settle others, so this goes on until nothing changes. Every round settles a job.
        while self.settle_one() {}
        let mut ready = Vec::new();
        for at in 0..self.nodes.len() {
            self.start_cells(at, &mut ready);
        }
        ready
    }

    /// A cell has ended. Returns the running cells that must be cancelled because of it; they too are completed later.
    ///
    /// # Errors
    /// The cell is not running.
    pub fn complete(&mut self, id: &CellId, outcome: CellOutcome) -> Result<Vec<CellId>, GraphError> {
        let node = self.nodes.iter_mut().find(|node| node.job.id.value == id.job);
        let node = node.ok_or_else(|| GraphError::UnknownJob(id.job.clone()))?;
        let State::Running(running) = &mut node.state else { return Err(GraphError::NotRunning(id.clone())) };
        match running.cells.get_mut(id.cell) {
            Some(cell) if matches!(cell, Cell::Running) => *cell = Cell::Done(outcome.effective()),
            _ => return Err(GraphError::NotRunning(id.clone())),
        }
        running.merge(outcome.outputs);
        let mut cancel = Vec::new();
        if running.fail_fast && outcome.result == JobResult::Failure && !outcome.continue_on_error {
            cancel = running.cancel(&id.job);
        }
        node.finish();
        Ok(cancel)
    }

    /// The run is cancelled. Returns the running cells that must be cancelled; those whose condition holds all the same,
    /// such as `always()`, go on, and so do later jobs with such conditions.
    pub fn cancel(&mut self) -> Vec<CellId> {
        self.is_cancelled = true;
        let mut cancel = Vec::new();
        for at in 0..self.nodes.len() {
            if self.nodes.get(at).is_none_or(|node| !matches!(node.state, State::Running(_))) {
                continue;
            }
            if self.holds(at) == Planned::Known(true) {
                continue;
            }
            if let Some(node) = self.nodes.get_mut(at)
                && let State::Running(running) = &mut node.state
            {
                cancel.extend(running.cancel(&node.job.id.value));
                node.finish();
            }
        }
        cancel
    }

    /// Whether every job has a result.
    pub fn is_done(&self) -> bool {
        self.nodes.iter().all(|node| matches!(node.state, State::Done { .. }))
    }

    /// The result of a job, if it has one.
    pub fn result(&self, job: &str) -> Option<JobResult> {
        self.nodes.iter().find(|node| node.job.id.value == job)?.result()
    }

    /// The result of the run so far: failed if any job failed, cancelled if any was.
    pub fn outcome(&self) -> JobResult {
        JobResult::of_all(self.nodes.iter().filter_map(Node::result))
    }

    /// What was wrong with conditions and matrices, in the order it was found.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Decides the first job whose needs have all ended; `false` if there is none.
    fn settle_one(&mut self) -> bool {
        let is_due = |node: &Node| {
            matches!(node.state, State::Waiting)
                && node
                    .needs
                    .iter()
                    .all(|need| self.nodes.get(*need).is_none_or(|need| need.result().is_some()))
        };
        let Some(at) = self.nodes.iter().position(is_due) else { return false };
        let state = match self.holds(at) {
            Planned::Known(true) => self.expand(at),
            Planned::Known(false) if self.is_cancelled => State::done(JobResult::Cancelled),
            Planned::Known(false) => State::done(JobResult::Skipped),
            Planned::Deferred(_) | Planned::Failed(_) => State::done(JobResult::Failure),
        };
        if let Some(node) = self.nodes.get_mut(at) {
            node.state = state;
        }
        true
    }

    fn holds(&mut self, at: usize) -> Planned<bool> {
        let Some(node) = self.nodes.get(at) else { return Planned::Known(false) };
        let knowledge = self.knowledge_of(node);
        let mut evaluator = TokenEvaluator::new(&self.file, &knowledge);
        let holds = evaluator.condition(&node.job.condition);
        self.diagnostics.extend(evaluator.into_diagnostics());
        holds
    }

    /// The cells of a job; a matrix that cannot be expanded fails the job.
    fn expand(&mut self, at: usize) -> State {
        let Some(node) = self.nodes.get(at) else { return State::done(JobResult::Skipped) };
        let knowledge = self.knowledge_of(node);
        let mut evaluator = TokenEvaluator::new(&self.file, &knowledge);
        let strategy = strategy(&mut evaluator, &node.job);
        self.diagnostics.extend(evaluator.into_diagnostics());
        match strategy.matrix {
            MatrixPlan::Failed(_) | MatrixPlan::Deferred(_) => State::done(JobResult::Failure),
            _ => State::running(strategy),
        }
    }

    fn start_cells(&mut self, at: usize, ready: &mut Vec<ReadyCell>) {
        let Some(node) = self.nodes.get(at) else { return };
        let State::Running(running) = &node.state else { return };
        let free = running.max_parallel.saturating_sub(running.count(&Cell::Running));
        let waiting = running.cells.iter().enumerate().filter(|(_, cell)| **cell == Cell::Waiting);
        let starting: Vec<usize> = waiting.map(|(cell, _)| cell).take(free).collect();
        if starting.is_empty() {
            return;
        }
        let knowledge = self.knowledge_of(node);
        for cell in &starting {
            ready.push(ReadyCell {
                id: CellId { job: node.job.id.value.clone(), cell: *cell },
                matrix: running.strategy.cells.as_ref().and_then(|cells| cells.get(*cell)).cloned(),
                knowledge: cell_knowledge(knowledge.clone(), &running.strategy, *cell),
            });
        }
        if let Some(node) = self.nodes.get_mut(at)
            && let State::Running(running) = &mut node.state
        {
            for cell in starting {
                if let Some(cell) = running.cells.get_mut(cell) {
                    *cell = Cell::Running;
                }
            }
        }
    }

    /// What a job knows whose needs have ended.
    fn knowledge_of(&self, node: &Node) -> Knowledge {
        let ended = |at: &usize| self.nodes.get(*at);
        let needs = node.job.needs.iter().map(|need| {
            let known = self.nodes.iter().find(|other| other.is_called(&need.value));
            let result =
                known.and_then(Node::result).map_or(Fact::Unknown, |result| Fact::text(result.as_str()));
            let outputs = known.map_or_else(Object::default, Node::outputs);
            let entry = [("result", result), ("outputs", Fact::Known(Value::Object(outputs)))];
            (need.value.as_str(), Fact::object(entry))
        });
        let mut knowledge = self.knowledge.clone().with("needs", Fact::object(needs));
        let results: Vec<JobResult> =
            node.ancestors.iter().filter_map(ended).filter_map(Node::result).collect();
        let failed = results.contains(&JobResult::Failure);
        let succeeded = results.iter().all(|result| *result == JobResult::Success);
        knowledge.status = StatusFacts {
            success: Some(succeeded && !self.is_cancelled),
            failure: Some(failed && !self.is_cancelled),
            cancelled: Some(self.is_cancelled),
            jobs: self.named_results(&node.job),
        };
        knowledge
    }

    fn named_results(&self, job: &Job) -> Vec<(String, Option<bool>)> {
        let result = |id: &str| self.nodes.iter().find(|node| node.is_called(id)).and_then(Node::result);
        let succeeded = |id: &str| Some(result(id)? == JobResult::Success);
        job.needs.iter().map(|need| (need.value.clone(), succeeded(&need.value))).collect()
    }
}

/// What a cell knows beside what its job knows.
fn cell_knowledge(knowledge: Knowledge, strategy: &Strategy, cell: usize) -> Knowledge {
    let Some(cells) = &strategy.cells else {
        return knowledge.with("matrix", Fact::Known(Value::Null)).with("strategy", strategy.context.clone());
    };
    let matrix = cells.get(cell).cloned().unwrap_or_default();
    knowledge.with("matrix", Fact::Known(Value::Object(matrix))).with("strategy", strategy.cell_context(cell))
}

#[cfg(test)]
mod tests;
