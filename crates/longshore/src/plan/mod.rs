//! From a project and what may be typed to a plan: what `longshore plan` is made of, and every verb that runs workflows.
//!
//! - [`project`]: the workflow files at hand, and which of them are meant.
//! - [`occasion`]: the event, from git, from a payload or made up, with how it is known.
//! - [`drive`]: planning, and fetching what the planner lacks until it lacks nothing.

mod changes;
pub(crate) mod drive;
pub(crate) mod occasion;
mod payload;
pub(crate) mod project;
mod time;
