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

use std::collections::{BTreeSet, HashMap, HashSet};

use longshore_expr::{Object, Value};
use longshore_syntax::{Diagnostic, SourceFile};

use crate::evaluate::{Fact, Knowledge, StatusFacts, TokenEvaluator};
use crate::model::{Job, Workflow};
use crate::plan::strategy::{Strategy, strategy};
use crate::plan::{MatrixPlan, Planned};

mod state;

pub use state::{CellId, CellOutcome, GraphError, JobResult, ReadyCell};

use state::{Behind, Cell, Node, State};

/// The jobs of one run.
#[derive(Debug)]
pub struct JobGraph {
    file: SourceFile,
    nodes: Vec<Node>,
    /// The nodes by lower-case id.
    index: HashMap<String, usize>,
    /// Jobs whose needs have all ended and that are not decided.
    due: BTreeSet<usize>,
    /// Jobs with cells that may wait for a place.
    open: BTreeSet<usize>,
    /// How many jobs have no result.
    unfinished: usize,
    knowledge: Knowledge,
    is_cancelled: bool,
    diagnostics: Vec<Diagnostic>,
}

impl JobGraph {
    /// The jobs of a workflow that GitHub takes. `knowledge` has what is the same for all jobs: `github`, `inputs`,
    /// `vars`. A need that does not exist counts as skipped; jobs that need each other are skipped.
    pub fn new(workflow: &Workflow, knowledge: Knowledge) -> Self {
        let index = state::index(workflow);
        let nodes = state::nodes(workflow, &index);
        let is_due = |(at, node): (usize, &Node)| (node.unsettled == 0).then_some(at);
        let mut graph = Self {
            file: workflow.file.clone(),
            due: nodes.iter().enumerate().filter_map(is_due).collect(),
            open: BTreeSet::new(),
            unfinished: nodes.len(),
            nodes,
            index,
            knowledge,
            is_cancelled: false,
            diagnostics: Vec::new(),
        };
        graph.skip_impossible(workflow);
        graph
    }

    /// Jobs in a circle, behind one, or with a need that does not exist can never start.
    fn skip_impossible(&mut self, workflow: &Workflow) {
        let ordered: HashSet<&str> = crate::plan::stages(workflow).into_iter().flatten().collect();
        for (at, job) in workflow.jobs.iter().enumerate() {
            let exist =
                job.needs.iter().all(|need| self.index.contains_key(&need.value.to_ascii_lowercase()));
            if !exist || !ordered.contains(job.id.value.as_str()) {
                self.end(at, JobResult::Skipped);
            }
        }
    }

    /// What can start now and has not been returned before, in file order.
    pub fn ready(&mut self) -> Vec<ReadyCell> {
        // Skipping one job may make others due.
        while let Some(at) = self.due.pop_first() {
            self.settle(at);
        }
        let mut ready = Vec::new();
        for at in std::mem::take(&mut self.open) {
            self.start_cells(at, &mut ready);
        }
        ready
    }

