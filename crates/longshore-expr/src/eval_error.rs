//! Why an expression has no value.

use longshore_syntax::{Code, Span};

use crate::json::{JsonError, MAX_DEPTH};

/// What went wrong in an evaluation. The texts are GitHub's where it has one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalErrorKind {
    /// A brace without its partner, or a placeholder that is no number.
    #[error("The following format string is invalid: {0}")]
    InvalidFormat(String),
    /// A placeholder without an argument.
    #[error("The following format string references more arguments than were supplied: {0}")]
    MissingFormatArgument(String),
    /// `fromJSON` of nothing.
    #[error("empty input")]
    EmptyJson,
    /// `fromJSON` of something that is not JSON; the reason is the source of the error.
    #[error("Error parsing JSON when evaluating fromJson")]
    InvalidJson(#[source] JsonError),
    /// A predicate of `case` that is neither true nor false.
    #[error("case predicate must evaluate to a boolean value")]
    CasePredicate,
    /// More would be produced, or gone through, than allowed.
    #[error("The maximum allowed memory size was exceeded")]
    TooLarge,
    /// `toJSON` of a value that is nested too deep.
    #[error("the value is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A function that nothing here provides.
    #[error("Unrecognized function: '{0}'")]
    UnknownFunction(String),
    /// A function of the surroundings that failed, in its words.
    #[error("{0}")]
    Function(String),
    /// An index that could not be computed.
    #[error("could not evaluate index for index access: {0}")]
    Index(#[source] Box<EvalErrorKind>),
}

impl EvalErrorKind {
    /// The stable code of findings of this kind.
    pub fn code(&self) -> Code {
        Code(match self {
            Self::InvalidFormat(_) | Self::MissingFormatArgument(_) => "expr/format",
            Self::EmptyJson | Self::InvalidJson(_) => "expr/json",
            Self::CasePredicate => "expr/case-predicate",
            Self::TooLarge => "expr/too-large",
            Self::TooDeep => "expr/too-deep",
            Self::UnknownFunction(_) => "expr/unknown-function",
            Self::Function(_) => "expr/function",
            Self::Index(inner) => return inner.code(),
        })
    }
}

/// Why an expression has no value, and which part of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{kind}")]
pub struct EvalError {
    /// What went wrong.
    #[source]
    pub kind: Box<EvalErrorKind>,
    /// The part that failed, relative to the text that was parsed.
    pub span: Span,
}

impl EvalError {
    /// A function of the surroundings failed; the evaluator adds the place.
    pub fn function(message: impl Into<String>) -> Self {
        Self::at(Span::default(), EvalErrorKind::Function(message.into()))
    }

    pub(crate) fn at(span: Span, kind: EvalErrorKind) -> Self {
        Self { kind: Box::new(kind), span }
    }

    /// The stable code of such findings.
    pub fn code(&self) -> Code {
        self.kind.code()
    }
}
