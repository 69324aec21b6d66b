//! Why a template is refused or fails, in Go's words: tools and people know them.

use thiserror::Error;

use crate::quote::quote;

/// Why a template is refused or fails.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// The text is no template.
    #[error("template: :{line}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The template does not fit the value.
    #[error("template: :{line}:{column}: executing {} at <{context}>: {reason}", quote(.template))]
    Execution {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 0, as Go counts.
        column: usize,
        /// The name of the template that was executed; the main one has none.
        template: String,
        /// The part of the template that failed.
        context: String,
        /// What is wrong.
        reason: String,
    },
    /// The template asks for more than is allowed.
    #[error("template: {what} more than {most}")]
    Limit {
        /// What is too much, with its verb.
        what: &'static str,
        /// How much is allowed.
        most: &'static str,
    },
}
