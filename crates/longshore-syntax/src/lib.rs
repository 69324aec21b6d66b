//! Source text with positions.
//!
//! Everything Longshore reads from a person's file passes through here: the text as a [`SourceFile`], its tree as
//! YAML [`Node`]s whose every value knows its [`Span`], and what is wrong with it as [`Diagnostic`]s. Models are
//! lowered from the same tree that diagnostics point into, so no file is ever read twice to find positions.
//!
//! **Invariant:** no input text makes this crate panic or use memory out of proportion to the text; there is no I/O.

#![forbid(unsafe_code)]

mod diagnostic;
mod progress;
mod source;
mod span;
pub mod suggest;
pub mod yaml;

pub use diagnostic::{Code, Diagnostic, Edit, Fix, Label, Severity};
pub use progress::Progress;
pub use source::{Position, SourceFile, SourceLoader, SourceRef};
pub use span::{Span, Spanned};
pub use yaml::{Node, NodeKind};
