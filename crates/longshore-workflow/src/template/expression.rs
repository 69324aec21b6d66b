//! Expressions in scalars: `${{ … }}` alone or within text.

use std::sync::Arc;

use longshore_expr::{Allowed, Expr, ParseError, ParseErrorKind};
use longshore_syntax::{Diagnostic, Node, Span};

use super::read::Reader;
use super::{TokenKind, code};
use crate::schema::AllowedSet;

const OPEN: &str = "${{";

/// The expression that a scalar comes down to.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Its text as GitHub keeps it: the expression itself, or a call of `format` with the text around it.
    pub text: String,
    /// `text`, parsed; spans count from the start of `text`.
    pub expr: Arc<Expr>,
    /// What stands between `${{` and `}}`, in order. Empty where the whole scalar is the expression (`if:`).
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

/// A part of a scalar.
enum Segment {
    Text(String),
    Expression(Embedded, String),
}

impl Reader<'_> {
    /// What a text with `${{` in it is; the text itself if any of its expressions is refused.
    pub(super) fn template(&mut self, node: &Arc<Node>, text: &str, allowed: AllowedSet) -> TokenKind {
        let Some(segments) = self.segments(node, text, allowed) else {
            return TokenKind::String(text.to_owned());
        };
        match segments {
            Segments::Insert => TokenKind::Insert,
            Segments::Parts(parts) => {
                combine(parts, allowed).unwrap_or_else(|| TokenKind::String(text.to_owned()))
            }
        }
    }

    fn segments(&mut self, node: &Arc<Node>, text: &str, allowed: AllowedSet) -> Option<Segments> {
        let mut parts: Vec<Segment> = Vec::new();
        let mut refused = false;
        let mut at = 0;
        while let Some(open) = text[at..].find(OPEN).map(|offset| at + offset) {
            if open > at {
                parts.push(Segment::Text(text[at..open].to_owned()));
            }
            let Some(close) = closing(text, open + OPEN.len()) else {
                self.refuse_unclosed(node, text, open);
                return None;
            };
            let inner = &text[open + OPEN.len()..close - 2];
            let span = node.locate(self.file, open..close);
            match self.inner(node, inner, span, allowed) {
                Inner::Expression(embedded, inner) => parts.push(Segment::Expression(embedded, inner)),
                Inner::Insert if open == 0 && close == text.len() => return Some(Segments::Insert),
                Inner::Insert => {
                    self.refuse_directive(node, span);
                    return None;
                }
                Inner::Refused => refused = true,
            }
            at = close;
        }
        if at < text.len() {
            parts.push(Segment::Text(text[at..].to_owned()));
        }
        if refused { None } else { Some(Segments::Parts(parts)) }
    }

    fn inner(&mut self, node: &Arc<Node>, inner: &str, span: Span, allowed: AllowedSet) -> Inner {
        let trimmed = inner.trim();
        if trimmed.is_empty() {
            let diagnostic = Diagnostic::error(code::EMPTY_EXPRESSION, span, "an expression is missing here");
            self.refusals.push_within(node.span, "An expression was expected", diagnostic);
            return Inner::Refused;
        }
        if let Some(rest) = trimmed.strip_prefix("insert") {
            if rest.is_empty() {
                return Inner::Insert;
            }
            if rest.starts_with(char::is_whitespace) {
                self.refuse_directive_parameters(node, span, rest);
                return Inner::Refused;
            }
        }
        let start = span.start + OPEN.len() as u32 + (inner.len() - inner.trim_start().len()) as u32;
        match parse(trimmed, allowed) {
            Ok(expr) => Inner::Expression(Embedded { span, start, expr: Arc::new(expr) }, trimmed.to_owned()),
            Err(error) => {
                let place = if span == node.span { span } else { error_place(&error, start, span) };
                let diagnostic = parse_diagnostic(&error, place, allowed);
                self.refusals.push_within(node.span, error.published_text(), diagnostic);
                Inner::Refused
            }
        }
    }

    fn refuse_unclosed(&mut self, node: &Arc<Node>, text: &str, open: usize) {
        let span = node.locate(self.file, open..text.len());
        let github = "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was \
                      not found.";
        let diagnostic = Diagnostic::error(code::UNCLOSED_EXPRESSION, span, "`${{` has no closing `}}`")
            .help("close it with `}}`; text in an expression stands in single quotes");
        self.refusals.push_within(node.span, github, diagnostic);
    }

    fn refuse_directive(&mut self, node: &Arc<Node>, span: Span) {
        let github = "The directive 'insert' is not allowed in this context. Directives are not supported for expressions \
                      that are embedded within a string. Directives are only supported when the entire value is an \
                      expression.";
        let message = "`insert` must be the whole key, not a part of a text";
        self.refusals.push_within(
            node.span,
            github,
            Diagnostic::error(code::INVALID_DIRECTIVE, span, message),
        );
    }

    fn refuse_directive_parameters(&mut self, node: &Arc<Node>, span: Span, rest: &str) {
        let count = usize::from(!rest.trim().is_empty());
        let github = format!(
            "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual parameter count: {count}"
        );
        let message = "`insert` takes nothing behind it";
        self.refusals.push_within(
            node.span,
            github,
            Diagnostic::error(code::INVALID_DIRECTIVE, span, message),
        );
    }
}

