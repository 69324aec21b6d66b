//! What happens to steps.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How a run, job or step has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// All went well.
    Success,
    /// Something went wrong.
    Failure,
    /// It was stopped.
    Cancelled,
    /// It did not run.
    Skipped,
}

impl Conclusion {
    /// The word that GitHub's contexts have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Which part of a job a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepStage {
    /// The runner's own: setting up, starting and stopping containers, completing.
    Runner,
    /// An action's preparation.
    Pre,
    /// As in the file.
    Main,
    /// An action's end.
    Post,
}

/// One fact about a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum StepEvent {
    /// It began.
    #[serde(rename = "step.started")]
    Started {
        /// Its name.
        name: String,
        /// Its id; made up like GitHub's if the file has none.
        id: String,
        /// Which part of the job it belongs to.
        stage: StepStage,
    },
    /// It did not run.
    #[serde(rename = "step.skipped")]
    Skipped {
        /// Its name.
        name: String,
        /// Its id.
        id: String,
        /// Which part of the job it belongs to.
        stage: StepStage,
        /// The condition that did not hold, as written.
        condition: Option<String>,
    },
    /// It wrote Markdown for the summary.
    #[serde(rename = "step.summary")]
    Summary {
        /// The Markdown, masked.
        markdown: String,
    },
    /// It has ended.
    #[serde(rename = "step.finished")]
    Finished {
        /// How, before `continue-on-error`.
        outcome: Conclusion,
        /// How, after it.
        conclusion: Conclusion,
        /// The exit code of its process, if it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// Its outputs, masked.
        outputs: BTreeMap<String, String>,
        /// Why it failed, in words; the same stands in its log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}
