//! Scalars and their type by the YAML 1.2.2 core schema (section 10.3.2).

use crate::Span;

/// A scalar before any type is given to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The value after escapes, folding and chomping.
    pub text: String,
    /// How it was written.
    pub style: ScalarStyle,
    /// A tag of the core schema, if one was written; other tags say nothing about the value.
    pub tag: Option<CoreTag>,
    /// Where another tag stands, such as what `!main` is to YAML.
    pub foreign_tag: Option<Span>,
}

/// How a scalar was written; only plain scalars can be anything but strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// The scalar tags of the core schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoreTag {
    /// `!!null`
    Null,
    /// `!!bool`
    Bool,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!str`
    Str,
}

impl CoreTag {
    /// The tag with this name after `!!`.
    pub fn from_suffix(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "null" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "str" => Self::Str,
            _ => return None,
        })
    }
}

/// A scalar's value by the core schema.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved<'a> {
    /// `null`, `Null`, `NULL`, `~` or nothing.
    Null,
    /// `true`, `True`, `TRUE`, `false`, `False`, `FALSE`.
    Bool(bool),
    /// Decimal, `0o` octal, `0x` hexadecimal, floating point, `.inf`, `.nan`. Leading zeros do not make an octal.
    Number(f64),
    /// Everything else: dates, `yes`, `1_000`, `0b1` and version numbers with two dots are text.
    Str(&'a str),
}

impl Scalar {
    /// The value by the core schema. A quoted or block scalar is text unless a tag says otherwise; a tag that its
    /// text does not fit is ignored.
    pub fn resolve(&self) -> Resolved<'_> {
        let text = self.text.as_str();
        match self.tag {
            Some(CoreTag::Str) => Resolved::Str(text),
            None if self.style != ScalarStyle::Plain => Resolved::Str(text),
            None | Some(CoreTag::Null | CoreTag::Bool | CoreTag::Int | CoreTag::Float) => resolve_plain(text),
        }
    }
}

fn resolve_plain(text: &str) -> Resolved<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        _ => number(text).map_or(Resolved::Str(text), Resolved::Number),
    }
}

/// The number that `text` spells in the core schema.
fn number(text: &str) -> Option<f64> {
    let first = *text.as_bytes().first()?;
    if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return digits_to_number(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return digits_to_number(digits, 16);
    }
    let (negative, body) = match first {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let value = match body {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        ".nan" | ".NaN" | ".NAN" if body.len() == text.len() => f64::NAN,
        _ if is_decimal(body) => body.parse().ok()?,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// The value of `digits` in `radix`, rounded to the nearest double as GitHub's reader does.
fn digits_to_number(digits: &str, radix: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0.0, |value: f64, digit| {
        Some(value.mul_add(f64::from(radix), f64::from(digit.to_digit(radix)?)))
    })
}

/// `[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?` or `\.[0-9]+([eE][-+]?[0-9]+)?`, after the sign.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let mut rest = &text[whole..];
    if let Some(after) = rest.strip_prefix('.') {
        let fraction = digits(after);
        if whole == 0 && fraction == 0 {
            return false;
        }
        rest = &after[fraction..];
    } else if whole == 0 {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}
