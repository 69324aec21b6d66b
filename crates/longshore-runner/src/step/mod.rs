//! One step: its condition, its environment, what it does, and what comes of it.

mod command_files;
mod frame;
mod run;
pub(crate) mod variables;

pub(crate) use command_files::{CommandFiles, unique};
pub(crate) use frame::{ActionsOf, Frame};
pub(crate) use run::{StepCall, StepRun};
