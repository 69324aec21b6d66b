//! The functions that are part of the language.

use std::sync::Arc;

use crate::budget::Budget;
use crate::eval_error::EvalErrorKind;
use crate::format_string::{Piece, pieces};
use crate::json::{self, Indent, Limits, WriteError};
use crate::{Arity, Value, text};

/// A function that is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `case(predicate, value, …, default)`.
    Case,
    /// `contains(search, item)`.
    Contains,
    /// `endsWith(text, end)`.
    EndsWith,
    /// `format(text, …)`.
    Format,
    /// `fromJSON(text)`.
    FromJson,
    /// `join(array, separator)`.
    Join,
    /// `startsWith(text, start)`.
    StartsWith,
    /// `toJSON(value)`.
    ToJson,
}

/// What a value in memory is charged with, beside its text.
const VALUE_BYTES: usize = 32;

impl Function {
    /// All of them, in alphabetical order.
    pub const ALL: [Self; 8] = [
        Self::Case,
        Self::Contains,
        Self::EndsWith,
        Self::Format,
        Self::FromJson,
        Self::Join,
        Self::StartsWith,
        Self::ToJson,
    ];

    /// The name as GitHub's documentation writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Contains => "contains",
            Self::EndsWith => "endsWith",
            Self::Format => "format",
            Self::FromJson => "fromJSON",
            Self::Join => "join",
            Self::StartsWith => "startsWith",
            Self::ToJson => "toJSON",
        }
    }

    /// The function of that name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }

    /// How many arguments it takes; `case` moreover takes an odd number.
    pub fn arity(self) -> Arity {
        let (min, max) = match self {
            Self::Case => (3, usize::MAX),
            Self::Contains | Self::EndsWith | Self::StartsWith => (2, 2),
            Self::Format => (1, 255),
            Self::FromJson | Self::ToJson => (1, 1),
            Self::Join => (1, 2),
        };
        Arity { min, max }
    }

    /// Calls any function but `case`, whose arguments must not be evaluated all. Missing arguments count as null.
    pub(crate) fn call(self, args: &[Value], budget: &mut Budget) -> Result<Value, EvalErrorKind> {
        let arg = |at: usize| args.get(at).unwrap_or(&Value::Null);
        match self {
            Self::Case => Ok(arg(args.len().saturating_sub(1)).clone()),
            Self::Contains => contains(arg(0), arg(1), budget).map(Value::Bool),
            Self::EndsWith => on_texts(arg(0), arg(1), budget, text::ends_with_fold),
            Self::StartsWith => on_texts(arg(0), arg(1), budget, text::starts_with_fold),
            Self::Format => format(&arg(0).to_text(), args.get(1..).unwrap_or_default(), budget),
            Self::FromJson => from_json(&arg(0).to_text(), budget),
            Self::Join => join(arg(0), args.get(1), budget),
            Self::ToJson => to_json(arg(0), budget),
        }
    }
}

fn on_texts(
    left: &Value,
    right: &Value,
    budget: &mut Budget,
    test: fn(&str, &str) -> bool,
) -> Result<Value, EvalErrorKind> {
    if !left.is_primitive() || !right.is_primitive() {
        return Ok(Value::Bool(false));
    }
    let (left, right) = (left.to_text(), right.to_text());
    budget.look_at(left.len() + right.len())?;
    Ok(Value::Bool(test(&left, &right)))
}

fn contains(search: &Value, item: &Value, budget: &mut Budget) -> Result<bool, EvalErrorKind> {
    match search {
        Value::Array(items) => {
            for candidate in items.iter() {
                budget.look_at(comparison_bytes(item, candidate))?;
                if item.loosely_equals(candidate) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Object(_) => Ok(false),
        _ if !item.is_primitive() => Ok(false),
        _ => {
            let (search, item) = (search.to_text(), item.to_text());
            budget.look_at(search.len() + item.len())?;
            Ok(text::contains_fold(&search, &item))
        }
    }
}

/// The bytes that a comparison goes through at most.
pub(crate) fn comparison_bytes(left: &Value, right: &Value) -> usize {
    let length = |value: &Value| value.as_str().map_or(8, |text| text.len() + 8);
    length(left) + length(right)
}

/// `format`: the placeholders replaced by the arguments as text.
fn format(format: &str, args: &[Value], budget: &mut Budget) -> Result<Value, EvalErrorKind> {
    let mut out = String::new();
    for piece in pieces(format) {
        let piece = piece.map_err(|_| EvalErrorKind::InvalidFormat(excerpt(format)))?;
        let text = match piece {
            Piece::Text(text) => text.into(),
            Piece::Argument(at) => {
                let arg = args.get(at);
                arg.ok_or_else(|| EvalErrorKind::MissingFormatArgument(excerpt(format)))?.to_text()
            }
        };
        budget.produce(text.len())?;
        out.push_str(&text);
    }
    Ok(Value::string(out))
}

/// The text for an error message, cut when it is very long.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(21_000) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn from_json(text: &str, budget: &mut Budget) -> Result<Value, EvalErrorKind> {
    if text::trim(text).is_empty() {
        return Err(EvalErrorKind::EmptyJson);
    }
    budget.produce(text.len())?;
    let nodes = budget.result_left() / VALUE_BYTES;
    let value = json::read(text, Limits { nodes }).map_err(|error| {
        if error.is_limit() { EvalErrorKind::TooLarge } else { EvalErrorKind::InvalidJson(error) }
    })?;
    let nodes = text.bytes().filter(|b| matches!(b, b',' | b'[' | b'{')).count();
    budget.produce((nodes * VALUE_BYTES).min(budget.result_left()))?;
    Ok(value)
}

fn to_json(value: &Value, budget: &mut Budget) -> Result<Value, EvalErrorKind> {
    let text = json::write(value, Indent::Pretty, budget.result_left()).map_err(|error| match error {
        WriteError::TooDeep => EvalErrorKind::TooDeep,
        WriteError::TooLong => EvalErrorKind::TooLarge,
    })?;
    budget.produce(text.len())?;
    Ok(Value::string(text))
}

/// `join`: the items as text with the separator between them; a primitive is its own text, an object none.
fn join(items: &Value, separator: Option<&Value>, budget: &mut Budget) -> Result<Value, EvalErrorKind> {
    let items = match items {
        Value::Array(items) => items,
        Value::Object(_) => return Ok(Value::String(Arc::from(""))),
        Value::String(text) => return Ok(Value::String(Arc::clone(text))),
        primitive => return Ok(Value::string(primitive.to_text())),
    };
    let separator = match separator {
        Some(separator) if separator.is_primitive() => separator.to_text(),
        _ => ",".into(),
    };
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        let text = item.to_text();
        budget.produce(text.len() + separator.len())?;
        if at > 0 {
            out.push_str(&separator);
        }
        out.push_str(&text);
    }
    Ok(Value::string(out))
}
