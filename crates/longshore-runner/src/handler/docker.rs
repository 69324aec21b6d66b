//! Actions in containers of their own.

use super::{HandlerEnd, Inputs};
use crate::action::ResolvedAction;
use crate::step::StepCall;

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
    entrypoint: Option<&str>,
) -> HandlerEnd {
    let _ = (inputs, entrypoint);
    HandlerEnd::failed(call, format!("`{}`: not yet", action.inside))
}
