//! Numbers as text, both ways, as ECMAScript reads and prints them.

use crate::text;

/// The number that a text stands for; NaN when it stands for none.
///
/// White space at the ends is ignored and the empty text is zero. Decimal (`5`, `.5`, `5.`, `+1`, `-2e3`),
/// hexadecimal (`0x1F`), octal (`0o17`) and binary (`0b11`) forms are read, and `Infinity` with an optional sign.
pub(crate) fn parse(text: &str) -> f64 {
    let text = text::trim(text);
    let bytes = text.as_bytes();
    match bytes {
        [] => return 0.0,
        [b'0', b'x' | b'X', digits @ ..] => return parse_radix(digits, 4),
        [b'0', b'o' | b'O', digits @ ..] => return parse_radix(digits, 3),
        [b'0', b'b' | b'B', digits @ ..] => return parse_radix(digits, 1),
        _ => {}
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if bytes.len() < 16 && bytes.iter().all(u8::is_ascii_digit) => small_integer(bytes),
        _ if bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// A run of at most 15 digits, which a double holds exactly.
fn small_integer(digits: &[u8]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "15 digits are below 2^53")]
    let value = digits.iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0')) as f64;
    value
}

/// Digits of a power-of-two radix, rounded once.
fn parse_radix(digits: &[u8], bits: i32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    let mut mantissa: u128 = 0;
    let mut dropped: i32 = 0;
    for byte in digits {
        let Some(digit) = char::from(*byte).to_digit(1 << bits) else { return f64::NAN };
        if mantissa >> 120 == 0 {
            mantissa = (mantissa << bits) | u128::from(digit);
        } else {
            // What no longer fits only matters as "more than nothing" for rounding.
            mantissa |= u128::from(digit != 0);
            dropped = dropped.saturating_add(bits);
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "the conversion rounds to nearest, which is what is wanted"
    )]
    let value = mantissa as f64;
    value * 2.0_f64.powi(dropped)
}

/// The shortest text that reads back as the number, in the notation of ECMAScript.
pub(crate) fn print(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return (number as i64).to_string();
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let mut digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    settle_tie(&mut digits, number.abs());
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let body = place_point(&digits, point);
    if number < 0.0 { format!("-{body}") } else { body }
}

/// Of two shortest texts that are equally near, ECMAScript takes the one that ends even; Rust takes the greater.
fn settle_tie(digits: &mut String, magnitude: f64) {
    // Below 15 digits the shortest text is exact, so there is no other.
    if digits.len() < 15 || digits.bytes().last().is_none_or(|last| last.is_multiple_of(2)) {
        return;
    }
    let exact = format!("{:.*e}", digits.len() + 30, magnitude).replace('.', "");
    let Some((low, tail)) = exact.split_at_checked(digits.len()) else { return };
    let tail = tail.split('e').next().unwrap_or_default();
    let is_tie = tail.starts_with('5') && tail.bytes().skip(1).all(|digit| digit == b'0');
    if is_tie && low.bytes().last().is_some_and(|last| last.is_multiple_of(2)) {
        low.clone_into(digits);
    }
}

/// Lays out `0.DIGITS × 10^point`.
fn place_point(digits: &str, point: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let size = |count: i32| count.unsigned_abs() as usize;
    if (count..=21).contains(&point) {
        return format!("{digits}{}", "0".repeat(size(point - count)));
    }
    if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(size(point));
        return format!("{whole}.{fraction}");
    }
    if (-5..=0).contains(&point) {
        return format!("0.{}{digits}", "0".repeat(size(point)));
    }
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{first}{dot}{rest}e{:+}", point - 1)
}

/// The text a number becomes where a string is wanted: at most 15 decimals, and zero without sign.
pub(crate) fn coerce(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if number.fract() == 0.0 || !number.is_finite() {
        return print(number);
    }
    print(round_to_15_decimals(number))
}

/// The number as read back from its text with 15 decimals, halves rounded away from zero.
fn round_to_15_decimals(number: f64) -> f64 {
    let magnitude = number.abs();
    let sixteenth_place = (magnitude * 65_536.0) % 2.0;
    let rounded = if (sixteenth_place - 1.0) == 0.0 {
        // Exactly 16 binary places means exactly 16 decimals, the last one a 5: the only possible tie.
        let exact = format!("{magnitude:.16}");
        increment(exact.get(..exact.len() - 1).unwrap_or(&exact))
    } else {
        format!("{magnitude:.15}")
    };
    rounded.parse::<f64>().unwrap_or(magnitude).copysign(number)
}

/// The decimal text with one added to its last place.
fn increment(decimal: &str) -> String {
    let mut digits: Vec<u8> = decimal.bytes().collect();
    for digit in digits.iter_mut().rev() {
        match digit {
            b'.' => {}
            b'9' => *digit = b'0',
            _ => {
                *digit += 1;
                return String::from_utf8_lossy(&digits).into_owned();
            }
        }
    }
    format!("1{}", String::from_utf8_lossy(&digits))
}
