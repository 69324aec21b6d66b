//! YAML 1.2 text to a tree of [`Node`]s with spans.

mod node;

pub use node::{Node, NodeKind, Scalar, ScalarStyle};
