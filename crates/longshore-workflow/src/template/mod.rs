//! A YAML tree read by a schema: typed tokens with parsed expressions, and what GitHub refuses about them.
//!
//! This is the first half of GitHub's own two-step reading (template, then conversion), done in one walk over the tree
//! so that every token and every refusal knows its place. Source of the rules: the published reference reader of
//! `@actions/workflow-parser` 0.3.61 and the behaviour of github.com.

pub(crate) mod expression;
mod mapping;
mod read;
mod refusal;
mod token;

pub use expression::{Embedded, Expression};
pub use read::read;
pub use refusal::{Refusal, Refusals, code};
pub use token::{Token, TokenKind};
