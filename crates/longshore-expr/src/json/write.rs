//! Printing JSON.

use std::fmt::Write as _;

use super::MAX_DEPTH;
use crate::{Value, number};

/// How JSON is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indent {
    /// Two blanks per level, one entry per line.
    Pretty,
    /// Everything on one line, no blanks.
    Compact,
}

/// Why a value was not printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// It is nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// The text would be longer than allowed.
    TooLong,
}

/// Prints `value` in at most about `limit` bytes.
pub(crate) fn write(value: &Value, indent: Indent, limit: usize) -> Result<String, WriteError> {
    let mut writer = Writer { out: String::new(), indent, limit, cut: false };
    writer.value(value, 0)?;
    Ok(writer.out)
}

/// Prints `value`, with `null` in the place of what is nested too deep.
pub(crate) fn write_cut(value: &Value, indent: Indent) -> String {
    let mut writer = Writer { out: String::new(), indent, limit: usize::MAX, cut: true };
    // Neither limit can be met: there is none for the length, and depth is cut.
    let _ = writer.value(value, 0);
    writer.out
}

/// Text being printed.
struct Writer {
    out: String,
    indent: Indent,
    limit: usize,
    /// Whether what is nested too deep becomes `null` instead of an error.
    cut: bool,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), WriteError> {
        if self.out.len() > self.limit {
            return Err(WriteError::TooLong);
        }
        match value {
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) if number.is_finite() => self.out.push_str(&number::print(*number)),
            Value::Null | Value::Number(_) => self.out.push_str("null"),
            Value::String(text) => quote(text, &mut self.out),
            Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH && self.cut => self.out.push_str("null"),
            Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => return Err(WriteError::TooDeep),
            Value::Array(items) => {
                let entries = items.iter().map(|item| (None, item));
                self.entries(['[', ']'], entries, depth + 1)?;
            }
            Value::Object(object) => {
                let entries = object.iter().map(|(key, value)| (Some(&**key), value));
                self.entries(['{', '}'], entries, depth + 1)?;
            }
        }
        if self.out.len() > self.limit { Err(WriteError::TooLong) } else { Ok(()) }
    }

    fn entries<'v>(
        &mut self,
        [open, close]: [char; 2],
        entries: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
        depth: usize,
    ) -> Result<(), WriteError> {
        self.out.push(open);
        let mut empty = true;
        for (key, value) in entries {
            if !empty {
                self.out.push(',');
            }
            empty = false;
            self.line(depth);
            if let Some(key) = key {
                quote(key, &mut self.out);
                self.out.push(':');
                if self.indent == Indent::Pretty {
                    self.out.push(' ');
                }
            }
            self.value(value, depth)?;
        }
        if !empty {
            self.line(depth - 1);
        }
        self.out.push(close);
        Ok(())
    }

    /// Begins a line at the given depth.
    fn line(&mut self, depth: usize) {
        if self.indent == Indent::Pretty {
            self.out.push('\n');
            for _ in 0..depth {
                self.out.push_str("  ");
            }
        }
    }
}

/// Appends the text in double quotes, with the escapes of `JSON.stringify`.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x0c => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..b' ' => "",
            _ => continue,
        };
        out.push_str(text.get(plain_from..at).unwrap_or_default());
        plain_from = at + 1;
        out.push_str(escape);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        }
    }
    out.push_str(text.get(plain_from..).unwrap_or_default());
    out.push('"');
}
