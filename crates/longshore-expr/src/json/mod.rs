//! JSON to values and back, as `fromJSON` and `toJSON` have it.
//!
//! RFC 8259 as `JSON.parse` reads it: no comments, no trailing commas, numbers are doubles (too large ones become
//! infinite), lone surrogate escapes become U+FFFD. Printing follows `JSON.stringify`: NaN and infinities become
//! `null`, and only what must be escaped is.

mod read;
mod write;

pub use read::JsonError;
pub(crate) use read::{Limits, read};
use write::write_cut;
pub(crate) use write::{Indent, WriteError, write};

use crate::{Array, Object, Value};

/// How deep arrays and objects may be nested, in reading and in printing.
pub const MAX_DEPTH: usize = 100;

impl Value {
    /// Reads one JSON document.
    pub fn from_json(text: &str) -> Result<Self, JsonError> {
        read(text, Limits { nodes: usize::MAX })
    }

    /// The value as JSON, indented by two blanks as `toJSON` prints it. What is nested deeper than [`MAX_DEPTH`] is
    /// printed as `null`.
    pub fn to_json(&self) -> String {
        write_cut(self, Indent::Pretty)
    }

    /// The value as JSON on one line, without blanks.
    pub fn to_json_compact(&self) -> String {
        write_cut(self, Indent::Compact)
    }
}

/// Takes over a tree of `serde_json`, in the order that tree has.
impl From<&serde_json::Value> for Value {
    fn from(tree: &serde_json::Value) -> Self {
        match tree {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::string(text.as_str()),
            serde_json::Value::Array(items) => Self::Array(items.iter().map(Self::from).collect::<Array>()),
            serde_json::Value::Object(map) => {
                let entries = map.iter().map(|(key, value)| (key.as_str(), Self::from(value)));
                Self::Object(entries.collect::<Object>())
            }
        }
    }
}

/// Hands over to `serde_json`; integers become integers there, NaN and infinities null.
impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
                Self::from(*number as i64)
            }
            Value::Number(number) => Self::from(*number),
            Value::String(text) => Self::from(&**text),
            Value::Array(items) => items.iter().map(Self::from).collect(),
            Value::Object(object) => {
                let entries = object.iter().map(|(key, value)| (key.to_string(), Self::from(value)));
                Self::Object(entries.collect())
            }
        }
    }
}
