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
    /// Exact for what is written as it reads. Where escapes or line folding intervene, the answer begins at the right
    /// place if it can be told and ends with the scalar.
    pub fn locate(&self, file: &SourceFile, range: Range<usize>) -> Span {
        let source = file.slice(self.span);
        let Some(part) = self.as_str().and_then(|value| value.get(range.clone())?.lines().next()) else {
            return self.span;
        };
        if let Some(at) = self.find(source, part, range.start) {
            return self.span.sub(at, at + part.len());
        }
        let plain = part.split(['\'', '"', '\\']).next().unwrap_or_default();
        self.find(source, plain, range.start).map_or(self.span, |at| self.span.sub(at, source.len()))
    }

    /// Where `part`, which begins at `start` of the value, begins in the source: as often as it stands before there.
    fn find(&self, source: &str, part: &str, start: usize) -> Option<usize> {
        let earlier = self.as_str()?.get(..start)?.matches(part).count();
        let mut found = source.match_indices(part).filter(|_| !part.is_empty());
        found.nth(earlier).map(|(at, _)| at)
    }
}
