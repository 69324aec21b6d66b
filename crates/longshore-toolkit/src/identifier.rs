//! The ids of runs and jobs, as they stand in tokens and in paths.

use std::fmt;
use std::str::FromStr;

/// The id of a run or of a job: letters, digits, `-`, `_` and `.`, of which the first is no dot.
///
/// So it is safe as part of a path, and in the scope of a token, where colons and blanks separate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendId(String);

/// A text is no id of a run or job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to {LONGEST} letters, digits, `-`, `_` and `.`, and begins with no dot")]
pub struct BackendIdError;

const LONGEST: usize = 128;

impl BackendId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BackendId {
    type Err = BackendIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = (1..=LONGEST).contains(&text.len()) && !text.starts_with('.');
        if fits && text.bytes().all(allowed) { Ok(Self(text.to_owned())) } else { Err(BackendIdError) }
    }
}

impl fmt::Display for BackendId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
