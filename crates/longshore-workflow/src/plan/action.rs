//! Actions that jobs use.

use longshore_syntax::{SourceRef, Span};

/// An action that a job uses, directly or through a composite action.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionUse {
    /// As written: `actions/checkout@v4`, `./.github/actions/setup`, `docker://alpine:3`.
    pub uses: String,
    /// What that is.
    pub kind: ActionKind,
    /// Where it is used in the workflow file; for an action inside another one, where the outermost is used.
    pub span: Span,
    /// The composite actions that it is used through, outermost first; empty if a step of the job uses it.
    pub via: Vec<String>,
}

/// The kinds of actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionKind {
    /// A directory of the work tree.
    Local {
        /// Path from the root of the repository; empty for the root.
        path: String,
    },
    /// A directory of a repository at a version.
    Remote(SourceRef),
    /// An image.
    Docker {
        /// The image without `docker://`.
        image: String,
    },
}
