//! Expressions in scalars: `${{ … }}` alone or within text, each at its place in the file.

use std::sync::Arc;

use longshore_expr::{
    Allowed, Expr, ExprKind, MAX_LENGTH, ParseError, ParseErrorKind, Segment, Template, TemplateError,
    TemplateErrorKind, Value,
};
use longshore_syntax::{Code, Diagnostic, Node, Span};

use super::read::Reader;
use super::{TokenKind, code};
use crate::schema::AllowedSet;

/// The expression that a scalar comes down to.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Its text as GitHub keeps it: the expression itself, or a call of `format` with the text around it.
    pub text: String,
    /// What is evaluated. Spans within a single expression count from the start of its text; the call of `format` that
    /// joins several has none of its own.
    pub expr: Arc<Expr>,
    /// What stands between `${{` and `}}`, in order.
    pub embedded: Vec<Embedded>,
}

/// One `${{ … }}` in a scalar.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// The part of the file from `${{` to `}}`.
    pub span: Span,
    /// Where the expression's text begins in the file; its nodes' spans count from there.
    pub start: u32,
    /// What it says.
    pub expr: Arc<Expr>,
}

impl Embedded {
    /// A part of the expression as a part of the file.
    pub fn locate(&self, part: Span) -> Span {
        Span { start: self.start + part.start, end: self.start + part.end }
    }
}

impl Reader<'_> {
    /// What a text with `${{` in it is; the text itself if any of its expressions is refused.
    pub(super) fn template(&mut self, node: &Arc<Node>, text: &str, allowed: AllowedSet) -> TokenKind {
        let template = match Template::parse_all(text, Some(&Allowed::from_items(&allowed.items()))) {
            Ok(template) => template,
            Err(errors) => {
                errors.iter().for_each(|error| self.refuse_template(node, error, allowed));
                return TokenKind::String(text.to_owned());
            }
        };
        if let Some(literal) = template.as_literal() {
            return TokenKind::String(literal.to_owned());
        }
        if template.is_insert() {
            return TokenKind::Insert(node.locate(self.file, 0..text.len()));
        }
        if template.expression_length() > MAX_LENGTH {
            let message = format!("the text with its expressions is longer than {MAX_LENGTH} characters");
            let diagnostic = Diagnostic::error(Code("expr/too-long"), node.span, message)
                .help("put the text into a file, or the expressions into `env`");
            self.refusals.push_unpublished(diagnostic);
            return TokenKind::String(text.to_owned());
        }
        TokenKind::Expression(self.expression(node, &template))
    }

    fn expression(&self, node: &Arc<Node>, template: &Template) -> Expression {
        let mut format = String::new();
        let mut embedded: Vec<Embedded> = Vec::new();
        for segment in template.segments() {
            match segment {
                Segment::Text { text, .. } => format.push_str(&text.replace('{', "{{").replace('}', "}}")),
                Segment::Expr { expr, offset, span, .. } => {
                    format.push_str(&format!("{{{}}}", embedded.len()));
                    let place = node.locate(self.file, span.range());
                    let start = place.start + (*offset as u32 - span.start);
                    embedded.push(Embedded { span: place, start, expr: Arc::new(expr.clone()) });
                }
            }
        }
        let expr = match (template.as_expr(), embedded.as_slice()) {
            (Some(_), [only]) => Arc::clone(&only.expr),
            _ => Arc::new(joined(format, &embedded)),
        };
        Expression { text: template.to_expression_text().unwrap_or_default(), expr, embedded }
    }

    fn refuse_template(&mut self, node: &Arc<Node>, error: &TemplateError, allowed: AllowedSet) {
        let place = node.locate(self.file, error.span.range());
        let (github, diagnostic) = match &error.kind {
            TemplateErrorKind::Expression(error) => {
                (error.published_text(), parse_diagnostic(error, place, allowed))
            }
            TemplateErrorKind::NotClosed => (
                error.to_string(),
                Diagnostic::error(error.code(), place, "`${{` has no closing `}}`")
                    .help("close it with `}}`; text in an expression stands in single quotes"),
            ),
            TemplateErrorKind::DirectiveInText => {
                let message = "`insert` must be the whole key, not a part of a text";
                (error.to_string(), Diagnostic::error(error.code(), place, message))
            }
            TemplateErrorKind::DirectiveParameters(_) => {
                let message = "`insert` takes nothing behind it";
                (error.to_string(), Diagnostic::error(error.code(), place, message))
            }
        };
        self.refusals.push_within(node.span, github, diagnostic);
    }
}

/// The call of `format` that joins text and expressions.
fn joined(format: String, embedded: &[Embedded]) -> Expr {
    let literal = Expr { span: Span::default(), kind: ExprKind::Literal(Value::string(format)) };
    let args = std::iter::once(literal).chain(embedded.iter().map(|part| (*part.expr).clone())).collect();
    let kind = ExprKind::Function { name: "format".into(), name_span: Span::default(), args };
    Expr { span: Span::default(), kind }
}

/// Parses `text` with the names that `allowed` permits.
pub(crate) fn parse(text: &str, allowed: AllowedSet) -> Result<Expr, ParseError> {
    longshore_expr::parse_allowed(text, &Allowed::from_items(&allowed.items()))
}

/// An expression where GitHub reads none.
pub(super) fn not_allowed(span: Span) -> Diagnostic {
    let message = "an expression cannot stand here: GitHub reads this before any context exists";
    Diagnostic::error(code::EXPRESSION_NOT_ALLOWED, span, message)
}

/// A parse error for people.
pub(crate) fn parse_diagnostic(error: &ParseError, span: Span, allowed: AllowedSet) -> Diagnostic {
    let unknown = matches!(error.kind, ParseErrorKind::UnknownContext | ParseErrorKind::UnknownFunction);
    if unknown && allowed.is_empty() {
        return not_allowed(span);
    }
    let diagnostic = Diagnostic::error(error.code(), span, message(error));
    if let Some(suggestion) = error.suggestion() {
        return diagnostic.help(format!("did you mean `{suggestion}`?"));
    }
    if error.kind == ParseErrorKind::UnknownContext {
        let contexts: Vec<&str> = allowed.contexts().collect();
        return diagnostic.help(format!("contexts here: {}", contexts.join(", ")));
    }
    diagnostic
}

/// A parse error in our words.
fn message(error: &ParseError) -> String {
    let token = error.token();
    match error.kind {
        ParseErrorKind::Empty => "an expression is missing here".to_owned(),
        ParseErrorKind::UnexpectedSymbol => format!("`{token}` cannot stand here"),
        ParseErrorKind::UnexpectedEnd => "the expression ends too early".to_owned(),
        ParseErrorKind::UnknownContext => format!("there is no context `{token}` here"),
        ParseErrorKind::UnknownFunction => format!("there is no function `{token}` here"),
        ParseErrorKind::TooFewArguments => format!("`{token}` is given too few arguments"),
        ParseErrorKind::TooManyArguments => format!("`{token}` is given too many arguments"),
        ParseErrorKind::EvenArguments => format!("`{token}` takes an odd number of arguments"),
        ParseErrorKind::TooDeep => "the expression is nested too deep".to_owned(),
        ParseErrorKind::TooLong => "the expression is too long".to_owned(),
    }
}
