//! The command as people and scripts see it.
//!
//! One binary for all tests of the command line; each file has one subject.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod check;
mod context;
mod explain;
mod expr;
mod frame;
mod image;
mod plan;
mod settings;
mod stream;
