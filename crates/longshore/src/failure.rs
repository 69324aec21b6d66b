//! Why a command could not do what it was asked for.

use std::error::Error;

use longshore_report::diagnostic::FileFindings;

use crate::exit::Blame;

/// An error that knows who can mend it and how. Every error that reaches a verb's end implements it.
pub(crate) trait Explained: Error {
    /// Who can mend it.
    fn blame(&self) -> Blame;

    /// What to do next, as an imperative; lower case, no full stop.
    fn help(&self) -> Option<String> {
        None
    }

    /// Findings in files that are shown before the error itself.
    fn findings(&self) -> Vec<FileFindings> {
        Vec::new()
    }
}

/// Any [`Explained`] error, on its way to the one place that prints it.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What was attempted and why it failed.
    pub(crate) error: Box<dyn Error>,
    /// Who can mend it.
    pub(crate) blame: Blame,
    /// What to do next.
    pub(crate) help: Option<String>,
    /// Findings to show first.
    pub(crate) findings: Vec<FileFindings>,
}

impl<E: Explained + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { blame: error.blame(), help: error.help(), findings: error.findings(), error: Box::new(error) }
    }
}
