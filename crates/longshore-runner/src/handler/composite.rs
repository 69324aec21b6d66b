//! Composite actions: steps inside of a step.

use longshore_event::Conclusion;
use longshore_expr::Value;
use longshore_workflow::model::{Runs, Step};

use super::{HandlerEnd, Inputs};
use crate::action::{MAX_DEPTH, ResolvedAction};
use crate::environment::set;
use crate::evaluate::Evaluator;
use crate::job::{Progress, StepResults};
use crate::step::{ActionsOf, Frame, StepCall, StepRun};

/// Carries out the steps of a composite action. Its log is part of the step that uses it.
pub(super) fn main(
    call: &mut StepCall<'_>,
    action: &ResolvedAction,
    inputs: &Inputs,
    steps: &[Step],
) -> HandlerEnd {
    let Some(manifest) = &action.manifest else { return HandlerEnd::success() };
    debug_assert!(matches!(manifest.runs, Some(Runs::Composite { .. })));
    if call.frame.depth >= MAX_DEPTH {
        return HandlerEnd::failed(call, format!("actions use each other more than {MAX_DEPTH} levels deep"));
    }
    let mut scope = call.scope.clone().with("inputs", inputs.value());
    // Secrets reach an action by its inputs alone.
    scope.set("secrets", Value::Null);
    let frame = Frame {
        file: &manifest.file,
        scope,
        results: StepResults::default(),
        env: call.env.clone(),
        actions: ActionsOf::Shared(&call.frame.actions),
        depth: call.frame.depth + 1,
        own_status: Some(Progress::default()),
        id_prefix: format!("{}.", call.id),
    };
    let status = |frame: &Frame<'_>| frame.own_status.as_ref().map_or(Conclusion::Success, Progress::status);
    for step in steps {
        let control = &call.steps.run.task.control;
        if control.is_killed() {
            break;
        }
        if control.cancelled().is_some()
            && !call.limits.after_cancel
            && let Some(own) = &frame.own_status
        {
            own.settle(Conclusion::Cancelled);
        }
        StepRun::inside(call, &frame).main(step);
    }
    let outcome = status(&frame);
    // Outputs may read what the steps have made.
    let mut closing = frame.scope.clone().with("steps", frame.results.value());
    closing.status = outcome;
    let evaluator = Evaluator::new(&manifest.file, &closing);
    for output in &manifest.outputs {
        let Some(token) = &output.value else { continue };
        match evaluator.text(token) {
            Ok(value) => set(&mut call.outputs, &output.name.value, value),
            Err(error) => {
                return HandlerEnd::failed(call, error.to_string());
            }
        }
    }
    let error = (outcome == Conclusion::Failure).then(|| "a step of the action failed".to_owned());
    HandlerEnd { outcome, exit_code: None, error }
}
