//! What happens to jobs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Conclusion;

/// One fact about a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum JobEvent {
    /// It may run, and waits for a place or for its concurrency group.
    #[serde(rename = "job.queued")]
    Queued {
        /// Its name.
        name: String,
        /// What it waits for, in words.
        reason: Option<String>,
    },
    /// It began.
    #[serde(rename = "job.started")]
    Started {
        /// Its name.
        name: String,
        /// The labels that it asked for.
        runs_on: Vec<String>,
        /// What its root file system is made of: `host`, or an image.
        image: String,
        /// The steps that are known.
        steps: Vec<StepOutline>,
    },
    /// One of its service containers got into another state.
    #[serde(rename = "job.service")]
    Service {
        /// The service's name.
        name: String,
        /// Its image.
        image: String,
        /// How it is.
        state: ServiceState,
        /// The ports of the machine by port of the container, such as `5432/tcp`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        ports: BTreeMap<String, u16>,
    },
    /// It did not run.
    #[serde(rename = "job.skipped")]
    Skipped {
        /// Its name.
        name: String,
        /// Why, in words.
        reason: String,
    },
    /// It has ended.
    #[serde(rename = "job.finished")]
    Finished {
        /// How.
        conclusion: Conclusion,
        /// Whether its failure does not count (`continue-on-error`).
        #[serde(default)]
        continue_on_error: bool,
        /// Its outputs; those that hold secrets are left out, as on GitHub.
        outputs: BTreeMap<String, String>,
        /// The address of its deployment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// Why it could not run or went wrong beside its steps, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// Whether it stays as it was left, for a shell and for going on.
        #[serde(default, skip_serializing_if = "is_false")]
        kept: bool,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A step before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutline {
    /// Its number.
    pub number: u32,
    /// Its name as far as it is known.
    pub name: String,
}

/// How a service container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceState {
    /// It was started.
    Starting,
    /// It is well, or runs and has no way to tell.
    Ready,
    /// It did not become well, or ended.
    Failed,
}
