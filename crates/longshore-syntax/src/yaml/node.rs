//! The tree of a YAML document.

use std::sync::Arc;

use crate::Span;

/// One value of a document with the text it came from.
///
/// An alias is the very node it refers to (shared, not copied), so a node's span may lie before its parent's.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The node's text; for block collections from the first entry to the end of the last.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// Text, of whatever type its reader takes it for.
    Scalar(Scalar),
    /// Items in order.
    Sequence(Vec<Arc<Node>>),
    /// Entries in order, duplicates included: what they mean is the reader's decision.
    Mapping(Vec<(Arc<Node>, Arc<Node>)>),
}

/// A scalar before any type is given to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The value after escapes, folding and chomping.
    pub text: String,
    /// How it was written.
    pub style: ScalarStyle,
}

/// How a scalar was written; only plain scalars can be anything but strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}
