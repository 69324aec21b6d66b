//! Where a part of a scalar stands in the file, exactly or not at all.
//!
//! Diagnostics may point a little too wide; edits may not. So this answers only where the text stands as it reads:
//! literal blocks, and plain or quoted scalars on one line without escapes.

use std::ops::Range;

use longshore_syntax::yaml::ScalarStyle;
use longshore_syntax::{Node, SourceFile, Span};

/// Where the lines of a scalar stand, computed once for all questions about it.
#[derive(Debug)]
pub(crate) struct Lines {
    /// For each line of the value: where it begins there, and where in the file.
    starts: Vec<(usize, usize)>,
}

impl Lines {
    /// The lines of a scalar that stands as it reads; `None` for others.
    pub(crate) fn of(file: &SourceFile, node: &Node) -> Option<Self> {
        let scalar = node.as_scalar()?;
        let source = file.slice(node.span);
        let base = node.span.start as usize;
        let starts = match scalar.style {
            ScalarStyle::Literal => literal(source, &scalar.text, base)?,
            ScalarStyle::Plain if source == scalar.text && !source.contains('\n') => vec![(0, base)],
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
                if source.get(1..source.len().saturating_sub(1)) == Some(&scalar.text)
                    && !source.contains('\n') =>
            {
                vec![(0, base + 1)]
            }
            _ => return None,
        };
        Some(Self { starts })
    }

    /// The place of `range` of the value, cut at the end of its first line.
    pub(crate) fn locate(&self, value: &str, range: &Range<usize>) -> Option<Span> {
        let first_line = value.get(range.clone())?.lines().next().unwrap_or("");
        let line = self.starts.partition_point(|(start, _)| *start <= range.start).checked_sub(1)?;
        let (start, place) = self.starts.get(line)?;
        let at = place + (range.start - start);
        Some(Span::new(at, at + first_line.len()))
    }
}

/// The lines of a literal block: those of the source after the header, each behind its indentation.
fn literal(source: &str, value: &str, base: usize) -> Option<Vec<(usize, usize)>> {
    let mut starts = Vec::new();
    let mut offset = source.find('\n')? + 1;
    let mut value_offset = 0;
    let mut lines = source.get(offset..)?.split('\n');
    for value_line in value.split('\n') {
        let Some(source_line) = lines.next() else { break };
        let text = source_line.strip_suffix('\r').unwrap_or(source_line);
        let indent = text.strip_suffix(value_line)?.len();
        starts.push((value_offset, base + offset + indent));
        offset += source_line.len() + 1;
        value_offset += value_line.len() + 1;
    }
    Some(starts)
}
