//! What can go wrong with a control group.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::absence::Absence;
use crate::controller::Controller;
use crate::limits::{Limit, LimitsError};

/// An operation on a control group failed.
#[derive(Debug, Error)]
pub enum CgroupError {
    /// The limits contradict themselves: the mistake of who asked for them.
    #[error("the limits cannot be kept on any machine")]
    Limits(#[source] LimitsError),
    /// The kernel refuses a value, such as a processor that does not exist: mostly the mistake of who asked for it.
    #[error("failed to set {limit} by writing `{value}` to `{}`", path.display())]
    Set {
        /// The limit.
        limit: Limit,
        /// What was written.
        value: String,
        /// Where to.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A name that is no name of a directory.
    #[error("`{0}` cannot name a control group")]
    Name(String),
    /// A directory could not be made.
    #[error("failed to create the control group `{}`", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A file or directory could not be opened or read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("failed to write `{value}` to `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What was written.
        value: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The filter for devices could not be loaded or attached.
    #[error("failed to set the rules for devices of `{}`", path.display())]
    DeviceFilter {
        /// The control group.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A process could not be killed.
    #[error("failed to kill process {pid} of the control group `{name}`")]
    Kill {
        /// The process.
        pid: i32,
        /// The control group.
        name: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Waiting for an event failed.
    #[error("failed to wait for `{}` to change", path.display())]
    Wait {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A directory could not be removed.
    #[error("failed to remove the control group `{}`", path.display())]
    Remove {
        /// The directory.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Something did not happen in time.
    #[error("the control group `{name}` did not {operation} within {} ms", limit.as_millis())]
    TimedOut {
        /// The control group.
        name: String,
        /// What was waited for, as a verb.
        operation: &'static str,
        /// How long.
        limit: Duration,
    },
    /// There are no control groups to do it with.
    #[error("cannot {operation} without control groups: {absence}")]
    Absent {
        /// What was attempted, as a verb.
        operation: &'static str,
        /// Why there are none.
        absence: Absence,
    },
    /// There are control groups, without the part that does it.
    #[error("cannot {operation} the control group `{name}`: the controller `{controller}` is not available")]
    NoController {
        /// What was attempted, as a verb.
        operation: &'static str,
        /// The control group.
        name: String,
        /// What does it.
        controller: Controller,
    },
}
