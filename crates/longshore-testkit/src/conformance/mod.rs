//! What every engine must do, as cases that a test binary runs one by one.
//!
//! A [`Case`] is a function that uses an engine through its contract and nothing else. It says what it
//! [needs](Need); an engine whose capabilities lack that skips it, and says why. [`engine_conformance!`] makes one test
//! of each case.
//!
//! Cases run programs in one of two ways: by a [`program`] that a fake knows too, or as shell scripts, which need a
//! kernel. Nothing sleeps: what is waited for is an event of the engine or a condition that is looked for with a limit
//! ([`Context::eventually`]), and a case that hangs fails.
//!
//! [`engine_conformance!`]: crate::engine_conformance

mod archive;
mod case;
mod check;
mod context;
mod need;
pub mod program;
mod rootfs;
mod subject;
mod suite;

pub use check::{Check, Failure};
pub use context::{Captured, Context};
pub use need::Need;
pub use rootfs::{Rootfs, RootfsError};
pub use subject::{Subject, scratch};
pub use suite::{Case, Outcome, run, suite};
