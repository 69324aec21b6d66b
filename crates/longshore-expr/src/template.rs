//! Text that may hold expressions between `${{` and `}}`.

use std::fmt::Write as _;

use longshore_syntax::Span;

use crate::eval::Evaluator;
use crate::parser::parse_with;
use crate::text::{is_space, trim, utf16_len};
use crate::{
    Allowed, Contexts, EvalError, Expr, ExprKind, ParseError, ParseErrorKind, TemplateError,
    TemplateErrorKind, Value,
};

/// What opens an expression.
const OPEN: &str = "${{";
/// What closes it.
const CLOSE: &str = "}}";
/// The one directive: the value is put in the place of its key.
const INSERT: &str = "insert";

/// A text with expressions in it.
///
/// `${{ 'text' }}` alone is a way to write literal text and counts as such.
#[derive(Debug, Clone)]
pub struct Template {
    segments: Vec<Segment>,
    insert: bool,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub enum Segment {
    /// Text that stands for itself.
    Text {
        /// The text.
        text: String,
        /// Where it stands in the template.
        span: Span,
    },
    /// An expression. Spans inside `expr` are relative to `source`.
    Expr {
        /// The expression.
        expr: Expr,
        /// Its text, without `${{`, `}}` and the white space inside them.
        source: String,
        /// Byte offset of `source` in the template: add it to the expression's spans.
        offset: usize,
        /// Where it stands in the template, `${{` and `}}` included.
        span: Span,
    },
}

impl Template {
    /// Parses a text, checking names if `allowed` is given. The error is the first one.
    pub fn parse(text: &str, allowed: Option<&Allowed<'_>>) -> Result<Self, TemplateError> {
        Self::parse_all(text, allowed).map_err(|errors| {
            let first = errors.into_iter().next();
            first.unwrap_or(TemplateError { kind: TemplateErrorKind::NotClosed, span: Span::default() })
        })
    }

    /// Parses a text, checking names if `allowed` is given. The errors, one or more, are in the order of the text;
    /// after an expression that is not closed nothing more is found.
    pub fn parse_all(text: &str, allowed: Option<&Allowed<'_>>) -> Result<Self, Vec<TemplateError>> {
        let mut template = Self { segments: Vec::new(), insert: false };
        let mut errors = Vec::new();
        let mut at = 0;
        while let Some(start) = find(text, at, OPEN) {
            template.push_text(text, at, start);
            let Some(end) = close(text, start + OPEN.len()) else {
                let span = Span::new(start, text.len());
                errors.push(TemplateError { kind: TemplateErrorKind::NotClosed, span });
                return Err(errors);
            };
            let span = Span::new(start, end);
            if let Err(error) = template.push_expression(text, span, allowed) {
                let last = matches!(error.kind, TemplateErrorKind::DirectiveInText);
                errors.push(error);
                if last {
                    return Err(errors);
                }
            }
            at = end;
        }
        template.push_text(text, at, text.len());
        if errors.is_empty() { Ok(template.with_literal()) } else { Err(errors) }
    }

    /// A template that is nothing but text, whatever `text` looks like.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        let span = Span::new(0, text.len());
        Self { segments: vec![Segment::Text { text, span }], insert: false }
    }

    /// Whether there is nothing to evaluate.
    pub fn is_literal(&self) -> bool {
        self.as_literal().is_some()
    }

