//! Tokens to values, with what is wrong in its place.

use std::sync::Arc;

use longshore_expr::{Array, EvalError, Object, Value};
use longshore_syntax::{Diagnostic, SourceFile, Span};

use super::partial::add;
use super::{Evaluated, Knowledge, evaluate};
use crate::model::Condition;
use crate::plan::{Deferred, Planned};
use crate::template::{Expression, Token, TokenKind, code};

/// Evaluates the tokens of one file.
#[derive(Debug)]
pub struct TokenEvaluator<'a> {
    file: &'a SourceFile,
    knowledge: &'a Knowledge,
    diagnostics: Vec<Diagnostic>,
}

/// A token's value while it is put together.
enum Part {
    Known(Value),
    Waits(Vec<String>),
    Failed,
}

impl<'a> TokenEvaluator<'a> {
    /// Evaluates tokens of `file` with what is known in their place.
    pub fn new(file: &'a SourceFile, knowledge: &'a Knowledge) -> Self {
        Self { file, knowledge, diagnostics: Vec::new() }
    }

    /// What was wrong, in the order it was found.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// The value of a token of any kind.
    pub fn value(&mut self, token: &Token) -> Planned<Value> {
        let before = self.diagnostics.len();
        match self.part(token) {
            Part::Known(value) => Planned::Known(value),
            Part::Waits(waits_for) => Planned::Deferred(Deferred { text: self.text_of(token), waits_for }),
            Part::Failed => Planned::Failed(self.failure(before)),
        }
    }

    /// Text: a boolean or number becomes text, nothing becomes the empty text.
    pub fn text(&mut self, token: &Token) -> Planned<String> {
        let value = self.value(token);
        self.convert(token, value, "text", |value| value.is_primitive().then(|| value.to_text().into_owned()))
    }

    /// Text, if it is known; what is wrong with it is not kept.
    pub fn known_text(&mut self, token: &Token) -> Option<String> {
        let before = self.diagnostics.len();
        let text = self.text(token);
        self.diagnostics.truncate(before);
        text.known().cloned()
    }

