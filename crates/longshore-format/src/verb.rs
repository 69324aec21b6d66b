//! `print` and `printf` as Go's `fmt` does them.
//!
//! A mistake in a format is part of the output, such as `%!d(string=x)`, and not an error.

use crate::number;
use crate::quote::{code_point, quote, quote_with};
use crate::value::Value;

/// The largest width, precision and argument number; a larger one is a mistake.
const LARGEST: usize = 1_000_000;

/// The flags of a verb.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags that Go's formats have")]
struct Spec {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v`: names of fields, but no signs.
    names: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// A value as `%v` prints it.
pub(crate) fn display(value: &Value) -> String {
    Spec::default().value(value, 'v', 0)
}

/// `fmt.Sprint`: blanks between operands of which neither is a text.
pub(crate) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    let mut text_before = true;
    for value in values {
        let text = matches!(value, Value::Text(_));
        if !out.is_empty() && !text && !text_before {
            out.push(' ');
        }
        text_before = text;
        out.push_str(&display(value));
    }
    out
}

/// `fmt.Sprintln`: blanks between all operands, and a line feed.
pub(crate) fn sprintln(values: &[Value]) -> String {
    let mut out = values.iter().map(display).collect::<Vec<_>>().join(" ");
    out.push('\n');
    out
}

/// `fmt.Sprintf`.
pub(crate) fn sprintf(format: &str, values: &[Value]) -> String {
    let mut printer =
        Printer { rest: format, values, next: 0, reordered: false, good: true, out: String::new() };
    printer.run();
    printer.out
}

struct Printer<'a> {
    rest: &'a str,
    values: &'a [Value],
    next: usize,
    /// Whether an index such as `[2]` was used: then values that are left are no mistake.
    reordered: bool,
    good: bool,
    out: String,
}

impl Printer<'_> {
    fn run(&mut self) {
        while let Some((before, after)) = self.rest.split_once('%') {
            self.out.push_str(before);
            self.rest = after;
            self.good = true;
            self.verb();
        }
        self.out.push_str(self.rest);
        if !self.reordered && self.next < self.values.len() {
            let values = self.values.get(self.next..).unwrap_or_default();
            let extra: Vec<String> = values.iter().map(|value| Spec::default().typed(value)).collect();
            self.out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
        }
    }

    fn accept(&mut self, char: char) -> bool {
        let stripped = self.rest.strip_prefix(char);
        self.rest = stripped.unwrap_or(self.rest);
        stripped.is_some()
    }

    /// One verb, after its percent sign.
    fn verb(&mut self) {
        let mut spec = self.flags();
        let mut index_last = self.index();
        if self.accept('*') {
            match self.star() {
                Some(width) => {
                    spec.minus |= width < 0;
                    spec.zero &= !spec.minus;
                    spec.width = Some(width.unsigned_abs());
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
            index_last = false;
        } else {
            spec.width = self.digits();
            self.good &= !(index_last && spec.width.is_some());
        }
        if self.accept('.') {
            self.good &= !index_last;
            index_last = self.index();
            if self.accept('*') {
                spec.precision = self.star().and_then(|precision| usize::try_from(precision).ok());
                if spec.precision.is_none() {
                    self.out.push_str("%!(BADPREC)");
                }
                index_last = false;
            } else {
                spec.precision = Some(self.digits().unwrap_or_default());
            }
        }
        if !index_last {
            self.index();
        }
        let Some(verb) = self.rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return;
        };
        self.rest = self.rest.get(verb.len_utf8()..).unwrap_or_default();
        self.print(spec, verb);
    }

    fn print(&mut self, spec: Spec, verb: char) {
        if verb == '%' {
            self.out.push('%');
        } else if !self.good {
            self.out.push_str(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(value) = self.values.get(self.next) {
            self.next += 1;
            let names = spec.plus && verb == 'v';
            let spec = Spec { names, plus: spec.plus && !names, ..spec };
            self.out.push_str(&spec.value(value, verb, 0));
        } else {
            self.out.push_str(&format!("%!{verb}(MISSING)"));
        }
    }

    fn flags(&mut self) -> Spec {
        let mut spec = Spec::default();
        loop {
            match self.rest.chars().next() {
                Some('+') => spec.plus = true,
                Some('-') => spec.minus = true,
                Some('#') => spec.sharp = true,
                Some(' ') => spec.space = true,
                Some('0') => spec.zero = true,
                _ => break,
            }
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        spec.zero &= !spec.minus;
        spec
    }

    fn digits(&mut self) -> Option<usize> {
        let length = self.rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(length);
        let number = digits.parse().ok().filter(|number| *number <= LARGEST);
        self.rest = rest;
        number
    }

    /// `[n]`: the next value is the n-th.
    fn index(&mut self) -> bool {
        let Some(body) = self.rest.strip_prefix('[') else { return false };
        self.reordered = true;
        let Some((number, rest)) = body.split_once(']') else {
            self.good = false;
            self.rest = body;
            return false;
        };
        self.rest = rest;
        match number.parse::<usize>() {
            Ok(number) if number >= 1 && number <= self.values.len() => self.next = number - 1,
            _ => self.good = false,
        }
        true
    }

    /// A width or precision that is one of the values.
    fn star(&mut self) -> Option<isize> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(number) => {
                isize::try_from(*number).ok().filter(|number| number.unsigned_abs() <= LARGEST)
            }
            _ => None,
        }
    }
}

impl Spec {
    /// `type=value`, as mistakes show values.
    fn typed(self, value: &Value) -> String {
        match value {
            Value::Absent | Value::Nil(crate::value::INTERFACE) => "<nil>".to_owned(),
            Value::Lookup(_) => value.type_name(),
            value => format!("{}={}", value.type_name(), self.value(value, 'v', 0)),
        }
    }

    /// A verb that does not fit the value, which is shown with the flags all the same.
    fn unfit(self, value: &Value, verb: char) -> String {
        format!("%!{verb}({})", self.typed(value))
    }

    /// A value, of which the parts of composed ones are printed with the same verb.
    fn value(self, value: &Value, verb: char, depth: usize) -> String {
        if verb == 'T' {
            let name = if *value == Value::Nil(crate::value::INTERFACE) {
                "<nil>".to_owned()
            } else {
                value.type_name()
            };
            return self.pad(name, false);
        }
        match value {
            Value::Absent | Value::Nil(crate::value::INTERFACE) if verb == 'v' || depth > 0 => {
                let go_syntax = self.sharp && depth > 0;
                let text = if go_syntax { "interface {}(nil)" } else { "<nil>" };
                if depth > 0 { text.to_owned() } else { self.pad(text.to_owned(), false) }
            }
            Value::Nil(name) if self.sharp && verb == 'v' => format!("({name})(nil)"),
            Value::Nil(name)
                if *name != crate::value::INTERFACE && matches!(verb, 'b' | 'o' | 'd' | 'x' | 'X') =>
            {
                self.int(value, 0, false, verb)
            }
            Value::Nil(_) if verb == 'v' => self.pad("<nil>".to_owned(), false),
            Value::Bool(truth) if matches!(verb, 't' | 'v') => self.pad(truth.to_string(), true),
            Value::Absent | Value::Nil(_) | Value::Lookup(_) | Value::Bool(_) => self.unfit(value, verb),
            Value::Int(number) => self.int(value, number.unsigned_abs(), *number < 0, verb),
            Value::Uint(number) => self.int(value, *number, false, verb),
            Value::Float(number) => self.float(value, *number, verb),
            Value::Text(text) => self.text(value, text, verb),
            Value::List(_) | Value::Map(_) | Value::Record(_) if self.sharp && verb == 'v' => {
                self.go_syntax(value, depth)
            }
            Value::List(list) => {
                let items = list.items.iter().map(|item| self.value(item, verb, depth + 1));
                format!("[{}]", items.collect::<Vec<_>>().join(" "))
            }
            Value::Map(map) => {
                let entry = |(key, item): (&std::sync::Arc<str>, &Value)| {
                    let key = self.value(&Value::Text(key.clone()), verb, depth + 1);
                    format!("{key}:{}", self.value(item, verb, depth + 1))
                };
                format!("map[{}]", map.entries.iter().map(entry).collect::<Vec<_>>().join(" "))
            }
            Value::Record(record) => {
                let fields = record.fields.iter().map(|(name, item)| {
                    let item = self.value(item, verb, depth + 1);
                    if self.names { format!("{name}:{item}") } else { item }
                });
                format!("{{{}}}", fields.collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// `%#v` of something composed.
    fn go_syntax(self, value: &Value, depth: usize) -> String {
        let name = value.type_name();
        let parts: Vec<String> = match value {
            Value::List(list) if list.nil => return format!("{name}(nil)"),
            Value::Map(map) if map.nil => return format!("{name}(nil)"),
            Value::List(list) => list.items.iter().map(|item| self.value(item, 'v', depth + 1)).collect(),
            Value::Map(map) => {
                let entries = map.entries.iter();
                entries
                    .map(|(key, item)| format!("{}:{}", quote(key), self.value(item, 'v', depth + 1)))
                    .collect()
            }
            Value::Record(record) => {
                let fields = record.fields.iter();
                fields.map(|(key, item)| format!("{key}:{}", self.value(item, 'v', depth + 1))).collect()
            }
            _ => Vec::new(),
        };
        format!("{name}{{{}}}", parts.join(", "))
    }

