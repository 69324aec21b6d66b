//! What containers wrote.

use serde::{Deserialize, Serialize};

use crate::Stream;

/// How the output of a container is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogSpec {
    /// Keep nothing.
    pub none: bool,
    /// The size in bytes at which a log is rotated; never, if absent.
    pub max_size: Option<u64>,
    /// How many files there may be, at least 1.
    pub max_files: Option<u32>,
}

/// Which part of a log is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// Go on until the container ends.
    pub follow: bool,
    /// Only so many lines from the end of what is there.
    pub tail: Option<usize>,
    /// Nothing before: nanoseconds since 1970.
    pub since: Option<i128>,
    /// Nothing at or after: nanoseconds since 1970.
    pub until: Option<i128>,
}

/// One line, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Nanoseconds since 1970.
    pub at: i128,
    /// Where it was written to.
    pub stream: Stream,
    /// The bytes, with the line's end if it has one.
    pub bytes: Vec<u8>,
}
