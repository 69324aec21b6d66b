//! Why a text is not an expression.

use std::fmt;

use longshore_syntax::{Code, Span};

use crate::lexer::MAX_LENGTH;
use crate::parser::MAX_DEPTH;
use crate::text::utf16_len;

/// What is wrong with an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParseErrorKind {
    /// There is nothing but white space.
    Empty,
    /// A token that cannot stand there, or that is none.
    UnexpectedSymbol,
    /// The text ends too early.
    UnexpectedEnd,
    /// A context that does not exist, or may not be used here.
    UnknownContext,
    /// A function that does not exist, or may not be used here.
    UnknownFunction,
    /// A function is given too few arguments.
    TooFewArguments,
    /// A function is given too many arguments.
    TooManyArguments,
    /// `case` is given an even number of arguments.
    EvenArguments,
    /// The expression is nested too deep.
    TooDeep,
    /// The expression has too many characters.
    TooLong,
}

impl ParseErrorKind {
    /// The stable code of findings of this kind.
    pub fn code(self) -> Code {
        Code(match self {
            Self::Empty | Self::UnexpectedSymbol | Self::UnexpectedEnd => "expr/syntax",
            Self::UnknownContext => "expr/unknown-context",
            Self::UnknownFunction => "expr/unknown-function",
            Self::TooFewArguments | Self::TooManyArguments | Self::EvenArguments => "expr/argument-count",
            Self::TooDeep => "expr/too-deep",
            Self::TooLong => "expr/too-long",
        })
    }
}

/// Why a text is not an expression that may stand at its place.
///
/// `Display` is the text of GitHub's service and runner, such as
/// `Unrecognized named-value: 'foo'. Located at position 1 within expression: foo`.
#[derive(Debug, Clone)]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// The place, relative to the text.
    pub span: Span,
    detail: Box<Detail>,
}

/// What a [`ParseError`] needs to tell its story.
#[derive(Debug, Clone)]
struct Detail {
    /// The token at fault as written.
    token: String,
    /// The token as the published parser names it, when that differs or the error is its lexer's.
    published: Published,
    /// Where the token begins, in UTF-16 units.
    position: usize,
    /// The whole expression.
    expression: String,
    /// A known name that may have been meant.
    suggestion: Option<String>,
}

/// How the published JavaScript parser words the same error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Published {
    /// With the position, as its lexer does.
    Located,
    /// The symbol alone, named like this.
    Token(String),
    /// An unexpected symbol `EOF`, where the runner says that the expression ended.
    EndAsSymbol,
}

impl ParseError {
    /// An error about the token at `span` of `text`.
    pub(crate) fn new(kind: ParseErrorKind, text: &str, span: Span, published: Published) -> Self {
        let token = text.get(span.range()).unwrap_or_default().to_owned();
        let position = utf16_len(text.get(..span.start as usize).unwrap_or_default());
        let expression = text.to_owned();
        let detail = Detail { token, published, position, expression, suggestion: None };
        Self { kind, span, detail: Box::new(detail) }
    }

    /// An error about the text as a whole, which is not quoted.
    pub(crate) fn of_whole(kind: ParseErrorKind, text: &str) -> Self {
        let detail = Detail {
            token: String::new(),
            published: Published::Located,
            position: 0,
            expression: String::new(),
            suggestion: None,
        };
        Self { kind, span: Span::new(0, text.len()), detail: Box::new(detail) }
    }

    pub(crate) fn suggest(mut self, suggestion: Option<&str>) -> Self {
        self.detail.suggestion = suggestion.map(str::to_owned);
        self
    }

    /// The stable code of such findings.
    pub fn code(&self) -> Code {
        self.kind.code()
    }

    /// A known name near to the one that is not known.
    pub fn suggestion(&self) -> Option<&str> {
        self.detail.suggestion.as_deref()
    }

    /// The token at fault as written; empty when the error is not about one.
    pub fn token(&self) -> &str {
        &self.detail.token
    }

    /// Whether the text itself is no expression, which the published reference finds before it looks at anything
    /// else.
    pub(crate) fn is_lexical(&self) -> bool {
        self.detail.published == Published::Located
    }

    /// What is wrong, in a few words, without the place: `Unrecognized named-value: 'foo'`.
    pub fn summary(&self) -> String {
        match self.kind {
            ParseErrorKind::Empty | ParseErrorKind::TooDeep | ParseErrorKind::TooLong => self.description(),
            _ => format!("{}: '{}'", self.description(), self.detail.token),
        }
    }

    /// The text of the published JavaScript parser for the same error. It gives the position only for symbols that
    /// are no tokens.
    pub fn published_text(&self) -> String {
        match (&self.detail.published, self.kind) {
            (_, ParseErrorKind::TooLong) => "ErrorExceededMaxLength".to_owned(),
            (Published::Located, _) => self.to_string(),
            (Published::Token(token), _) => format!("{}: '{token}'", self.description()),
            (Published::EndAsSymbol, _) => "Unexpected symbol: 'EOF'".to_owned(),
        }
    }

    /// What kind of error, in GitHub's words.
    fn description(&self) -> String {
        let text = match self.kind {
            ParseErrorKind::Empty => "An expression was expected",
            ParseErrorKind::UnexpectedSymbol => "Unexpected symbol",
            ParseErrorKind::UnexpectedEnd => "Unexpected end of expression",
            ParseErrorKind::UnknownContext => "Unrecognized named-value",
            ParseErrorKind::UnknownFunction => "Unrecognized function",
            ParseErrorKind::TooFewArguments => "Too few parameters supplied",
            ParseErrorKind::TooManyArguments => "Too many parameters supplied",
            ParseErrorKind::EvenArguments => {
                "Even number of parameters supplied, requires an odd number of parameters"
            }
            ParseErrorKind::TooDeep => return format!("Exceeded max expression depth {MAX_DEPTH}"),
            ParseErrorKind::TooLong => return format!("Exceeded max expression length {MAX_LENGTH}"),
        };
        text.to_owned()
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        match self.kind {
            ParseErrorKind::Empty | ParseErrorKind::TooDeep | ParseErrorKind::TooLong => Ok(()),
            _ => {
                let Detail { position, expression, .. } = &*self.detail;
                write!(f, ". Located at position {} within expression: {expression}", position + 1)
            }
        }
    }
}

impl std::error::Error for ParseError {}

impl PartialEq for ParseError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.span == other.span
    }
}
