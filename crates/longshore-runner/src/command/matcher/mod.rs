//! Problem matchers: patterns that make annotations of what compilers and linters print.
//!
//! Sans-IO. `document` reads the files of `::add-matcher::`, `dialect` brings their patterns into a form that is matched in
//! linear time, [`Matchers`] are those that a job has, `running` is how far they have matched in one stream, and `finding`
//! makes an annotation of a match.

mod dialect;
mod document;
mod finding;
mod registry;
mod running;

pub use document::{MATCHER_FILE_LIMIT, MatcherError};
pub use registry::{AddedMatchers, Matchers};

pub(super) use document::owners;
pub(super) use finding::{Finding, finding};
pub(super) use running::RunningMatchers;

/// The longest line that is matched. Longer ones are no messages of compilers, and a line must not cost more than the
/// second that the runner gives it.
pub(super) const MATCHED_LINE_LIMIT: usize = 16 * 1024;

/// What a pattern can find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    File,
    FromPath,
    Line,
    Column,
    Severity,
    Code,
    Message,
}

const FIELDS: [(Field, &str); 7] = [
    (Field::File, "file"),
    (Field::FromPath, "fromPath"),
    (Field::Line, "line"),
    (Field::Column, "column"),
    (Field::Severity, "severity"),
    (Field::Code, "code"),
    (Field::Message, "message"),
];

/// What patterns have found so far: nothing yet, or a text, which may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Found([Option<String>; FIELDS.len()]);

impl Found {
    fn text(&self, field: Field) -> Option<&str> {
        self.0.get(field as usize).and_then(Option::as_deref)
    }

    /// Sets a field, unless an earlier pattern did.
    fn set(&mut self, field: Field, text: &str) {
        if let Some(slot) = self.0.get_mut(field as usize) {
            slot.get_or_insert_with(|| text.to_owned());
        }
    }
}
