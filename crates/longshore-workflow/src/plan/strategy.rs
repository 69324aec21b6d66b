//! `strategy:` of a job: its matrix and how the cells run. The plan and the [`JobGraph`](crate::graph::JobGraph) of the
//! run expand it here.

use longshore_expr::{Object, Value};
use longshore_syntax::Diagnostic;

use super::{MatrixPlan, Planned};
use crate::evaluate::{Fact, Knowledge, TokenEvaluator};
use crate::matrix;
use crate::model::{Job, Workflow};
use crate::template::{Token, code};

/// The strategy of a job, evaluated.
#[derive(Debug)]
pub(crate) struct Strategy {
    pub(crate) matrix: MatrixPlan,
    /// The cells, if there is a matrix and they are known.
    pub(crate) cells: Option<Vec<Object>>,
    /// The `strategy` context for a job without cells.
    pub(crate) context: Fact,
}

impl Strategy {
    /// The `strategy` context of a cell.
    pub(crate) fn cell_context(&self, at: usize) -> Fact {
        let (fail_fast, max_parallel) = match &self.matrix {
            MatrixPlan::Cells { fail_fast, max_parallel } => {
                (fail_fast.known().copied().map(Value::Bool), max_parallel.as_ref())
            }
            _ => (None, None),
        };
        let total = self.cells.as_ref().map_or(1, Vec::len);
        let max_parallel = match max_parallel {
            None => Fact::Known(count(total)),
            Some(planned) => known(planned.known().copied().map(Value::Number)),
        };
        Fact::object([
            ("fail-fast", known(fail_fast)),
            ("job-index", Fact::Known(count(at))),
            ("job-total", Fact::Known(count(total))),
            ("max-parallel", max_parallel),
        ])
    }
}

fn known(value: Option<Value>) -> Fact {
    value.map_or(Fact::Unknown, Fact::Known)
}

#[expect(clippy::cast_precision_loss, reason = "a matrix has at most 256 cells")]
fn count(number: usize) -> Value {
    Value::Number(number as f64)
}

/// Expands the matrix of a job as far as it is known.
pub(crate) fn strategy(evaluator: &mut TokenEvaluator<'_>, job: &Job) -> Strategy {
    let none = |matrix: MatrixPlan, context: Fact| Strategy { matrix, cells: None, context };
    let Some(strategy) = &job.strategy else { return none(MatrixPlan::None, single()) };
    let (place, evaluated) = match strategy.as_expression() {
        // The whole strategy is one expression.
        Some(_) => {
            let value = evaluator.value(strategy);
            (strategy, value.map(|value| value.property("matrix").cloned().unwrap_or_default()))
        }
        None => match strategy.entry("matrix") {
            None => return none(MatrixPlan::None, single()),
            Some(matrix) => (matrix, evaluator.value(matrix)),
        },
    };
    let value = match evaluated {
        Planned::Known(value) => value,
        Planned::Deferred(deferred) => return none(MatrixPlan::Deferred(deferred), Fact::Unknown),
        Planned::Failed(text) => return none(MatrixPlan::Failed(text), Fact::Unknown),
    };
    match matrix::expand(&value) {
        Ok(cells) => {
            let (fail_fast, max_parallel) = limits(evaluator, strategy);
            let matrix = MatrixPlan::Cells { fail_fast, max_parallel };
            Strategy { matrix, cells: Some(cells), context: Fact::Unknown }
        }
        Err(error) => {
            let text = error.to_string();
            evaluator.report(Diagnostic::error(code::INVALID_MATRIX, place.span(), text.clone()));
            none(MatrixPlan::Failed(text), Fact::Unknown)
        }
    }
}

/// What fails in every run, because it depends on nothing that a run brings: matrices that make no job or too many, and
/// expressions in them that have no value.
pub fn certain_failures(workflow: &Workflow) -> Vec<Diagnostic> {
    let nothing = Knowledge::default();
    let mut evaluator = TokenEvaluator::new(&workflow.file, &nothing);
    for job in &workflow.jobs {
        strategy(&mut evaluator, job);
    }
    evaluator.into_diagnostics()
}

/// `fail-fast` and `max-parallel`.
fn limits(evaluator: &mut TokenEvaluator<'_>, strategy: &Token) -> (Planned<bool>, Option<Planned<f64>>) {
    if strategy.as_expression().is_none() {
        let fail_fast = strategy.entry("fail-fast");
        let max_parallel = strategy.entry("max-parallel");
        return (
            fail_fast.map_or(Planned::Known(true), |token| evaluator.boolean(token)),
            max_parallel.map(|token| evaluator.number(token)),
        );
    }
    let value = evaluator.value(strategy).known().cloned().unwrap_or_default();
    let fail_fast = !matches!(value.property("fail-fast"), Some(Value::Bool(false)));
    let max_parallel = match value.property("max-parallel") {
        Some(Value::Number(number)) => Some(Planned::Known(*number)),
        _ => None,
    };
    (Planned::Known(fail_fast), max_parallel)
}

/// The `strategy` context of a job without a matrix.
fn single() -> Fact {
    Fact::object([
        ("fail-fast", Fact::Known(Value::Bool(true))),
        ("job-index", Fact::Known(count(0))),
        ("job-total", Fact::Known(count(1))),
        ("max-parallel", Fact::Known(count(1))),
    ])
}
