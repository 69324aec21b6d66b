//! Why an archive could not be read or written.

use std::io;

/// Why an archive could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The reader below failed.
    #[error("failed to read the archive at byte {position}")]
    Read {
        /// How far it was read.
        position: u64,
        /// What the reader said.
        source: io::Error,
    },
    /// It ends within an entry or a header.
    #[error("the archive ends in the middle of {within}")]
    Truncated {
        /// The entry, or the words "a header".
        within: String,
    },
    /// A header's checksum is wrong: this is no archive, or a damaged one.
    #[error("the header at byte {position} has a wrong checksum; this is no tar archive, or it is damaged")]
    Checksum {
        /// Where the header begins.
        position: u64,
    },
    /// A field holds no number, or one that cannot be.
    #[error("the {field} of {entry} cannot be {value}")]
    Number {
        /// The field's name.
        field: &'static str,
        /// The entry.
        entry: String,
        /// What stands there.
        value: String,
    },
    /// Extended headers are larger than allowed.
    #[error("the extended headers before byte {position} are larger than the {limit} bytes allowed")]
    HeaderTooLarge {
        /// Where the reading stopped.
        position: u64,
        /// How many bytes are allowed.
        limit: u64,
    },
    /// An extended header does not follow the format.
    #[error("the extended header at byte {position} is malformed: {reason}")]
    Pax {
        /// Where the header begins.
        position: u64,
        /// What is wrong.
        reason: String,
    },
    /// The map of a sparse file makes no sense.
    #[error("the map of the sparse file {entry} is malformed: {reason}")]
    Sparse {
        /// The entry.
        entry: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// An entry is of a kind that nothing can be made of.
    #[error("{entry} is of the unknown kind {kind:?}")]
    Kind {
        /// The entry.
        entry: String,
        /// The character of the kind.
        kind: char,
    },
    /// An extended header with no entry after it.
    #[error("the archive ends with an extended header that belongs to no entry")]
    Dangling,
    /// What is given as content is not as long as the entry says.
    #[error("the content of {entry} is not as long as the {size} bytes that its header says")]
    ContentLength {
        /// The entry.
        entry: String,
        /// What the header says.
        size: u64,
    },
    /// Content cannot be read to be written into an archive.
    #[error("failed to read the content of {entry}")]
    Content {
        /// The entry.
        entry: String,
        /// What the reader said.
        source: io::Error,
    },
    /// The writer below failed.
    #[error("failed to write {entry} into the archive")]
    Write {
        /// The entry.
        entry: String,
        /// What the writer said.
        source: io::Error,
    },
}

/// A name between backticks, with what is no printable text escaped and cut to a length that fits a message.
pub fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(name);
    let mut visible: String = text.chars().take(LONGEST).flat_map(escaped).collect();
    if text.chars().nth(LONGEST).is_some() {
        visible.push('…');
    }
    format!("`{visible}`")
}

fn escaped(character: char) -> Box<dyn Iterator<Item = char>> {
    if character.is_control() {
        Box::new(character.escape_default())
    } else {
        Box::new(std::iter::once(character))
    }
}
