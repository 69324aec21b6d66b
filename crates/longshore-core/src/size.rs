//! Amounts of bytes, as Docker's flags take them and as people read them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A number of bytes.
///
/// It is read as `github.com/docker/go-units` reads memory sizes (`RAMInBytes`): a decimal number, then `b`, `k`, `m`,
/// `g`, `t` or `p` in either case, alone or followed by `b` or `ib`, always in powers of 1,024. It is printed in powers
/// of 1,000, as Docker prints sizes of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// A text is not an amount of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a size such as `512m` or `1.5g`")]
pub struct ByteSizeError(String);

impl ByteSize {
    /// Bytes, as a plain number.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ByteSizeError(text.to_owned());
        let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let power = match unit.trim_start_matches(' ').to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 1,
            "m" | "mb" | "mib" => 2,
            "g" | "gb" | "gib" => 3,
            "t" | "tb" | "tib" => 4,
            "p" | "pb" | "pib" => 5,
            _ => return Err(wrong()),
        };
        let scale = 1024_u64.pow(power);
        if let Ok(whole) = number.parse::<u64>() {
            return whole.checked_mul(scale).map(Self).ok_or_else(wrong);
        }
        let number: f64 = number.parse().map_err(|_| wrong())?;
        #[expect(clippy::cast_precision_loss, reason = "scales are powers of two, which are exact")]
        let bytes = number * scale as f64;
        if !(0.0..9.2e18).contains(&bytes) {
            return Err(wrong());
        }
        #[expect(clippy::cast_sign_loss, reason = "the range was checked")]
        Ok(Self(bytes as u64))
    }
}

impl fmt::Display for ByteSize {
    /// Three significant digits and a decimal unit: `512B`, `1.05MB`, `31.4GB`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
        #[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
        let mut value = self.0 as f64;
        let mut unit = 0;
        while value >= 999.5 && unit + 1 < UNITS.len() {
            value /= 1000.0;
            unit += 1;
        }
        let decimals = if unit == 0 || value >= 99.95 { 0 } else { usize::from(value < 9.995) + 1 };
        let text = format!("{value:.decimals$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        write!(formatter, "{text}{}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::ByteSize;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, bytes) in [
            ("0", 0),
            ("32", 32),
            ("32b", 32),
            ("32k", 32 << 10),
            ("32Kb", 32 << 10),
            ("512m", 512 << 20),
            ("1.5g", 3 << 29),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(text.parse::<ByteSize>().map(ByteSize::bytes), Ok(bytes), "{text}");
        }
        for text in ["", "m", "-1", "1x", "1mm", "99999999999999999999", "1e3"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_in_three_digits() {
        for (bytes, text) in [
            (0, "0B"),
            (999, "999B"),
            (1_000, "1kB"),
            (1_049_000, "1.05MB"),
            (31_400_000_000, "31.4GB"),
            (999_999, "1MB"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }
}
