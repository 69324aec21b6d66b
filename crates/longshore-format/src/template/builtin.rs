//! Go's own functions, besides the comparisons.

use std::sync::Arc;

use super::executor::printed;
use super::function::Called;
use crate::value::{INTERFACE, List, Value};
use crate::verb;

/// Values as `print` gets them: nothing prints as itself.
fn shown(values: &[Value]) -> String {
    let values: Vec<Value> = values
        .iter()
        .map(|value| {
            if matches!(value, Value::Absent | Value::Nil(INTERFACE)) {
                Value::text(printed(&Value::Absent))
            } else {
                value.clone()
            }
        })
        .collect();
    verb::sprint(&values)
}

pub(super) fn print(values: &[Value]) -> Value {
    Value::text(verb::sprint(values))
}

pub(super) fn println(values: &[Value]) -> Value {
    Value::text(verb::sprintln(values))
}

pub(super) fn printf(values: &[Value]) -> Value {
    match values.split_first() {
        Some((Value::Text(format), values)) => Value::text(verb::sprintf(format, values)),
        _ => Value::text(""),
    }
}

/// There are no functions among the values, so nothing can be called.
pub(super) fn call(values: &[Value]) -> Called {
    match values.first() {
        None | Some(Value::Absent | Value::Nil(INTERFACE)) => Err("call of nil".to_owned()),
        Some(value) => Err(format!("non-function of type {}", value.type_name())),
    }
}

pub(super) fn html(values: &[Value]) -> Value {
    let mut out = String::new();
    for char in shown(values).chars() {
        match char {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            char => out.push(char),
        }
    }
    Value::text(out)
}

pub(super) fn js(values: &[Value]) -> Value {
    let mut out = String::new();
    for char in shown(values).chars() {
        match char {
            '\\' | '\'' | '"' => out.extend(['\\', char]),
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => out.push_str(&format!("\\u{:04X}", u32::from(char))),
            char if char.is_ascii() || crate::quote::prints(char) => out.push(char),
            char => out.push_str(&format!("\\u{:04X}", u32::from(char))),
        }
    }
    Value::text(out)
}

pub(super) fn urlquery(values: &[Value]) -> Value {
    let mut out = String::new();
    for byte in shown(values).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Value::text(out)
}

pub(super) fn len(values: &[Value]) -> Called {
    let length = match values.first() {
        Some(Value::Text(text)) => text.len(),
        Some(Value::List(list)) => list.items.len(),
        Some(Value::Map(map)) => map.entries.len(),
        Some(Value::Nil(_)) => return Err("len of nil pointer".to_owned()),
        None | Some(Value::Absent) => {
            return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
        }
        Some(other) => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// An index of a slice or a text of a length.
fn position(index: &Value, most: usize) -> Result<usize, String> {
    let position = match index {
        Value::Int(number) => usize::try_from(*number).ok(),
        Value::Uint(number) => usize::try_from(*number).ok(),
        Value::Absent | Value::Nil(_) => return Err("cannot index slice/array with nil".to_owned()),
        other => return Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    position
        .filter(|position| *position <= most)
        .ok_or_else(|| format!("index out of range: {}", verb::display(index)))
}

pub(super) fn index(values: &[Value]) -> Called {
    let Some((item, indexes)) = values.split_first() else { return Ok(Value::Absent) };
    if matches!(item, Value::Absent | Value::Nil(INTERFACE)) {
        return Err("index of untyped nil".to_owned());
    }
    let mut item = item.clone();
    for index in indexes {
        item = match &item {
            Value::List(list) => {
                let position = position(index, list.items.len())?;
                list.items.get(position).cloned().ok_or("reflect: slice index out of range")?
            }
            Value::Text(text) => {
                let position = position(index, text.len())?;
                let byte = text.as_bytes().get(position).ok_or("reflect: string index out of range")?;
                Value::Uint(u64::from(*byte))
            }
            Value::Map(map) => match index {
                Value::Text(key) => map.entries.get(key).cloned().unwrap_or_else(|| map.element.zero()),
                Value::Absent | Value::Nil(INTERFACE) => {
                    return Err("value is nil; should be of type string".to_owned());
                }
                other => return Err(format!("value has type {}; should be string", other.type_name())),
            },
            Value::Absent | Value::Nil(_) => return Err("index of nil pointer".to_owned()),
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(item)
}

pub(super) fn slice(values: &[Value]) -> Called {
    let Some((item, indexes)) = values.split_first() else { return Ok(Value::Absent) };
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match item {
        Value::Absent | Value::Nil(INTERFACE) => return Err("slice of untyped nil".to_owned()),
        Value::Text(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".to_owned()),
        Value::Text(text) => text.len(),
        Value::List(list) => list.items.len(),
        Value::Nil(_) => return Err("slice of nil pointer".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        // Unlike `index`, this does not look into interfaces.
        if *index == Value::Nil(INTERFACE) {
            return Err(format!("cannot index slice/array with type {INTERFACE}"));
        }
        *bound = position(index, length)?;
    }
    let [from, to, most] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    if to > most {
        return Err(format!("invalid slice index: {to} > {most}"));
    }
    Ok(match item {
        // Half a character has no place in a text, so the replacement character stands for it.
        Value::Text(text) => {
            let bytes = text.as_bytes().get(from..to).unwrap_or_default();
            Value::text(String::from_utf8_lossy(bytes))
        }
        Value::List(list) => {
            let items = list.items.get(from..to).unwrap_or_default().to_vec();
            Value::List(Arc::new(List { element: list.element, items, nil: false }))
        }
        _ => Value::Absent,
    })
}
