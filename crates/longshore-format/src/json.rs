//! JSON as Go's encoder writes it: compact, keys of maps sorted, fields of structs in their order.
//!
//! Docker switches off the escaping of `<`, `>` and `&` for its `json` function, but the lines of listings marshal
//! themselves with Go's defaults, so there these three stay escaped.

use crate::number;
use crate::value::Value;

/// Writes a value.
pub(crate) fn encode(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, false);
    out
}

/// Writes a value, with or without what HTML could misunderstand.
fn write(out: &mut String, value: &Value, html: bool) {
    match value {
        Value::Absent | Value::Nil(_) | Value::Lookup(_) => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Uint(number) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&number::json(*number)),
        Value::Text(text) => write_text(out, text, html),
        Value::List(list) if list.nil => out.push_str("null"),
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, item, html);
            }
            out.push(']');
        }
        Value::Map(map) if map.nil => out.push_str("null"),
        Value::Map(map) => write_object(out, map.entries.iter().map(|(key, value)| (&**key, value)), html),
        Value::Record(record) => {
            let fields = record.fields.iter().map(|(key, value)| (&**key, value));
            let mut fields: Vec<_> = fields.filter(|(_, value)| !matches!(value, Value::Lookup(_))).collect();
            if record.row {
                fields.sort_by_key(|(key, _)| *key);
            }
            write_object(out, fields.into_iter(), html || record.row);
        }
    }
}

/// Writes an object with these members.
fn write_object<'a>(out: &mut String, members: impl Iterator<Item = (&'a str, &'a Value)>, html: bool) {
    out.push('{');
    for (index, (key, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(out, key, html);
        out.push(':');
        write(out, value, html);
    }
    out.push('}');
}

/// Writes a text in quotes.
fn write_text(out: &mut String, text: &str, html: bool) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' if html => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => out.push(char),
        }
    }
    out.push('"');
}