    /// The text, if there is nothing to evaluate.
    pub fn as_literal(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [] if !self.insert => Some(""),
            [Segment::Text { text, .. }] => Some(text),
            _ => None,
        }
    }

    /// Whether it is `${{ insert }}`.
    pub fn is_insert(&self) -> bool {
        self.insert
    }

    /// The expression, if the template is one and nothing else.
    pub fn as_expr(&self) -> Option<&Expr> {
        match self.segments.as_slice() {
            [Segment::Expr { expr, .. }] => Some(expr),
            _ => None,
        }
    }

    /// The pieces in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The expressions with the offset to add to their spans.
    pub fn expressions(&self) -> impl Iterator<Item = (&Expr, usize)> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Expr { expr, offset, .. } => Some((expr, *offset)),
            Segment::Text { .. } => None,
        })
    }

    /// The value: that of the expression if it is the whole template, else a text in which the expressions are
    /// replaced by their values as text. Spans of errors are relative to the template.
    pub fn eval(&self, contexts: &dyn Contexts) -> Result<Value, EvalError> {
        if let Some(text) = self.as_literal() {
            return Ok(Value::from(text));
        }
        let mut evaluator = Evaluator::new(contexts);
        if let [segment] = self.segments.as_slice() {
            return evaluate(segment, &mut evaluator);
        }
        let mut out = String::new();
        for segment in &self.segments {
            let value = evaluate(segment, &mut evaluator)?;
            let text = value.to_text();
            let produced = evaluator.budget.produce(text.len());
            produced.map_err(|kind| EvalError::at(segment.span(), kind))?;
            out.push_str(&text);
        }
        Ok(Value::from(out))
    }

    /// The one expression that GitHub makes of a template: the expression itself, or a call of `format` when there
    /// is text around it. None for literal text and directives.
    pub fn to_expression_text(&self) -> Option<String> {
        if self.is_literal() || self.insert {
            return None;
        }
        if let [Segment::Expr { source, .. }] = self.segments.as_slice() {
            return Some(source.clone());
        }
        let (mut format, mut args, mut count) = (String::new(), String::new(), 0);
        for segment in &self.segments {
            match segment {
                Segment::Text { text, .. } => {
                    let text = text.replace('\'', "''").replace('{', "{{").replace('}', "}}");
                    format.push_str(&text);
                }
                Segment::Expr { source, .. } => {
                    let _ = write!(format, "{{{count}}}");
                    args.push_str(", ");
                    args.push_str(source);
                    count += 1;
                }
            }
        }
        Some(format!("format('{format}'{args})"))
    }

    /// Length in UTF-16 units of [`Template::to_expression_text`]; GitHub refuses a template in which it is greater
    /// than [`MAX_LENGTH`](crate::MAX_LENGTH).
    pub fn expression_length(&self) -> usize {
        self.to_expression_text().map_or(0, |text| utf16_len(&text))
    }

    fn push_text(&mut self, text: &str, from: usize, to: usize) {
        if let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) {
            self.segments.push(Segment::Text { text: part.to_owned(), span: Span::new(from, to) });
        }
    }

    /// Adds what stands at `span`, which begins with `${{` and ends with `}}`.
    fn push_expression(
        &mut self,
        text: &str,
        span: Span,
        allowed: Option<&Allowed<'_>>,
    ) -> Result<(), TemplateError> {
        let inner = Span { start: span.start + OPEN.len() as u32, end: span.end - CLOSE.len() as u32 };
        let untrimmed = text.get(inner.range()).unwrap_or_default();
        let source = trim(untrimmed);
        let offset = inner.start as usize + (untrimmed.len() - untrimmed.trim_start_matches(is_space).len());
        let fail = |kind, span| TemplateError { kind, span };
        if source.is_empty() {
            let error = ParseError::of_whole(ParseErrorKind::Empty, source);
            return Err(fail(error.into(), span));
        }
        if let Some(parameters) = insert_parameters(source) {
            if parameters > 0 {
                return Err(fail(TemplateErrorKind::DirectiveParameters(parameters), span));
            }
            if span != Span::new(0, text.len()) {
                return Err(fail(TemplateErrorKind::DirectiveInText, span));
            }
            self.insert = true;
            return Ok(());
        }
        let expr = parse_with(source, allowed).map_err(|error| {
            let at = Span::new(offset + error.span.start as usize, offset + error.span.end as usize);
            fail(error.into(), at)
        })?;
        self.segments.push(Segment::Expr { expr, source: source.to_owned(), offset, span });
        Ok(())
    }

    /// Turns a template that is one string literal into text.
    fn with_literal(self) -> Self {
        match self.segments.as_slice() {
            [
                Segment::Expr {
                    expr: Expr { kind: ExprKind::Literal(Value::String(text)), .. }, span, ..
                },
            ] => {
                let segment = Segment::Text { text: text.to_string(), span: *span };
                Self { segments: vec![segment], insert: false }
            }
            _ => self,
        }
    }
}

impl Segment {
    /// Where it stands in the template.
    pub fn span(&self) -> Span {
        match self {
            Self::Text { span, .. } | Self::Expr { span, .. } => *span,
        }
    }
}

/// The value of one piece.
fn evaluate(segment: &Segment, evaluator: &mut Evaluator<'_>) -> Result<Value, EvalError> {
    match segment {
        Segment::Text { text, .. } => Ok(Value::from(text.as_str())),
        Segment::Expr { expr, offset, .. } => evaluator.eval(expr).map_err(|error| {
            let span = Span::new(error.span.start as usize + offset, error.span.end as usize + offset);
            EvalError { span, ..error }
        }),
    }
}

/// Where `pattern` begins at or after `from`.
fn find(text: &str, from: usize, pattern: &str) -> Option<usize> {
    text.get(from..)?.find(pattern).map(|at| from + at)
}

/// The end of the `}}` that closes an expression whose inside begins at `from`; one inside quotes does not.
fn close(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes().get(from..)?;
    let mut quoted = false;
    let mut previous = b'{';
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'}' if !quoted && previous == b'}' => return Some(from + at + 1),
            _ => {}
        }
        previous = *byte;
    }
    None
}

/// The number of parameters if the expression is the directive `insert`, counted as the published reference counts
/// them: whatever follows is one.
fn insert_parameters(source: &str) -> Option<usize> {
    let rest = source.strip_prefix(INSERT)?;
    match rest.chars().next() {
        None => Some(0),
        Some(c) if is_space(c) => Some(1),
        Some(_) => None,
    }
}
