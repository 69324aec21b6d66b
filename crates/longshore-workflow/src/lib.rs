//! GitHub workflow and action files: reading, refusing, planning.
//!
//! [`parse_workflow`] reads a file against GitHub's published schema into a typed [`model`] and never fails: what GitHub
//! would refuse comes back as [`Refusal`](template::Refusal)s with GitHub's own words and a located diagnostic. The
//! same walk serves model and diagnostics, so no file is read twice.
//!
//! **Invariants:** pure and synchronous, no I/O, no clock; same input, same output, byte for byte; hostile text gives
//! diagnostics, never a panic.

#![forbid(unsafe_code)]

pub mod cron;
pub mod evaluate;
pub mod event;
pub mod file_command;
pub mod filter;
pub mod graph;
mod lower;
pub mod matrix;
pub mod model;
pub mod plan;
mod read;
pub mod schema;
pub mod start;
pub mod template;

pub use lower::check_call;
pub use read::{Parsed, parse_action, parse_workflow};
