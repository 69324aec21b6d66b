//! Evaluation before the run: values where everything needed is known, else what is missing.
//!
//! [`Knowledge`] says which parts of which contexts are known. An expression that reads an unknown part is *undecided*,
//! unless `&&`, `||` or `case` decide without it: `false && secrets.X` is false whatever the secret is.
//!
//! Values follow GitHub's template evaluation: what stands where text is wanted becomes text, but text never becomes a
//! boolean or number. Places are those of the file, also inside `${{ }}`.
//!
//! **Invariants:** what one evaluation may produce is bounded; recursion is as deep as expression or file.

mod knowledge;
mod partial;
mod token;

pub use knowledge::{Fact, Knowledge, StatusFacts};
pub(crate) use partial::add as add_waits;
pub use partial::{Evaluated, evaluate};
pub use token::TokenEvaluator;
pub(crate) use token::{describe, excerpt};

use longshore_expr::{EvalError, EvalErrorKind};

/// An evaluation's error in our words.
fn message(error: &EvalError) -> String {
    match &*error.kind {
        EvalErrorKind::InvalidFormat(text) => format!("`{}` is not a format", excerpt(text)),
        EvalErrorKind::MissingFormatArgument(text) => {
            format!("the format `{}` wants more arguments than it gets", excerpt(text))
        }
        EvalErrorKind::EmptyJson => "`fromJSON` is given nothing to read".to_owned(),
        EvalErrorKind::InvalidJson(reason) => format!("`fromJSON` is given text that is not JSON: {reason}"),
        EvalErrorKind::CasePredicate => "`case` wants `true` or `false` here".to_owned(),
        EvalErrorKind::TooLarge => "the expression makes more than can be held".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
