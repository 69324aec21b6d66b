//! One fact of one run.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Annotation, ImageEvent, JobEvent, RunEvent, StepEvent};

/// The version of the event format: readers take every minor version of a major one they know.
pub const SCHEMA: &str = "1.0";

/// The number of a run, unique and rising in one state directory; `github.run_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl FromStr for RunId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix('#').unwrap_or(text).parse().map(Self)
    }
}

/// Milliseconds since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// Which job of a run: the key that the plan gives it, such as `test`, `test/2` or `deploy.build/1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct JobKey(pub Arc<str>);

impl JobKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for JobKey {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for JobKey {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<JobKey> for String {
    fn from(key: JobKey) -> Self {
        key.0.as_ref().to_owned()
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Which step of a job, in the order in which they are shown: from 1, the first being `Set up job`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepNumber(pub u32);

/// One fact of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place among the events of the run, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Of which run.
    pub run: RunId,
    /// Of which job, if of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobKey>,
    /// Of which step of the job, if of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepNumber>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened. On the wire the families are one: `type` names the family and the fact, as in `job.started`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum EventKind {
    /// Of the run as a whole.
    Run(RunEvent),
    /// Of a job.
    Job(JobEvent),
    /// Of a step.
    Step(StepEvent),
    /// Output.
    Log(LogChunk),
    /// A finding that a step reported.
    Annotation(Annotation),
    /// Of an image that a job needs.
    Image(ImageEvent),
}

/// Whole lines of a step's log, in order, with secrets already masked.
///
/// Lines are those of GitHub's raw logs: what a step prints, and lines that begin with `##[group]`, `##[endgroup]`,
/// `##[error]`, `##[warning]`, `##[notice]`, `##[debug]`, `##[command]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "log")]
pub struct LogChunk {
    /// The lines, without their ends.
    pub lines: Vec<String>,
}

macro_rules! family {
    ($($variant:ident($kind:ty)),*) => {
        $(impl From<$kind> for EventKind {
            fn from(event: $kind) -> Self {
                Self::$variant(event)
            }
        })*
    };
}

family!(
    Run(RunEvent),
    Job(JobEvent),
    Step(StepEvent),
    Log(LogChunk),
    Annotation(Annotation),
    Image(ImageEvent)
);
