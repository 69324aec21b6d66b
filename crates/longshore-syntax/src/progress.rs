//! How a pure function says that it lacks a source.

use crate::SourceRef;

/// The answer of a pure function that may need text it cannot fetch itself.
///
/// The driver fetches what is named and calls again with the grown set; the function is deterministic, so the calls
/// end as soon as everything it names is there or known to be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<T> {
    /// These sources must be fetched first. Never empty, in order of first need, without repetition.
    Needs(Vec<SourceRef>),
    /// The answer.
    Ready(T),
}
