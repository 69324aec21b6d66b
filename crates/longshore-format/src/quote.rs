//! Texts in quotes, as Go's `strconv` writes and reads them.

/// A text in double quotes, with everything escaped that does not print.
pub fn quote(text: &str) -> String {
    quote_with(text, '"', false)
}

/// As [`quote`], with another quote, and perhaps without characters beyond ASCII.
pub(crate) fn quote_with(text: &str, quote: char, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for char in text.chars() {
        match char {
            _ if char == quote || char == '\\' => out.extend(['\\', char]),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            ' '..='~' => out.push(char),
            '\0'..='\x1f' | '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(char))),
            _ if !ascii && prints(char) => out.push(char),
            _ if u32::from(char) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(char))),
        }
    }
    out.push(quote);
    out
}

/// Whether a character beyond ASCII shows: neither a control, a blank other than the space, nor unassigned. The tables of
/// assigned characters are Rust's, through what its `escape_debug` leaves alone.
pub(crate) fn prints(char: char) -> bool {
    let mut escaped = char.escape_debug();
    let combines = !char.is_ascii() && char.is_alphanumeric();
    !char.is_whitespace() && (combines || (escaped.next() == Some(char) && escaped.next().is_none()))
}

/// `U+0041 'A'`, as messages name a character.
pub(crate) fn code_point(char: char) -> String {
    let number = format!("U+{:04X}", u32::from(char));
    if char == ' ' || char.is_ascii_graphic() || (!char.is_ascii() && prints(char)) {
        format!("{number} '{char}'")
    } else {
        number
    }
}

/// What a text in double quotes or backquotes means, or `None` if it is none. Bytes that are escaped and no UTF-8 become
/// the replacement character.
pub(crate) fn unquote(written: &str) -> Option<String> {
    if let Some(raw) = written.strip_prefix('`') {
        return raw.strip_suffix('`').map(|raw| raw.replace('\r', ""));
    }
    let body = written.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        let (unit, after) = unescape(rest, '"')?;
        match unit {
            Unit::Char(char) => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Unit::Byte(byte) => bytes.push(byte),
        }
        rest = after;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What stands in single quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CharConstant {
    /// A character, by its number.
    One(u32),
    /// More than one.
    Several,
}

/// What stands in single quotes, or `None` if it is no text at all.
pub(crate) fn unquote_char(written: &str) -> Option<CharConstant> {
    let body = written.strip_prefix('\'')?.strip_suffix('\'')?;
    let (unit, after) = unescape(body, '\'')?;
    let number = match unit {
        Unit::Char(char) => u32::from(char),
        Unit::Byte(byte) => u32::from(byte),
    };
    Some(if after.is_empty() { CharConstant::One(number) } else { CharConstant::Several })
}

/// What one escape stands for.
enum Unit {
    Char(char),
    Byte(u8),
}

/// Reads one character or escape.
fn unescape(text: &str, quote: char) -> Option<(Unit, &str)> {
    let mut chars = text.chars();
    let char = chars.next()?;
    if char == quote || char == '\n' {
        return None;
    }
    if char != '\\' {
        return Some((Unit::Char(char), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let digits = |count: usize, radix: u32, rest: &'_ str| {
        let digits = rest.get(..count).filter(|digits| digits.chars().all(|char| char.is_digit(radix)))?;
        u32::from_str_radix(digits, radix).ok()
    };
    let simple = |char| Some((Unit::Char(char), rest));
    match escape {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        '\\' => simple('\\'),
        '"' | '\'' if escape == quote => simple(quote),
        'x' => {
            let number = u8::try_from(digits(2, 16, rest)?).ok()?;
            Some((Unit::Byte(number), rest.get(2..)?))
        }
        'u' | 'U' => {
            let count = if escape == 'u' { 4 } else { 8 };
            let char = char::from_u32(digits(count, 16, rest)?)?;
            Some((Unit::Char(char), rest.get(count..)?))
        }
        '0'..='7' => {
            let rest = text.get(1..)?;
            let number = u8::try_from(digits(3, 8, rest)?).ok()?;
            Some((Unit::Byte(number), rest.get(3..)?))
        }
        _ => None,
    }
}
