//! Where a part of a scalar stands in the file, exactly or not at all.
//!
//! Diagnostics may point a little too wide; edits may not. So this answers only where the text stands as it reads:
//! literal blocks, and plain or quoted scalars on one line without escapes.

use std::ops::Range;

use longshore_syntax::yaml::ScalarStyle;
use longshore_syntax::{Node, SourceFile, Span};

/// The place of `range` of the scalar's value, cut at the end of its first line; `None` unless it stands as it reads.
pub(crate) fn exact(file: &SourceFile, node: &Node, range: &Range<usize>) -> Option<Span> {
    let scalar = node.as_scalar()?;
    let source = file.slice(node.span);
    let first_line = scalar.text.get(range.clone())?.lines().next().unwrap_or("");
    let end = range.start + first_line.len();
    let at = match scalar.style {
        ScalarStyle::Literal => in_literal(source, &scalar.text, range.start)?,
        ScalarStyle::Plain if source == scalar.text && !source.contains('\n') => range.start,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
            if source.get(1..source.len().saturating_sub(1)) == Some(&scalar.text) =>
        {
            range.start + 1
        }
        _ => return None,
    };
    let span = node.span.sub(at, at + (end - range.start));
    (file.slice(span) == first_line).then_some(span)
}

/// The place for a diagnostic: exact if possible, the whole scalar otherwise.
pub(crate) fn near(file: &SourceFile, node: &Node, range: &Range<usize>) -> Span {
    exact(file, node, range).unwrap_or_else(|| node.locate(file, range.clone()))
}

/// The offset in `source`, a literal block with its header, of the offset `at` in its value.
fn in_literal(source: &str, value: &str, at: usize) -> Option<usize> {
    let before = value.get(..at)?;
    let line = before.matches('\n').count();
    let column = at - before.rfind('\n').map_or(0, |index| index + 1);
    let value_line = value.split('\n').nth(line)?;
    let mut offset = 0;
    for (index, source_line) in source.split('\n').enumerate() {
        if index == line + 1 {
            let text = source_line.strip_suffix('\r').unwrap_or(source_line);
            let indent = text.strip_suffix(value_line)?.len();
            return Some(offset + indent + column);
        }
        offset += source_line.len() + 1;
    }
    None
}
