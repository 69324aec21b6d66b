//! Durations, sizes and names as the columns of Docker's tables show them.
//!
//! The rules for durations and sizes are those of `github.com/docker/go-units`.

use std::time::Duration;

use unicode_width::UnicodeWidthChar;

use crate::number;
use crate::quote::quote;

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// How long ago something was, in its largest unit: `3 seconds`, `About an hour`, `5 weeks`.
pub fn ago(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 1 {
        return "Less than a second".to_owned();
    }
    if seconds < MINUTE {
        return if seconds == 1 { "1 second".to_owned() } else { format!("{seconds} seconds") };
    }
    let minutes = seconds / MINUTE;
    if minutes < 60 {
        return if minutes == 1 { "About a minute".to_owned() } else { format!("{minutes} minutes") };
    }
    // Half an hour counts as one, also for the days.
    let hours = (duration + Duration::from_secs(HOUR / 2)).as_secs() / HOUR;
    match hours {
        0 | 1 => "About an hour".to_owned(),
        2..48 => format!("{hours} hours"),
        48..336 => format!("{} days", hours / 24),
        336..1440 => format!("{} weeks", hours / 24 / 7),
        1440..17_520 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / HOUR / 24 / 365),
    }
}

/// A size in powers of 1,000 with some significant digits, such as `7.8MB`. Docker shows images and layers with three, and
/// the rest with four.
pub fn size(bytes: u64, digits: usize) -> String {
    scaled(bytes, 1000.0, digits, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// A size in powers of 1,024 with four significant digits, such as `1.5GiB`: memory.
pub fn binary_size(bytes: u64) -> String {
    scaled(bytes, 1024.0, 4, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

fn scaled(bytes: u64, base: f64, digits: usize, units: &[&str]) -> String {
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    format!("{}{}", number::float(value, 'g', Some(digits)), units.get(unit).unwrap_or(&""))
}

/// The first twelve digits of an id, without the name of a digest's algorithm.
pub fn short_id(id: &str) -> &str {
    let digits = id.split_once(':').map_or(id, |(_, digits)| digits);
    digits.get(..12).unwrap_or(digits)
}

/// How many columns of a terminal a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|char| char.width().unwrap_or_default()).sum()
}

/// A text in at most so many columns, of which the last is an ellipsis if something is left out.
pub fn ellipsis(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |char: &char| match left.checked_sub(char.width().unwrap_or_default()) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let mut short: String = text.chars().take_while(fits).collect();
    if columns > 0 {
        short.push('…');
    }
    short
}

/// The column of commands: in quotes, and at most twenty characters between them unless it is wanted whole.
pub fn command(command: &str, whole: bool) -> String {
    if whole { quote(command) } else { quote(&ellipsis(command, 20)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_unit() {
        let day = 86_400;
        let cases = [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (3_599, "59 minutes"),
            (3_600, "About an hour"),
            (5_399, "About an hour"),
            (5_400, "2 hours"),
            (day, "24 hours"),
            (164_160, "46 hours"),
            (2 * day - 1, "2 days"),
            (2 * day, "2 days"),
            (13 * day, "13 days"),
            (14 * day, "2 weeks"),
            (59 * day, "8 weeks"),
            (60 * day, "2 months"),
            (364 * day, "12 months"),
            (729 * day, "24 months"),
            (730 * day, "2 years"),
            (3_650 * day, "10 years"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(ago(Duration::from_secs(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn sizes_have_some_digits() {
        let cases = [
            (0, "0B", "0B", "0B"),
            (999, "999B", "999B", "999B"),
            (1_000, "1kB", "1kB", "1000B"),
            (1_023, "1.023kB", "1.02kB", "1023B"),
            (1_024, "1.024kB", "1.02kB", "1KiB"),
            (7_800_000, "7.8MB", "7.8MB", "7.439MiB"),
            (1_240_000_000, "1.24GB", "1.24GB", "1.155GiB"),
            (999_999, "1000kB", "1e+03kB", "976.6KiB"),
            (9_995_000, "9.995MB", "9.99MB", "9.532MiB"),
            (123_456_789, "123.5MB", "123MB", "117.7MiB"),
            (1_610_612_736, "1.611GB", "1.61GB", "1.5GiB"),
        ];
        for (bytes, four, three, binary) in cases {
            assert_eq!(
                [size(bytes, 4), size(bytes, 3), binary_size(bytes)],
                [four, three, binary],
                "{bytes}"
            );
        }
    }

    #[test]
    fn names_are_shortened() {
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(short_id("short"), "short");
        assert_eq!(command("docker-entrypoint.sh postgres", false), "\"docker-entrypoint.s…\"");
        assert_eq!(command("sleep 1", false), "\"sleep 1\"");
        assert_eq!(command("sh -c \"x\"", true), r#""sh -c \"x\"""#);
        assert_eq!(ellipsis("世界世界", 5), "世界…");
        assert_eq!(ellipsis("abc", 0), "");
    }
}
