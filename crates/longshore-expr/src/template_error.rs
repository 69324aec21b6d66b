//! Why a text with `${{ }}` is not a template.

use longshore_syntax::{Code, Span};

use crate::ParseError;

/// What is wrong with a template. The texts are GitHub's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TemplateErrorKind {
    /// `${{` without `}}`.
    #[error(
        "The expression is not closed. An unescaped ${{{{ sequence was found, but the closing }}}} sequence was not \
         found."
    )]
    NotClosed,
    /// `${{ }}` with nothing in it, or something that is no expression.
    #[error(transparent)]
    Expression(#[from] ParseError),
    /// `${{ insert }}` beside other text.
    #[error(
        "The directive 'insert' is not allowed in this context. Directives are not supported for expressions that \
         are embedded within a string. Directives are only supported when the entire value is an expression."
    )]
    DirectiveInText,
    /// `${{ insert something }}`.
    #[error(
        "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual parameter count: {0}"
    )]
    DirectiveParameters(usize),
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{kind}")]
pub struct TemplateError {
    /// What is wrong.
    #[source]
    pub kind: TemplateErrorKind,
    /// The place, relative to the text of the template: the symbol at fault, or the whole `${{ … }}`.
    pub span: Span,
}

impl TemplateError {
    /// The stable code of such findings.
    pub fn code(&self) -> Code {
        match &self.kind {
            TemplateErrorKind::NotClosed => Code("expr/not-closed"),
            TemplateErrorKind::Expression(error) => error.code(),
            TemplateErrorKind::DirectiveInText | TemplateErrorKind::DirectiveParameters(_) => {
                Code("expr/directive")
            }
        }
    }

    /// A known name near to one that is not known.
    pub fn suggestion(&self) -> Option<&str> {
        match &self.kind {
            TemplateErrorKind::Expression(error) => error.suggestion(),
            _ => None,
        }
    }
}
