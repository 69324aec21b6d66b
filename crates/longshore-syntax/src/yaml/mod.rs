//! YAML 1.2.2 text to a tree of [`Node`]s with spans.
//!
//! Scanning is `granit-parser`'s; the tree, its limits and the meaning of scalars are ours. The tree keeps what readers
//! disagree on: duplicate keys stay, merge keys (`<<`) are ordinary keys, and a scalar has no type until its reader
//! asks for one ([`Scalar::resolve`], YAML 1.2.2 section 10.3.2, core schema).
//!
//! Aliases share the node they name, so a tree is a directed graph without cycles. Its *unfolded* size and depth are
//! limited ([`limits`](self::LIMITS)), which makes every recursive walk over it safe.

mod node;
mod parse;
mod scalar;

pub use node::{Node, NodeKind};
pub use parse::{LIMITS, Limits, code, parse};
pub use scalar::{CoreTag, Resolved, Scalar, ScalarStyle};

#[cfg(test)]
mod tests;
