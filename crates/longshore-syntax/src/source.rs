//! Source files and references to them.

use std::fmt;
use std::sync::Arc;

use crate::Span;

/// A line and column as editors show them: both start at 1, columns count Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// One text with its name and line index. Cheap to clone.
#[derive(Clone)]
pub struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Arc<[u32]>,
}

impl SourceFile {
    /// Larger files are refused: nothing a person writes by hand comes near.
    pub const MAX_BYTES: usize = 64 * 1024 * 1024;

    /// A file called `name` (a path relative to the repository, with `/`) that holds `text`.
    ///
    /// Text beyond [`MAX_BYTES`](Self::MAX_BYTES) is dropped here; loaders refuse such files before.
    pub fn new(name: impl Into<Arc<str>>, text: impl AsRef<str>) -> Self {
        let mut text = text.as_ref();
        if text.len() > Self::MAX_BYTES {
            let cut = (0..=Self::MAX_BYTES).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            text = &text[..cut];
        }
        let mut starts = vec![0];
        let bytes = text.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let lone_return = *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
            if *byte == b'\n' || lone_return {
                starts.push(at as u32 + 1);
            }
        }
        Self { name: name.into(), text: text.into(), line_starts: starts.into() }
    }

    /// The same text under another name.
    pub fn renamed(&self, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), ..self.clone() }
    }

    /// The name the file was loaded under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of `span`, or the empty string if it lies outside of this file.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Number of lines; an empty file has one.
    pub fn line_count(&self) -> usize {
        self.line_starts.len()
    }

    /// The line and column of a byte offset.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = self.line_starts[line - 1] as usize;
        let end = (offset as usize).min(self.text.len());
        // A byte order mark is no column: editors do not show it.
        let visible = |text: &str| text.chars().filter(|c| *c != '\u{feff}').count();
        let column = self.text.get(start..end).map_or(0, visible) + 1;
        Position { line, column }
    }

    /// The span of a line (from 1) without its line break.
    pub fn line_span(&self, line: usize) -> Span {
        let Some(&start) = self.line_starts.get(line.wrapping_sub(1)) else {
            return Span::at(self.text.len());
        };
        let end = self.line_starts.get(line).map_or(self.text.len(), |&next| next as usize);
        let text = &self.text[start as usize..end];
        Span::new(start as usize, start as usize + text.trim_end_matches(['\n', '\r']).len())
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({:?}, {} bytes)", self.name, self.text.len())
    }
}

impl PartialEq for SourceFile {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.text == other.text
    }
}

impl Eq for SourceFile {}

/// What a file refers to and a loader can fetch.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceRef {
    /// A file of the repository at hand, by its path from the root with `/`.
    Local {
        /// Path without a leading `./`.
        path: String,
    },
    /// A file in another repository: `owner/repository/path@version`.
    Remote {
        /// Account or organisation.
        owner: String,
        /// Repository name.
        repository: String,
        /// Path inside the repository, empty for its root.
        path: String,
        /// Branch, tag or commit.
        version: String,
    },
}

impl fmt::Display for SourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { path } => write!(f, "./{path}"),
            Self::Remote { owner, repository, path, version } if path.is_empty() => {
                write!(f, "{owner}/{repository}@{version}")
            }
            Self::Remote { owner, repository, path, version } => {
                write!(f, "{owner}/{repository}/{path}@{version}")
            }
        }
    }
}

/// Where source text comes from: a work tree, a git tree, memory. Synchronous, and free of side effects on the source.
pub trait SourceLoader {
    /// Why a file could not be had; `NotFound` is an answer, not a failure.
    type Error;

    /// The file's text, or `None` if the source is known not to hold it.
    fn load(&self, reference: &SourceRef) -> Result<Option<SourceFile>, Self::Error>;
}
