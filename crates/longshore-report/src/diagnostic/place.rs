//! Byte offsets as lines and columns, in the units each format counts in.

use longshore_syntax::SourceFile;

/// A line and the bytes of it before an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// Line, from 1.
    pub(super) line: usize,
    /// The line's text before the place.
    before: &'a str,
}

impl<'a> Place<'a> {
    /// The place of a byte offset; one beyond the end of the text is its end.
    pub(super) fn of(file: &'a SourceFile, offset: u32) -> Self {
        let text = file.text();
        let mut offset = (offset as usize).min(text.len());
        // A place inside a character is where the character starts.
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = file.position(offset as u32).line;
        let start = file.line_span(line).start as usize;
        Self { line, before: text.get(start..offset).unwrap_or("") }
    }

    /// Column in Unicode scalar values, from 1.
    pub(super) fn column(self) -> usize {
        self.before.chars().count() + 1
    }

    /// Column in UTF-16 code units, from 1.
    pub(super) fn column_utf16(self) -> usize {
        self.before.chars().map(char::len_utf16).sum::<usize>() + 1
    }
}
