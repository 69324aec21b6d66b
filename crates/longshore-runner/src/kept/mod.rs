//! Failed jobs that are kept as they were left: the container with its files, the services, the directories, and a record
//! of what is needed to look around in them ([`Revived`]) or to go on ([`Resume`]).
//!
//! A kept job is a directory beside the record of its run, `kept/JOB/`, with `record.json` and `lock`. Who works with the
//! job holds the lock: shared in a shell, exclusively while it is resumed or removed. The sandbox keeps the label of the run
//! that made it, however often the job is resumed; the record says which run that was.
//!
//! **Invariant:** the record holds no secret, see [`Seal`](seal::Seal).

mod job;
mod record;
mod revive;
mod seal;

pub use job::{KeptError, KeptJob};
pub use revive::{Process, ReviveError, Revived};

pub(crate) use record::{
    DoneStepDto, FailedStepDto, KeptDto, PostDto, ResultDto, SavedDto, ServiceDto, StateDto, VERSION,
};
pub use seal::{Missing, seal_json, unseal_json};
pub(crate) use seal::{Seal, unseal_pairs};

/// A job that goes on where it was left.
#[derive(Debug)]
pub struct Resume {
    /// What was left.
    pub kept: KeptJob,
    /// Its lock, which nobody else may hold.
    pub lock: std::fs::File,
    /// The step to go on with, by name, id or number; the one that failed, if absent.
    pub from: Option<String>,
}
