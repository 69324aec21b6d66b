//! Actions in containers of their own.

use super::{HandlerEnd, Inputs};
use crate::action::ResolvedAction;
use crate::step::StepCall;

/// Which part of an action it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage<'e> {
    /// What the step does.
    Main,
    /// What is done before or after the steps, with this entry point.
    Beside(&'e str),
}

/// `uses: docker://IMAGE`.
pub(super) fn image(call: &mut StepCall<'_>, image: &str, inputs: &Inputs) -> HandlerEnd {
    let _ = inputs;
    HandlerEnd::failed(call, format!("`docker://{image}`: not yet"))
}

/// An action whose manifest names an image or a Dockerfile.
pub(super) fn action(
    call: &mut StepCall<'_>,
    action: &ResolvedAction,
    inputs: &Inputs,
    stage: Stage<'_>,
) -> HandlerEnd {
    let _ = (inputs, stage);
    HandlerEnd::failed(call, format!("`{}`: not yet", action.inside))
}
