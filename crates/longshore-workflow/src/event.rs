//! What happened: the event that a plan is made for.
//!
//! An [`Event`] comes from a webhook payload ([`Event::from_payload`]) or is made up from what git knows
//! ([`Event::synthetic`]); from then on there is no difference. [`Event::github_context`] builds the `github` context
//! as the table in GitHub's "Events that trigger workflows" says.
//!
//! **Invariant:** nothing is looked up: what an event does not say stays unknown.

use longshore_expr::Value;

mod facts;
mod github;
mod payload;
mod synthetic;

pub use facts::{CommitFacts, EventFacts, PullRequestFacts};
pub use github::WorkflowIdentity;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `push`, `pull_request` and so on.
    pub name: String,
    /// The activity type, such as `opened`.
    pub action: Option<String>,
    /// The webhook payload: `github.event`.
    pub payload: Value,
    /// The full ref of the run (`GITHUB_REF`): `refs/heads/main`, `refs/tags/v1`, `refs/pull/7/merge`.
    pub git_ref: Option<String>,
    /// The commit of the run (`GITHUB_SHA`).
    pub sha: Option<String>,
    /// The commit before a push.
    pub before: Option<String>,
    /// The target branch of a pull request, without `refs/heads/`.
    pub base_ref: Option<String>,
    /// The source branch of a pull request, or the branch of the run before in a `workflow_run`.
    pub head_ref: Option<String>,
    /// `owner/name`.
    pub repository: Option<String>,
    /// The default branch, without `refs/heads/`.
    pub default_branch: Option<String>,
    /// Who caused it.
    pub actor: Option<String>,
    /// Whether it comes from a fork: secrets are withheld and the token only reads.
    pub is_fork: bool,
    /// Whether the push deletes its ref.
    pub is_deletion: bool,
    /// Whether the payload was made up from facts: objects in it may lack entries that GitHub's has.
    pub is_synthetic: bool,
    /// The changed paths; `None` if nobody said.
    pub changed_paths: Option<ChangedPaths>,
    /// The message of the head commit; it may ask to skip the run.
    pub commit_message: Option<String>,
}

/// The paths that an event changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangedPaths {
    /// From the root of the repository, with `/`, in order.
    pub paths: Vec<String>,
    /// Whether these are the changes. If not, every path filter passes, as on GitHub when it cannot tell.
    pub complete: bool,
}

impl Event {
    /// An event of which nothing but the name is known.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            action: None,
            payload: Value::Object(longshore_expr::Object::default()),
            git_ref: None,
            sha: None,
            before: None,
            base_ref: None,
            head_ref: None,
            repository: None,
            default_branch: None,
            actor: None,
            is_fork: false,
            is_deletion: false,
            is_synthetic: false,
            changed_paths: None,
            commit_message: None,
        }
    }

    /// The branch, if the ref is one.
    pub fn branch(&self) -> Option<&str> {
        self.git_ref.as_deref()?.strip_prefix("refs/heads/")
    }

    /// The tag, if the ref is one.
    pub fn tag(&self) -> Option<&str> {
        self.git_ref.as_deref()?.strip_prefix("refs/tags/")
    }
}

#[cfg(test)]
mod tests;