    /// Brings a text to the width, in characters.
    fn pad(self, text: String, zeros: bool) -> String {
        let missing = self.width.unwrap_or_default().saturating_sub(text.chars().count());
        if missing == 0 {
            return text;
        }
        let filler = if zeros && self.zero { "0" } else { " " }.repeat(missing);
        if self.minus { text + &filler } else { filler + &text }
    }

    fn text(self, value: &Value, text: &str, verb: char) -> String {
        let short: String = match self.precision {
            Some(precision) if verb != 'x' && verb != 'X' => text.chars().take(precision).collect(),
            _ => text.to_owned(),
        };
        match verb {
            'v' if self.sharp => self.pad(quote(&short), false),
            's' | 'v' => self.pad(short, true),
            'q' if self.sharp
                && !short.contains('`')
                && short.chars().all(|char| char == '\t' || char >= ' ') =>
            {
                self.pad(format!("`{short}`"), true)
            }
            'q' => self.pad(quote_with(&short, '"', self.plus), true),
            'x' | 'X' => self.pad(self.hexadecimal(text.as_bytes(), verb), true),
            _ => self.unfit(value, verb),
        }
    }

    /// The bytes of a text as hexadecimal digits.
    fn hexadecimal(self, bytes: &[u8], verb: char) -> String {
        let bytes = bytes.get(..self.precision.unwrap_or(bytes.len()).min(bytes.len())).unwrap_or_default();
        let prefix = if verb == 'x' { "0x" } else { "0X" };
        let mut out = String::new();
        for (index, byte) in bytes.iter().enumerate() {
            if self.space && index > 0 {
                out.push(' ');
            }
            if self.sharp && (self.space || index == 0) {
                out.push_str(prefix);
            }
            out.push_str(&if verb == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") });
        }
        out
    }

    fn int(self, value: &Value, number: u64, negative: bool, verb: char) -> String {
        let char = char::from_u32(u32::try_from(number).unwrap_or(u32::MAX)).filter(|_| !negative);
        let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
        let (digits, prefix) = match verb {
            'v' if self.sharp && matches!(value, Value::Uint(_)) => {
                return self.pad(format!("{number:#x}"), false);
            }
            'd' | 'v' => (number.to_string(), ""),
            'b' => (format!("{number:b}"), "0b"),
            'o' => (format!("{number:o}"), "0"),
            'O' => (format!("0o{number:o}"), ""),
            'x' => (format!("{number:x}"), "0x"),
            'X' => (format!("{number:X}"), "0X"),
            'c' => return self.pad(char.to_string(), true),
            'q' => return self.pad(quote_with(&char.to_string(), '\'', self.plus), true),
            'U' => {
                let number = if negative { number.wrapping_neg() } else { number };
                let shown = if self.sharp { code_point(char) } else { format!("U+{number:04X}") };
                return self.pad(shown, false);
            }
            _ => return self.unfit(value, verb),
        };
        let sign = match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        };
        if self.precision == Some(0) && number == 0 {
            return self.pad(String::new(), false);
        }
        let least = match (self.precision, self.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if self.zero => width.saturating_sub(sign.len()),
            _ => 0,
        };
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        let prefix = if self.sharp && verb != 'v' { prefix } else { "" };
        self.pad(format!("{sign}{prefix}{zeros}{digits}"), false)
    }

    fn float(self, value: &Value, number: f64, verb: char) -> String {
        let (shape, precision) = match verb {
            'v' => ('g', self.precision),
            'g' | 'G' => (verb, self.precision),
            'e' | 'E' => (verb, Some(self.precision.unwrap_or(6))),
            'f' | 'F' => ('f', Some(self.precision.unwrap_or(6))),
            _ => return self.unfit(value, verb),
        };
        let text = number::float(number, shape, precision.map(|precision| precision.min(LARGEST)));
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) if text.starts_with('-') => ("-", digits),
            Some(digits) => ("+", digits),
            None if self.plus => ("+", text.as_str()),
            None if self.space => (" ", text.as_str()),
            None => ("", text.as_str()),
        };
        let zeros = if self.zero && number.is_finite() {
            self.width.unwrap_or_default().saturating_sub(sign.len() + digits.len())
        } else {
            0
        };
        self.pad(format!("{sign}{}{digits}", "0".repeat(zeros)), false)
    }
}
