//! What an operation is, and how it takes its parameters.

use serde_json::{Map, Value};

/// One thing that can be asked for.
pub(super) struct Operation {
    /// Its name: a family and a verb, such as `expr.eval`.
    pub(super) name: &'static str,
    /// One line about it.
    pub(super) summary: &'static str,
    /// Does it.
    pub(super) run: fn(&Parameters<'_>) -> Result<Value, OperationError>,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OperationError {
    /// One of the words that `docs/batch.md` lists.
    pub(super) kind: &'static str,
    /// What is wrong, for people.
    pub(super) message: String,
    /// More about it, by operation.
    pub(super) detail: Map<String, Value>,
}

impl OperationError {
    /// An error without more about it.
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), detail: Map::new() }
    }
}

/// The fields of a request. Fields that an operation does not know are left alone.
pub(super) struct Parameters<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Parameters<'a> {
    /// A field that must be there and be a string.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, OperationError> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(bad(format!("`{name}` must be a string"))),
            None => Err(bad(format!("`{name}` is missing"))),
        }
    }

    /// A field that may be left out or null, and else must be an object.
    pub(super) fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, OperationError> {
        match self.0.get(name) {
            Some(Value::Object(object)) => Ok(Some(object)),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(bad(format!("`{name}` must be an object"))),
        }
    }
}

impl<'a> Parameters<'a> {
    /// A field that may be there and must then be a string.
    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&'a str>, OperationError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.text(name).map(Some),
        }
    }

    /// A field that must be there and be an array of strings.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&'a str>, OperationError> {
        let array = self.0.get(name).and_then(Value::as_array);
        let texts: Option<Vec<&str>> = array.and_then(|array| array.iter().map(Value::as_str).collect());
        texts.ok_or_else(|| bad(format!("`{name}` must be an array of strings")))
    }
}

fn bad(message: String) -> OperationError {
    OperationError::new("bad-request", message)
}
