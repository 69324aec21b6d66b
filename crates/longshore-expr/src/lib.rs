//! The GitHub Actions expression language: parsing, printing and evaluating, without I/O.
//!
//! What stands between `${{` and `}}` becomes an [`Expr`] whose every node knows its place in the text; a text that
//! may hold such expressions becomes a [`Template`]. [`eval`] computes a [`Value`] from an expression and
//! [`Contexts`], which the caller provides together with the functions that depend on its surroundings
//! (`hashFiles`, `success`, `always`, `cancelled`, `failure`).
//!
//! The behaviour follows the package `@actions/expressions` 0.3 that GitHub publishes, and its message texts. The
//! runner's own evaluator (C#) and the published one (JavaScript) differ in places; here the published one is
//! followed, except where it is plainly wrong:
//!
//! - every `''` in a string stands for one `'`; the published lexer replaces only the first;
//! - a comma before `)` is refused, as the runner does; the published parser lets it pass;
//! - `{0abc}` and `{0:x}` in a format string are invalid, as the published format validator and the runner say; the
//!   published `format` drops what follows the digits;
//! - objects keep the order of their keys, also when keys look like integers, and keys such as `constructor` are
//!   keys like any other;
//! - an escape of half a surrogate pair becomes U+FFFD, because texts here are Unicode;
//! - `case` evaluates only what it needs, as the runner does, so an error in a branch not taken is not an error;
//! - an unknown context in an evaluation is null, not a crash.
//!
//! Where the runner is known to differ and is *not* followed: it prints numbers with 15 digits and exponents such as
//! `1E+15`, does not know `0b` literals, skips any Unicode white space between tokens, compares text without full
//! Unicode case mapping, and escapes U+2028 in `toJSON`.
//!
//! **Invariants:** no input makes this crate panic; recursion is bounded by [`MAX_DEPTH`] and [`json::MAX_DEPTH`];
//! what one evaluation may produce is bounded by [`MAX_RESULT_BYTES`].

#![forbid(unsafe_code)]

mod allowed;
mod ast;
mod budget;
mod codes;
mod compare;
mod context;
mod eval;
mod eval_error;
pub mod format_string;
mod function;
pub mod json;
mod lexer;
mod number;
mod object;
mod parse_error;
mod parser;
mod print;
mod reference;
mod template;
mod template_error;
mod text;
mod value;

pub use allowed::{Allowed, Arity};
pub use ast::{CompareOp, Expr, ExprKind};
pub use budget::MAX_RESULT_BYTES;
pub use codes::CODES;
pub use context::{Contexts, MapContexts};
pub use eval::eval;
pub use eval_error::{EvalError, EvalErrorKind};
pub use function::Function;
pub use lexer::MAX_LENGTH;
pub use object::Object;
pub use parse_error::{ParseError, ParseErrorKind};
pub use parser::{MAX_DEPTH, parse, parse_allowed};
pub use reference::{PathSegment, Reference};
pub use template::{Segment, Template};
pub use template_error::{TemplateError, TemplateErrorKind};
pub use value::{Array, Value};
