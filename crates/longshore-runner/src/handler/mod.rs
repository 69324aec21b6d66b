//! The kinds of steps.
//!
//! A closed set: scripts, and actions that are built in, composite, JavaScript, or containers. Each handler carries out one
//! step in the place of its job and says how it ended; conditions, `continue-on-error` and the telling are not its business.

mod action;
mod composite;
mod docker;
mod javascript;
mod process;
mod revive;
mod script;

use longshore_event::Conclusion;
use longshore_workflow::model::{Step, StepKind};

use crate::action::PreStep;
use crate::step::StepCall;
pub(crate) use action::{Inputs, Post};
pub(crate) use process::Process;
pub(crate) use revive::revive;

/// How a handler has ended.
#[derive(Debug, Clone)]
pub(crate) struct HandlerEnd {
    pub(crate) outcome: Conclusion,
    pub(crate) exit_code: Option<i32>,
    /// Why it failed; the log has it already.
    pub(crate) error: Option<String>,
}

impl HandlerEnd {
    pub(crate) fn success() -> Self {
        Self { outcome: Conclusion::Success, exit_code: None, error: None }
    }

    /// It failed before or beside a process; the log is told.
    pub(crate) fn failed(call: &StepCall<'_>, error: impl Into<String>) -> Self {
        let error = error.into();
        call.voice.error(&error);
        Self { outcome: Conclusion::Failure, exit_code: None, error: Some(error) }
    }
}

/// Carries out a step of the list.
pub(crate) fn main(call: &mut StepCall<'_>, step: &Step) -> HandlerEnd {
    match &step.kind {
        StepKind::Run { script, shell, working_directory } => {
            script::main(call, script, shell.as_ref(), working_directory.as_ref())
        }
        StepKind::Uses { uses, with } => action::main(call, step, &uses.value, with.as_ref()),
        // The scheduler of steps does these itself.
        StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } | StepKind::Parallel { .. } => {
            HandlerEnd::success()
        }
    }
}

/// Carries out what an action wants to be done before the first step.
pub(crate) fn pre(call: &mut StepCall<'_>, pre: &PreStep) -> HandlerEnd {
    action::pre(call, pre)
}

/// Carries out what an action wants to be done after the steps.
pub(crate) fn post(call: &mut StepCall<'_>, post: &Post) -> HandlerEnd {
    action::post(call, post)
}
