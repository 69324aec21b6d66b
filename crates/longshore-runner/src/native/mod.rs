//! Actions that are built in: they need neither Node nor a network.
//!
//! A built-in action does what the published one does, as far as its inputs say, and runs in the runner's own process: it
//! reads and writes the job's directories from outside. What is there was made by steps and is hostile, so everything goes
//! through [`Directory`](crate::job::Directory).

use crate::handler::HandlerEnd;
use crate::step::StepCall;

/// The actions that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NativeAction {}

impl NativeAction {
    /// The built-in action for what `uses:` names, in whatever version.
    pub(crate) fn find(_uses: &str) -> Option<Self> {
        None
    }

    /// Carries it out.
    pub(crate) fn main(self, _call: &mut StepCall<'_>) -> HandlerEnd {
        match self {}
    }

    /// What it does after the job's steps, if anything.
    pub(crate) fn has_post(self) -> bool {
        match self {}
    }

    /// Carries that out.
    pub(crate) fn post(self, _call: &mut StepCall<'_>) -> HandlerEnd {
        match self {}
    }
}
