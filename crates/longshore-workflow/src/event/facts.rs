//! What git and the command line know about an event that has not happened.

use super::ChangedPaths;

/// The material of a made-up event. Leave out what is not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventFacts {
    /// The full ref: `refs/heads/main`; for a pull request the ref of its source branch.
    pub git_ref: Option<String>,
    /// The commit.
    pub sha: Option<String>,
    /// The commit before a push; `None` for a new branch.
    pub before: Option<String>,
    /// `owner/name`.
    pub repository: Option<String>,
    /// The default branch, without `refs/heads/`.
    pub default_branch: Option<String>,
    /// Who causes it.
    pub actor: Option<String>,
    /// The activity type; the event's usual one without it.
    pub action: Option<String>,
    /// The commits it brings, newest first.
    pub commits: Vec<CommitFacts>,
    /// The changed paths.
    pub changed_paths: Option<ChangedPaths>,
    /// Whether a push must be forced.
    pub forced: bool,
    /// Whether a push deletes its ref.
    pub is_deletion: bool,
    /// For the events of pull requests.
    pub pull_request: Option<PullRequestFacts>,
    /// The inputs of `workflow_dispatch`, in the order given.
    pub inputs: Vec<(String, String)>,
    /// The cron expression that is due; `None` means any.
    pub schedule: Option<String>,
}

/// One commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitFacts {
    /// Its id.
    pub id: String,
    /// Its whole message.
    pub message: String,
    /// The author's name.
    pub author_name: String,
    /// The author's address.
    pub author_email: String,
    /// When, in RFC 3339.
    pub timestamp: Option<String>,
}

/// One pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullRequestFacts {
    /// Its number; 1 if it does not exist yet.
    pub number: Option<u32>,
    /// Its title.
    pub title: Option<String>,
    /// The target branch, without `refs/heads/`.
    pub base_ref: Option<String>,
    /// The target branch's commit.
    pub base_sha: Option<String>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether it comes from a fork.
    pub is_fork: bool,
    /// The names of its labels.
    pub labels: Vec<String>,
}
