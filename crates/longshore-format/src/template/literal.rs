//! Numbers as Go's source writes them.

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Literal {
    /// A whole number.
    Int(i64),
    /// A whole number that needs all 64 bits.
    Unsigned(u64),
    /// A number with a point or an exponent.
    Float(f64),
    /// A whole number that has no place in 64 bits.
    Large,
}

/// Reads a number; `None` if it is none.
pub(super) fn read(written: &str) -> Option<Literal> {
    let (negative, body) = match written.as_bytes().first()? {
        b'-' => (true, written.get(1..)?),
        b'+' => (false, written.get(1..)?),
        _ => (false, written),
    };
    let lower = body.to_ascii_lowercase();
    let prefixed = ["0x", "0o", "0b"].iter().any(|prefix| lower.starts_with(prefix));
    let fractional = lower.contains('.') || (!lower.starts_with("0x") && lower.contains('e'));
    if !underscores_stand_well(&lower) || lower.ends_with('i') {
        return None;
    }
    let digits = lower.replace('_', "");
    if fractional || (lower.starts_with("0x") && lower.contains('p')) {
        let magnitude = if prefixed { hexadecimal_float(digits.get(2..)?)? } else { digits.parse().ok()? };
        let magnitude = Some(magnitude).filter(|float: &f64| float.is_finite())?;
        return Some(Literal::Float(if negative { -magnitude } else { magnitude }));
    }
    let (radix, digits) = match digits.get(..2) {
        Some("0x") => (16, digits.get(2..)?),
        Some("0o") => (8, digits.get(2..)?),
        Some("0b") => (2, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits.as_str()),
    };
    if radix == 8
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && digits.contains(['8', '9'])
        && !prefixed
    {
        // Go takes it for a number, but for none that it could hold.
        return Some(Literal::Large);
    }
    if digits.is_empty() || !digits.chars().all(|char| char.is_digit(radix)) {
        return None;
    }
    let signed = if negative { format!("-{digits}") } else { digits.to_owned() };
    if let Ok(int) = i64::from_str_radix(&signed, radix) {
        return Some(Literal::Int(int));
    }
    Some(u64::from_str_radix(&signed, radix).map_or(Literal::Large, Literal::Unsigned))
}

/// Underscores separate digits, or the prefix from the first digit.
fn underscores_stand_well(lower: &str) -> bool {
    let based = lower.starts_with("0x") || lower.starts_with("0o") || lower.starts_with("0b");
    let chars: Vec<char> = lower.chars().collect();
    let digit =
        |index: Option<usize>| index.and_then(|index| chars.get(index)).is_some_and(char::is_ascii_hexdigit);
    chars.iter().enumerate().filter(|(_, char)| **char == '_').all(|(index, _)| {
        let before = digit(index.checked_sub(1)) || (based && index == 2);
        before && digit(Some(index + 1))
    })
}

/// `1.8p3`: hexadecimal digits and a power of two.
fn hexadecimal_float(body: &str) -> Option<f64> {
    let (mantissa, exponent) = body.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars() {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let mut unit = 1.0_f64;
    for digit in fraction.chars() {
        unit /= 16.0;
        value += f64::from(digit.to_digit(16)?) * unit;
    }
    let exponent: i32 = exponent.parse().ok()?;
    Some(value * 2.0_f64.powi(exponent)).filter(|value| value.is_finite())
}
