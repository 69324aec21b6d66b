//! The codes of everything that can be wrong with an expression.

use longshore_syntax::Code;

/// All codes of this crate. Each has a page.
pub const CODES: &[Code] = &[
    Code("expr/syntax"),
    Code("expr/unknown-context"),
    Code("expr/unknown-function"),
    Code("expr/argument-count"),
    Code("expr/too-deep"),
    Code("expr/too-long"),
    Code("expr/not-closed"),
    Code("expr/directive"),
    Code("expr/format"),
    Code("expr/json"),
    Code("expr/case-predicate"),
    Code("expr/too-large"),
    Code("expr/function"),
];
