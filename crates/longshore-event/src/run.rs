//! What happens to a run as a whole.

use serde::{Deserialize, Serialize};

use crate::Conclusion;

/// One fact about a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum RunEvent {
    /// It began. Always the first event.
    #[serde(rename = "run.started")]
    Started(Box<RunOutline>),
    /// It waits for another run of its concurrency group.
    #[serde(rename = "run.waiting")]
    Waiting {
        /// For what, in words.
        reason: String,
    },
    /// Somebody asked for its end.
    #[serde(rename = "run.cancelling")]
    Cancelling {
        /// Who or what, in words.
        reason: String,
    },
    /// It has ended. Always the last event; a run without it was interrupted.
    #[serde(rename = "run.finished")]
    Finished {
        /// How.
        conclusion: Conclusion,
    },
}

/// A run when it begins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunOutline {
    /// The version of this format, [`SCHEMA`](crate::SCHEMA).
    pub schema: String,
    /// The workflow's name.
    pub workflow: String,
    /// The workflow's file, from the root of the repository.
    pub path: String,
    /// The run's title.
    pub title: String,
    /// The event that started it.
    pub event: String,
    /// The full ref.
    pub git_ref: Option<String>,
    /// The commit.
    pub sha: Option<String>,
    /// Which run of this workflow, from 1.
    pub number: u64,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The directory of the project on this machine.
    pub directory: String,
    /// The jobs as far as they are known.
    pub jobs: Vec<JobOutline>,
}

/// A job before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOutline {
    /// Its key.
    pub key: String,
    /// Its name as far as it is known.
    pub name: String,
    /// The ids of the jobs that it needs.
    pub needs: Vec<String>,
}
