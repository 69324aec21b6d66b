//! What is written down of a kept job.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The version of the record.
pub(crate) const VERSION: u32 = 1;

/// Names and sealed texts; one without a text was left out.
pub(crate) type SealedPairs = Vec<(String, Option<String>)>;

/// What is written down of a kept job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptDto {
    pub(crate) version: u32,
    /// The run that made the sandbox.
    pub(crate) run: u64,
    pub(crate) job: String,
    pub(crate) name: String,
    pub(crate) sandbox: String,
    /// The sandbox's name, which is the network's.
    pub(crate) network: String,
    pub(crate) container: String,
    pub(crate) image: String,
    pub(crate) in_container: bool,
    /// The job's directory on this machine.
    pub(crate) root: PathBuf,
    /// The directories inside with their places on this machine.
    pub(crate) mounts: Vec<(String, PathBuf)>,
    /// Where fetched actions and the like are mounted.
    pub(crate) targets: Vec<String>,
    pub(crate) workspace: String,
    /// Objects of the project: where they are on this machine, and inside.
    pub(crate) lent: Vec<(PathBuf, String)>,
    pub(crate) services: Vec<ServiceDto>,
    pub(crate) failed: FailedStepDto,
    /// The job's steps that have begun, in order.
    pub(crate) steps: Vec<DoneStepDto>,
    /// What `DoneStepDto::state` counts.
    pub(crate) states: Vec<StateDto>,
    /// What steps have left to be done after the steps.
    pub(crate) posts: Vec<PostDto>,
    /// What actions have saved before the steps for their own later stages.
    #[serde(default)]
    pub(crate) saved: Vec<SavedDto>,
    /// The `steps` context.
    pub(crate) results: Vec<ResultDto>,
}

/// A service container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ServiceDto {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) container: String,
    /// Where the job finds it: container's port and the port that is listened on.
    pub(crate) ports: Vec<(u16, u16)>,
}

/// The step that failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FailedStepDto {
    pub(crate) number: u32,
    /// Which of the job's steps it is, from 0.
    pub(crate) index: usize,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) env: SealedPairs,
    pub(crate) working_directory: String,
}

/// A step that has begun, and what was before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DoneStepDto {
    pub(crate) number: u32,
    pub(crate) id: String,
    /// As the file has it.
    pub(crate) text: String,
    /// Which state it found.
    pub(crate) state: usize,
    /// How many posts there were.
    pub(crate) posts: usize,
    /// Whether it was one that the next does not wait for.
    pub(crate) background: bool,
}

/// What steps leave for the steps after them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateDto {
    pub(crate) env: SealedPairs,
    pub(crate) path: Vec<String>,
}

/// What an action left to be done after the steps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PostDto {
    pub(crate) name: String,
    pub(crate) id: String,
    /// `uses:` of the step.
    pub(crate) uses: String,
    pub(crate) inputs: SealedPairs,
    pub(crate) state: SealedPairs,
    pub(crate) env: SealedPairs,
}

/// What the action of a step has saved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SavedDto {
    pub(crate) id: String,
    pub(crate) state: SealedPairs,
}

/// The result of a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ResultDto {
    pub(crate) id: String,
    pub(crate) outcome: String,
    pub(crate) conclusion: String,
    pub(crate) outputs: SealedPairs,
}