enum Segments {
    Insert,
    Parts(Vec<Segment>),
}

enum Inner {
    Expression(Embedded, String),
    Insert,
    Refused,
}

/// Parses `text` with the names that `allowed` permits.
pub(crate) fn parse(text: &str, allowed: AllowedSet) -> Result<Expr, ParseError> {
    longshore_expr::parse_allowed(text, &Allowed::from_items(&allowed.items()))
}

/// The place of a parse error in the file: exact where the expression stands as it reads.
pub(crate) fn error_place(error: &ParseError, start: u32, whole: Span) -> Span {
    let place = Span { start: start + error.span.start, end: start + error.span.end };
    if place.end <= whole.end { place } else { whole }
}

/// A parse error for people.
pub(crate) fn parse_diagnostic(error: &ParseError, span: Span, allowed: AllowedSet) -> Diagnostic {
    let diagnostic = Diagnostic::error(error.code(), span, message(error));
    if let Some(suggestion) = error.suggestion() {
        return diagnostic.help(format!("did you mean `{suggestion}`?"));
    }
    if error.kind == ParseErrorKind::UnknownContext {
        let contexts: Vec<&str> = allowed.contexts().collect();
        if contexts.is_empty() {
            return diagnostic.help("no context exists here");
        }
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

/// The index after the `}}` that closes an expression whose text begins at `from`; quotes hide braces.
fn closing(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut in_string = false;
    (from..bytes.len()).find_map(|at| match bytes[at] {
        b'\'' => {
            in_string = !in_string;
            None
        }
        b'}' if !in_string && bytes[at - 1] == b'}' && at > from => Some(at + 1),
        _ => None,
    })
}

/// One token for all segments; `None` if the combined expression breaks a limit.
fn combine(mut parts: Vec<Segment>, allowed: AllowedSet) -> Option<TokenKind> {
    if let [Segment::Expression(embedded, text)] = parts.as_slice() {
        if let Some(literal) = string_literal(text) {
            return Some(TokenKind::String(literal));
        }
        let expr = Arc::clone(&embedded.expr);
        let text = text.clone();
        let Some(Segment::Expression(embedded, _)) = parts.pop() else { return None };
        return Some(TokenKind::Expression(Expression { text, expr, embedded: vec![embedded] }));
    }
    let mut format = String::new();
    let mut arguments = String::new();
    let mut embedded = Vec::new();
    for part in parts {
        match part {
            Segment::Text(text) => {
                format.push_str(&text.replace('\'', "''").replace('{', "{{").replace('}', "}}"))
            }
            Segment::Expression(part, text) => {
                format.push_str(&format!("{{{}}}", embedded.len()));
                arguments.push_str(", ");
                arguments.push_str(&text);
                embedded.push(part);
            }
        }
    }
    let text = format!("format('{format}'{arguments})");
    let expr = parse(&text, allowed).ok()?;
    Some(TokenKind::Expression(Expression { text, expr: Arc::new(expr), embedded }))
}

/// The text of an expression that is nothing but a string, such as `'{{ not an expression }}'`.
fn string_literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let unescaped = inner.replace("''", "\u{0}");
    if unescaped.contains('\'') || text.len() < 2 { None } else { Some(unescaped.replace('\u{0}', "'")) }
}
