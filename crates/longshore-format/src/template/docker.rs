//! The functions that Docker adds to Go's.
//!
//! Where a row of titles is rendered instead of values, most of them leave the title alone, so that
//! `table {{upper .Names}}` has a title that people know.

use std::sync::Arc;

use super::FunctionSet;
use super::function::Called;
use crate::json::encode;
use crate::shape::Shape;
use crate::value::{List, Value};
use crate::verb;

/// How long a text may become by padding.
const MAX_PAD: i64 = 1 << 20;

/// The text at an index; parameters have been checked.
fn text(values: &[Value], index: usize) -> &str {
    match values.get(index) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

fn int(values: &[Value], index: usize) -> i64 {
    match values.get(index) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    }
}

/// The title that is left alone, if this is a row of titles.
fn title_of(set: FunctionSet, values: &[Value]) -> Option<Value> {
    let title = values.first().filter(|value| matches!(value, Value::Text(_)));
    title.filter(|_| set == FunctionSet::Titles).cloned()
}

pub(super) fn json(set: FunctionSet, values: &[Value]) -> Value {
    let value = values.first().unwrap_or(&Value::Absent);
    title_of(set, values).unwrap_or_else(|| Value::text(encode(value)))
}

pub(super) fn lower(set: FunctionSet, values: &[Value]) -> Value {
    title_of(set, values).unwrap_or_else(|| Value::text(text(values, 0).to_lowercase()))
}

pub(super) fn upper(set: FunctionSet, values: &[Value]) -> Value {
    title_of(set, values).unwrap_or_else(|| Value::text(simple_upper(text(values, 0))))
}

/// Go maps each character to one, so `ß` has no other form.
fn simple_upper(text: &str) -> String {
    text.chars().map(upper_char).collect()
}

fn upper_char(char: char) -> char {
    let mut mapped = char.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) => upper,
        _ => char,
    }
}

pub(super) fn title(set: FunctionSet, values: &[Value]) -> Value {
    if let Some(title) = title_of(set, values) {
        return title;
    }
    let mut before = ' ';
    let titled = text(values, 0).chars().map(|char| {
        let separates = if before.is_ascii() {
            !before.is_ascii_alphanumeric() && before != '_'
        } else {
            !before.is_alphanumeric() && before.is_whitespace()
        };
        before = char;
        if separates { upper_char(char) } else { char }
    });
    Value::text(titled.collect::<String>())
}

pub(super) fn split(set: FunctionSet, values: &[Value]) -> Value {
    if let Some(title) = title_of(set, values) {
        return title;
    }
    let (text, separator) = (text(values, 0), text(values, 1));
    let parts: Vec<Value> = if separator.is_empty() {
        text.chars().map(|char| Value::text(char.to_string())).collect()
    } else {
        text.split(separator).map(Value::text).collect()
    };
    Value::List(Arc::new(List { element: Shape::Text, items: parts, nil: false }))
}

pub(super) fn join(set: FunctionSet, values: &[Value]) -> Called {
    if let Some(title) = title_of(set, values) {
        return Ok(title);
    }
    let separator = text(values, 1);
    let parts: Vec<String> = match values.first() {
        None | Some(Value::Absent | Value::Nil(crate::value::INTERFACE)) => return Ok(Value::text("")),
        Some(Value::List(list)) => list.items.iter().map(verb::display).collect(),
        Some(Value::Map(map)) => {
            let mut parts: Vec<String> = map.entries.values().map(verb::display).collect();
            parts.sort_unstable();
            parts
        }
        Some(other) => return Err(format!("expected slice, got {}", other.type_name())),
    };
    let separators = separator.len().saturating_mul(parts.len());
    if separators.saturating_add(parts.iter().map(String::len).sum()) > MAX_JOINED {
        return Err("the joined text is longer than 16 MiB".to_owned());
    }
    Ok(Value::text(parts.join(separator)))
}

/// How long a joined text may be.
const MAX_JOINED: usize = 16 << 20;

pub(super) fn pad(_: FunctionSet, values: &[Value]) -> Called {
    let text = text(values, 0);
    if text.is_empty() {
        return Ok(Value::text(""));
    }
    let blanks = |count: i64| match usize::try_from(count) {
        Ok(count) if int(values, 1).max(int(values, 2)) <= MAX_PAD => Ok(" ".repeat(count)),
        Ok(_) => Err(format!("more than {MAX_PAD} blanks")),
        Err(_) => Err("strings: negative Repeat count".to_owned()),
    };
    Ok(Value::text(format!("{}{text}{}", blanks(int(values, 1))?, blanks(int(values, 2))?)))
}

pub(super) fn truncate(set: FunctionSet, values: &[Value]) -> Called {
    if let Some(title) = title_of(set, values) {
        return Ok(title);
    }
    let (text, length) = (text(values, 0), int(values, 1));
    let Ok(mut length) = usize::try_from(length) else {
        return Err(format!("runtime error: slice bounds out of range [:{length}]"));
    };
    if length >= text.len() {
        return Ok(Value::text(text));
    }
    // Docker counts bytes; half a character would be no text.
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    Ok(Value::text(text.get(..length).unwrap_or_default()))
}
