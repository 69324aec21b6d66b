//! The tree of a YAML document.

use std::ops::Range;
use std::sync::Arc;

use super::Scalar;
use crate::{SourceFile, Span};

/// One value of a document with the text it came from.
///
/// An alias is the very node it refers to (shared, not copied), so a node's span may lie before its parent's.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The node's text: quotes and block headers included, tags and anchors not. Collections run from the first
    /// entry (or opening bracket) to the end of the last.
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

impl Node {
    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
        }
    }

    /// The scalar's text, whatever its type.
    pub fn as_str(&self) -> Option<&str> {
        self.as_scalar().map(|scalar| scalar.text.as_str())
    }

    /// The items, if it is a sequence.
    pub fn as_sequence(&self) -> Option<&[Arc<Self>]> {
        match &self.kind {
            NodeKind::Sequence(items) => Some(items),
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_mapping(&self) -> Option<&[(Arc<Self>, Arc<Self>)]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => None,
        }
    }

    /// The value of the first entry whose key is the text `key`.
    pub fn entry(&self, key: &str) -> Option<&Arc<Self>> {
        self.as_mapping()?.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
    }

    /// Where the part `range` of this scalar's value stands in `file`.
    ///
    /// Exact for what is written as it reads, which is everything but escapes and line folding; where those intervene,
    /// the whole scalar is the answer.
    pub fn locate(&self, file: &SourceFile, range: Range<usize>) -> Span {
        let source = file.slice(self.span);
        let found = self.as_str().and_then(|value| {
            let part = value.get(range.clone())?.lines().next()?;
            let earlier = value.get(..range.start)?.matches(part).count();
            source.match_indices(part).nth(earlier).filter(|_| !part.is_empty())
        });
        found.map_or(self.span, |(at, part)| self.span.sub(at, at + part.len()))
    }
}
