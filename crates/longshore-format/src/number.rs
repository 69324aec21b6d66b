//! Floating-point numbers as Go's `strconv` and `fmt` write them.
//!
//! Rust gives correctly rounded digits; where the point stands and when an exponent is written is Go's decision.

/// Digits of a number that is finite and not negative, and the power of ten of the first one.
struct Digits {
    digits: String,
    exponent: i32,
}

impl Digits {
    /// Reads what Rust's `{:e}` gives.
    fn read(scientific: &str) -> Self {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        Self { digits: mantissa.replace('.', ""), exponent: exponent.parse().unwrap_or_default() }
    }

    /// `d.ddde±xx`, with at least two digits of exponent.
    fn scientific(&self) -> String {
        let (first, rest) = self.digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if self.exponent < 0 { '-' } else { '+' };
        format!("{first}{point}{rest}e{sign}{:02}", self.exponent.abs())
    }

    /// Without an exponent.
    fn plain(&self) -> String {
        let Ok(whole) = usize::try_from(self.exponent) else {
            let zeros = "0".repeat(self.exponent.unsigned_abs() as usize - 1);
            return format!("0.{zeros}{}", self.digits);
        };
        if self.digits.len() <= whole + 1 {
            format!("{}{}", self.digits, "0".repeat(whole + 1 - self.digits.len()))
        } else {
            let (before, after) = self.digits.split_at(whole + 1);
            format!("{before}.{after}")
        }
    }
}

/// How `%e`, `%f` and `%g` of Go write a number, without width and flags. A precision of `None` is the shortest text that
/// reads as the same number.
pub(crate) fn float(number: f64, verb: char, precision: Option<usize>) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let number = number.abs();
    let text = match (verb.to_ascii_lowercase(), precision) {
        ('e', None) => Digits::read(&format!("{number:e}")).scientific(),
        ('e', Some(precision)) => Digits::read(&format!("{number:.precision$e}")).scientific(),
        ('f', None) => format!("{number}"),
        ('f', Some(precision)) => format!("{number:.precision$}"),
        (_, precision) => general(number, precision),
    };
    let text = format!("{sign}{text}");
    if verb.is_ascii_uppercase() { text.to_uppercase() } else { text }
}

/// `%g`: the exponent form for what is small or large, and no zeros at the end.
fn general(number: f64, precision: Option<usize>) -> String {
    let (mut digits, limit) = match precision {
        // Go decides as if six digits had been asked for, however many are needed.
        None => (Digits::read(&format!("{number:e}")), 6),
        Some(precision) => {
            let precision = precision.max(1);
            let digits = Digits::read(&format!("{number:.*e}", precision - 1));
            let limit = i32::try_from(precision).unwrap_or(i32::MAX);
            (digits, limit)
        }
    };
    let kept = digits.digits.trim_end_matches('0').len().max(1);
    digits.digits.truncate(kept);
    if digits.exponent < -4 || digits.exponent >= limit { digits.scientific() } else { digits.plain() }
}

/// As Go's JSON encoder writes it.
pub(crate) fn json(number: f64) -> String {
    if !number.is_finite() {
        return "null".to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = float(number, 'e', None);
        // Go's encoder writes `1e-7`, not `1e-07`.
        text.replace("e-0", "e-")
    } else {
        float(number, 'f', None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_go() {
        let cases: &[(f64, char, Option<usize>, &str)] = &[
            (1.5, 'g', None, "1.5"),
            (100_000.0, 'g', None, "100000"),
            (1_000_000.0, 'g', None, "1e+06"),
            (1_234_567.5, 'g', None, "1.2345675e+06"),
            (0.0001, 'g', None, "0.0001"),
            (0.00001, 'g', None, "1e-05"),
            (1234.567, 'g', Some(4), "1235"),
            (999_999.0, 'g', Some(3), "1e+06"),
            (7.8, 'g', Some(3), "7.8"),
            (0.0, 'g', Some(4), "0"),
            (1.0, 'e', None, "1e+00"),
            (-2.5, 'f', Some(2), "-2.50"),
            (0.001, 'g', Some(3), "0.001"),
        ];
        for (number, verb, precision, expected) in cases {
            assert_eq!(&float(*number, *verb, *precision), expected, "{number} %{verb} {precision:?}");
        }
    }
}