    /// `true` or `false`; text is neither.
    pub fn boolean(&mut self, token: &Token) -> Planned<bool> {
        let value = self.value(token);
        self.convert(token, value, "`true` or `false`", |value| match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        })
    }

    /// A number; text is none.
    pub fn number(&mut self, token: &Token) -> Planned<f64> {
        let value = self.value(token);
        self.convert(token, value, "a number", |value| match value {
            Value::Number(value) if value.is_finite() => Some(*value),
            _ => None,
        })
    }

    /// Whether a condition holds.
    pub fn condition(&mut self, condition: &Condition) -> Planned<bool> {
        match evaluate(&condition.expr, self.knowledge) {
            Ok(evaluated) => match (evaluated.truth(), evaluated) {
                (Some(truth), _) => Planned::Known(truth),
                (None, evaluated) => Planned::Deferred(Deferred {
                    text: condition.as_written(self.file).unwrap_or_else(|| condition.text.clone()),
                    waits_for: evaluated.into_waits(),
                }),
            },
            Err(error) => {
                let span = match &condition.written {
                    Some(written) if condition.is_text => written.span,
                    Some(written) => within(written.locate(error.span), written.span),
                    None => Span::default(),
                };
                self.refuse(&error, span);
                Planned::Failed(self.failure(self.diagnostics.len() - 1))
            }
        }
    }

    /// Adds a finding.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Adds an error at a token and returns its text.
    pub fn refuse_at(&mut self, span: Span, message: String) -> String {
        self.diagnostics.push(Diagnostic::error(code::EVALUATION, span, message.clone()));
        message
    }

    fn part(&mut self, token: &Token) -> Part {
        match &token.kind {
            TokenKind::Null | TokenKind::Insert(_) => Part::Known(Value::Null),
            TokenKind::Bool(value) => Part::Known(Value::Bool(*value)),
            TokenKind::Number(value) => Part::Known(Value::Number(*value)),
            TokenKind::String(text) => Part::Known(Value::from(text.as_str())),
            TokenKind::Expression(expression) => self.expression(token, expression),
            TokenKind::Sequence(items) => self.sequence(items),
            TokenKind::Mapping(entries) => self.mapping(entries),
        }
    }

    fn expression(&mut self, token: &Token, expression: &Expression) -> Part {
        match evaluate(&expression.expr, self.knowledge) {
            Ok(Evaluated::Known(value)) => Part::Known(value),
            Ok(Evaluated::Undecided { waits_for, .. }) => Part::Waits(waits_for),
            Err(error) => {
                let (error, span) = self.locate(token, expression, error);
                self.refuse(&error, span);
                Part::Failed
            }
        }
    }

    /// The place of an error: that of the embedded expression which has it.
    fn locate(&self, token: &Token, expression: &Expression, error: EvalError) -> (EvalError, Span) {
        for embedded in &expression.embedded {
            if let Err(error) = evaluate(&embedded.expr, self.knowledge) {
                let span = within(embedded.locate(error.span), embedded.span);
                return (error, span);
            }
        }
        (error, token.span())
    }

    fn sequence(&mut self, items: &[Token]) -> Part {
        let mut values = Vec::with_capacity(items.len());
        let mut waits = Vec::new();
        let mut failed = false;
        for item in items {
            match self.part(item) {
                Part::Known(value) => values.push(value),
                Part::Waits(more) => add(&mut waits, more),
                Part::Failed => failed = true,
            }
        }
        settle(failed, waits, || Value::Array(Array::from(values)))
    }

    fn mapping(&mut self, entries: &[(Token, Token)]) -> Part {
        let mut list: Vec<(Arc<str>, Value)> = Vec::with_capacity(entries.len());
        let mut waits = Vec::new();
        let mut failed = false;
        for (key, value) in entries {
            match (&key.kind, self.part(key), self.part(value)) {
                (_, Part::Failed, _) | (_, _, Part::Failed) => failed = true,
                (_, Part::Waits(more), _) | (_, _, Part::Waits(more)) => add(&mut waits, more),
                (TokenKind::Insert(_), _, Part::Known(Value::Object(inner))) => {
                    list.extend(inner.iter().map(|(key, value)| (Arc::clone(key), value.clone())));
                }
                (TokenKind::Insert(_), ..) => {
                    self.refuse_at(value.span(), "`${{ insert }}` wants a mapping".to_owned());
                    failed = true;
                }
                (_, Part::Known(key), Part::Known(value)) => list.push((Arc::from(&*key.to_text()), value)),
            }
        }
        settle(failed, waits, || Value::Object(Object::from_entries(list)))
    }

    fn convert<T>(
        &mut self,
        token: &Token,
        value: Planned<Value>,
        wanted: &str,
        convert: impl FnOnce(&Value) -> Option<T>,
    ) -> Planned<T> {
        match value {
            Planned::Known(value) => {
                if let Some(value) = convert(&value) {
                    return Planned::Known(value);
                }
                let message = format!("{wanted} is wanted here, not {}", describe(&value));
                Planned::Failed(self.refuse_at(token.span(), message))
            }
            Planned::Deferred(deferred) => Planned::Deferred(deferred),
            Planned::Failed(text) => Planned::Failed(text),
        }
    }

    fn refuse(&mut self, error: &EvalError, span: Span) {
        let message = crate::evaluate::message(error);
        self.diagnostics.push(Diagnostic::error(code::EVALUATION, span, message));
    }

    /// The text of the findings since there were `before`.
    fn failure(&self, before: usize) -> String {
        self.diagnostics.get(before).map_or_else(String::new, |diagnostic| diagnostic.message.clone())
    }

    fn text_of(&self, token: &Token) -> String {
        let words: Vec<&str> = self.file.slice(token.span()).split_whitespace().collect();
        words.join(" ")
    }
}

fn settle(failed: bool, waits: Vec<String>, value: impl FnOnce() -> Value) -> Part {
    match (failed, waits.is_empty()) {
        (true, _) => Part::Failed,
        (false, false) => Part::Waits(waits),
        (false, true) => Part::Known(value()),
    }
}

/// The part, if it lies in the whole; text with escapes shifts places.
fn within(part: Span, whole: Span) -> Span {
    if part.start >= whole.start && part.end <= whole.end { part } else { whole }
}

/// A value in a message.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(_) => format!("the number `{}`", value.to_text()),
        Value::String(text) if text.is_empty() => "empty text".to_owned(),
        Value::String(text) => format!("the text `{}`", excerpt(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

/// A text short enough for a message.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