    /// A cell has ended. Returns the running cells that must be cancelled because of it; they too are completed later.
    ///
    /// # Errors
    /// The cell is not running.
    pub fn complete(&mut self, id: &CellId, outcome: CellOutcome) -> Result<Vec<CellId>, GraphError> {
        let at = self.index.get(&id.job.to_ascii_lowercase()).copied();
        let node = at.and_then(|at| self.nodes.get_mut(at));
        let (Some(at), Some(node)) = (at, node) else { return Err(GraphError::UnknownJob(id.job.clone())) };
        let State::Running(running) = &mut node.state else { return Err(GraphError::NotRunning(id.clone())) };
        match running.cells.get_mut(id.cell) {
            Some(cell) if matches!(cell, Cell::Running) => *cell = Cell::Done(outcome.effective()),
            _ => return Err(GraphError::NotRunning(id.clone())),
        }
        let failed = outcome.effective() == JobResult::Failure;
        running.merge(outcome.outputs);
        let cancel = if running.fail_fast && failed { running.cancel(&id.job) } else { Vec::new() };
        if node.finish() {
            self.ended(at);
        } else {
            self.open.insert(at);
        }
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
                if node.finish() {
                    self.ended(at);
                }
            }
        }
        cancel
    }

    /// Whether every job has a result.
    pub fn is_done(&self) -> bool {
        self.unfinished == 0
    }

    /// The result of a job, if it has one.
    pub fn result(&self, job: &str) -> Option<JobResult> {
        self.node(job)?.result()
    }

    /// The result of the run so far: failed if any job failed, cancelled if any was.
    pub fn outcome(&self) -> JobResult {
        JobResult::of_all(self.nodes.iter().filter_map(Node::result))
    }

    /// What was wrong with conditions and matrices, in the order it was found.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.get(*self.index.get(&id.to_ascii_lowercase())?)
    }

    /// Decides a job whose needs have all ended.
    fn settle(&mut self, at: usize) {
        if self.nodes.get(at).is_none_or(|node| !matches!(node.state, State::Waiting)) {
            return;
        }
        let mut behind = Behind::default();
        let needs = self.nodes.get(at).map_or(&[][..], |node| &node.needs);
        needs.iter().filter_map(|need| self.nodes.get(*need)).for_each(|need| behind.add(need));
        if let Some(node) = self.nodes.get_mut(at) {
            node.behind = behind;
        }
        match self.holds(at) {
            Planned::Known(true) => self.expand(at),
            Planned::Known(false) if self.is_cancelled => self.end(at, JobResult::Cancelled),
            Planned::Known(false) => self.end(at, JobResult::Skipped),
            Planned::Deferred(_) | Planned::Failed(_) => self.end(at, JobResult::Failure),
        }
    }

    /// Ends a job that does not run.
    fn end(&mut self, at: usize, result: JobResult) {
        if let Some(node) = self.nodes.get_mut(at) {
            node.state = State::done(result);
            self.ended(at);
        }
    }

    /// Tells the jobs that need it.
    fn ended(&mut self, at: usize) {
        self.unfinished = self.unfinished.saturating_sub(1);
        let dependents = self.nodes.get(at).map_or_else(Vec::new, |node| node.dependents.clone());
        for dependent in dependents {
            if let Some(node) = self.nodes.get_mut(dependent) {
                node.unsettled = node.unsettled.saturating_sub(1);
                if node.unsettled == 0 {
                    self.due.insert(dependent);
                }
            }
        }
    }

    fn holds(&mut self, at: usize) -> Planned<bool> {
        let Some(node) = self.nodes.get(at) else { return Planned::Known(false) };
        let knowledge = self.knowledge_of(node);
        let mut evaluator = TokenEvaluator::new(&self.file, &knowledge);
        let holds = evaluator.condition(&node.job.condition);
        self.diagnostics.extend(evaluator.into_diagnostics());
        holds
    }

    /// Makes the cells of a job; a matrix that cannot be expanded fails the job.
    fn expand(&mut self, at: usize) {
        let Some(node) = self.nodes.get(at) else { return };
        let knowledge = self.knowledge_of(node);
        let mut evaluator = TokenEvaluator::new(&self.file, &knowledge);
        let strategy = strategy(&mut evaluator, &node.job);
        self.diagnostics.extend(evaluator.into_diagnostics());
        if matches!(strategy.matrix, MatrixPlan::Failed(_) | MatrixPlan::Deferred(_)) {
            return self.end(at, JobResult::Failure);
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.state = State::running(strategy);
            self.open.insert(at);
        }
    }

    fn start_cells(&mut self, at: usize, ready: &mut Vec<ReadyCell>) {
        let Some(node) = self.nodes.get(at) else { return };
        let State::Running(running) = &node.state else { return };
        let free = running.max_parallel.saturating_sub(running.count(Cell::Running));
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
        let needs = node.job.needs.iter().map(|need| {
            let known = self.node(&need.value);
            let result =
                known.and_then(Node::result).map_or(Fact::Unknown, |result| Fact::text(result.as_str()));
            let outputs = known.map_or_else(Object::default, Node::outputs);
            let entry = [("result", result), ("outputs", Fact::Known(Value::Object(outputs)))];
            (need.value.as_str(), Fact::object(entry))
        });
        let mut knowledge = self.knowledge.clone().with("needs", Fact::object(needs));
        knowledge.status = StatusFacts {
            success: Some(!node.behind.stopped && !self.is_cancelled),
            failure: Some(node.behind.failure && !self.is_cancelled),
            cancelled: Some(self.is_cancelled),
            jobs: self.named_results(&node.job),
        };
        knowledge
    }

    fn named_results(&self, job: &Job) -> Vec<(String, Option<bool>)> {
        let succeeded = |id: &str| Some(self.node(id)?.result()? == JobResult::Success);
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
