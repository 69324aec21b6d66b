//! Whole runs on an engine in memory, which does what each test says a script does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
mod cancelling;
mod jobs;
mod order;
mod steps;
