//! Findings in files, in every format they are wanted in.
//!
//! - [`text`]: with the line, a caret under the place and what to do, for people.
//! - [`json`]: Longshore's own documented shape, for programs.
//! - [`sarif`]: SARIF 2.1.0, for code scanning.
//! - [`annotation`]: GitHub's workflow commands, for logs of a job.
//!
//! All take the same [`FileFindings`] and keep their order: sorting is the examiner's decision.

pub mod annotation;
mod findings;
pub mod json;
mod place;
pub mod sarif;
pub mod text;

#[cfg(test)]
mod tests;

pub use findings::{Counts, FileFindings, summary};
