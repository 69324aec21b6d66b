//! `actions/checkout`: the files of a repository in the job's workspace.

use crate::handler::HandlerEnd;
use crate::step::StepCall;

/// Checks out what the inputs say.
pub(super) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    HandlerEnd::failed(call, "`actions/checkout` is not built in yet; leave it out")
}
