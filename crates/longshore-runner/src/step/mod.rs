//! One step: its condition, its environment, what it does, and what comes of it.

mod call;
mod command_files;
mod frame;
mod run;
pub(crate) mod variables;

pub(crate) use call::{DEFAULT_PATH, StepCall};
pub(crate) use command_files::{CommandFiles, unique};
pub(crate) use frame::{ActionsOf, Frame};
pub(crate) use run::StepRun;
