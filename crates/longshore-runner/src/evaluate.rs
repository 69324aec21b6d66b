//! Values of tokens while a run is going on, when everything is known.
//!
//! The planner evaluates with what is known and says what is missing; here nothing may be missing, and the functions that
//! depend on the runner (`hashFiles`, `success` and so on) have their answers. Conversions are GitHub's: what stands where
//! text is wanted becomes text, text becomes neither boolean nor number.

use std::sync::Arc;

use longshore_expr::{Array, Contexts, EvalError, Object, Value, eval};
use longshore_syntax::{SourceFile, Span};
use longshore_workflow::model::Condition;
use longshore_workflow::template::{Token, TokenKind};
use thiserror::Error;

/// A value cannot be computed, or is of the wrong kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {message}")]
pub struct EvaluationError {
    /// `file:line`.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

/// Evaluates tokens of one file.
pub(crate) struct Evaluator<'a> {
    file: &'a SourceFile,
    contexts: &'a dyn Contexts,
}

type Evaluated<T> = Result<T, EvaluationError>;

impl<'a> Evaluator<'a> {
    pub(crate) fn new(file: &'a SourceFile, contexts: &'a dyn Contexts) -> Self {
        Self { file, contexts }
    }

    /// The value of a token of any kind.
    pub(crate) fn value(&self, token: &Token) -> Evaluated<Value> {
        match &token.kind {
            TokenKind::Null | TokenKind::Insert(_) => Ok(Value::Null),
            TokenKind::Bool(value) => Ok(Value::Bool(*value)),
            TokenKind::Number(value) => Ok(Value::Number(*value)),
            TokenKind::String(text) => Ok(Value::from(text.as_str())),
            TokenKind::Expression(expression) => {
                eval(&expression.expr, self.contexts).map_err(|error| self.failed(token.span(), &error))
            }
            TokenKind::Sequence(items) => {
                let values: Evaluated<Vec<Value>> = items.iter().map(|item| self.value(item)).collect();
                Ok(Value::Array(Array::from(values?)))
            }
            TokenKind::Mapping(entries) => self.object(entries),
        }
    }

    /// Text: a boolean or number becomes text, nothing becomes the empty text.
    pub(crate) fn text(&self, token: &Token) -> Evaluated<String> {
        let value = self.value(token)?;
        if value.is_primitive() {
            return Ok(value.to_text().into_owned());
        }
        Err(self.refused(token.span(), format!("text is wanted here, not {}", kind(&value))))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, token: &Token) -> Evaluated<bool> {
        match self.value(token)? {
            Value::Bool(value) => Ok(value),
            Value::Null => Ok(false),
            value => {
                Err(self
                    .refused(token.span(), format!("`true` or `false` is wanted here, not {}", kind(&value))))
            }
        }
    }

    /// A number.
    pub(crate) fn number(&self, token: &Token) -> Evaluated<f64> {
        match self.value(token)? {
            Value::Number(value) if value.is_finite() => Ok(value),
            value => {
                Err(self.refused(token.span(), format!("a number is wanted here, not {}", kind(&value))))
            }
        }
    }

    /// Names and texts, in order; nothing is an empty mapping.
    pub(crate) fn texts(&self, token: &Token) -> Evaluated<Vec<(String, String)>> {
        match self.value(token)? {
            Value::Null => Ok(Vec::new()),
            Value::Object(object) => object
                .iter()
                .map(|(name, value)| {
                    if value.is_primitive() {
                        return Ok((name.to_string(), value.to_text().into_owned()));
                    }
                    let message = format!("`{name}` wants text, not {}", kind(value));
                    Err(self.refused(token.span(), message))
                })
                .collect(),
            Value::String(text) if text.is_empty() => Ok(Vec::new()),
            value => {
                Err(self.refused(token.span(), format!("a mapping is wanted here, not {}", kind(&value))))
            }
        }
    }

    /// Whether a condition holds.
    pub(crate) fn condition(&self, condition: &Condition) -> Evaluated<bool> {
        let place = condition.written.as_ref().map_or_else(Span::default, |written| written.span);
        eval(&condition.expr, self.contexts)
            .map(|value| value.is_truthy())
            .map_err(|error| self.failed(place, &error))
    }

    fn object(&self, entries: &[(Token, Token)]) -> Evaluated<Value> {
        let mut list: Vec<(Arc<str>, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            if let TokenKind::Insert(_) = key.kind {
                match self.value(value)? {
                    Value::Object(inner) => {
                        list.extend(inner.iter().map(|(key, value)| (Arc::clone(key), value.clone())));
                    }
                    other => {
                        let message = format!("`${{{{ insert }}}}` wants a mapping, not {}", kind(&other));
                        return Err(self.refused(value.span(), message));
                    }
                }
                continue;
            }
            list.push((Arc::from(self.text(key)?), self.value(value)?));
        }
        Ok(Value::Object(Object::from_entries(list)))
    }

    fn failed(&self, span: Span, error: &EvalError) -> EvaluationError {
        self.refused(span, error.kind.to_string())
    }

    fn refused(&self, span: Span, message: String) -> EvaluationError {
        let line = self.file.position(span.start).line;
        EvaluationError { place: format!("{}:{line}", self.file.name()), message }
    }
}

/// A value in a message; never its content, which may be secret.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
