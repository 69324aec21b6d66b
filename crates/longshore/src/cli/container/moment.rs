//! Points in time: how Docker writes them, and how its flags take them.

use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::flags::duration;
use crate::wiring::Wiring;

/// The point in time that Go means by none.
pub(in crate::cli) const NEVER: &str = "0001-01-01T00:00:00Z";

/// Now, in nanoseconds since 1970.
pub(in crate::cli) fn now() -> i128 {
    let since = Wiring::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(since.as_nanos()).unwrap_or_default()
}

/// As Go's RFC 3339 with as many digits as there are: `2026-01-02T03:04:05.5Z`.
pub(in crate::cli) fn rfc3339(nanoseconds: i128) -> String {
    Timestamp::from_nanosecond(nanoseconds).map_or_else(|_| NEVER.to_owned(), |time| time.to_string())
}

/// The same, or Go's zero.
pub(in crate::cli) fn rfc3339_or_never(nanoseconds: Option<i128>) -> String {
    nanoseconds.map_or_else(|| NEVER.to_owned(), rfc3339)
}

/// With nine digits always, so that lines of a log are aligned.
pub(in crate::cli) fn rfc3339_fixed(nanoseconds: i128) -> String {
    Timestamp::from_nanosecond(nanoseconds).map_or_else(|_| NEVER.to_owned(), |time| format!("{time:.9}"))
}

/// As listings show it: `2026-01-02 03:04:05 +0000 UTC`.
pub(in crate::cli) fn listed(nanoseconds: i128) -> String {
    Timestamp::from_nanosecond(nanoseconds)
        .map(|time| format!("{} +0000 UTC", time.strftime("%Y-%m-%d %H:%M:%S")))
        .unwrap_or_default()
}

/// How long ago something was.
pub(in crate::cli) fn since(now: i128, then: i128) -> Duration {
    u64::try_from(now - then).map_or(Duration::ZERO, Duration::from_nanos)
}

/// Reads what `--since` and `--until` take: a duration before now, seconds since 1970 with a fraction, or a date with as
/// much of the time as one likes, in UTC unless it says otherwise.
pub(in crate::cli) fn parse(text: &str, now: i128) -> Option<i128> {
    if let Some(ago) = duration::parse(text).filter(|_| text != "0") {
        return Some(now - i128::try_from(ago.as_nanos()).ok()?);
    }
    if let Some(seconds) = unix(text) {
        return Some(seconds);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_nanosecond());
    }
    let text = text.strip_suffix('Z').unwrap_or(text);
    // Go's layouts may stop after the hour or the minute, which is not ISO's way.
    let whole = match text.split_once('T') {
        None => format!("{text}T00:00:00"),
        Some((_, time)) if time.len() == 2 => format!("{text}:00:00"),
        Some((_, time)) if time.len() == 5 => format!("{text}:00"),
        Some(_) => text.to_owned(),
    };
    let time: DateTime = whole.parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_nanosecond())
}

fn unix(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanoseconds: i64 = format!("{fraction:0<9}").parse().ok()?;
    Some(i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::{listed, parse, rfc3339, rfc3339_fixed, rfc3339_or_never};

    #[test]
    fn times_are_read_in_all_of_dockers_ways() {
        let now = 2_000_000_000_000_000_000;
        let second = 1_000_000_000_i128;
        for (text, expected) in [
            ("10m", now - 600 * second),
            ("1136073600", 1_136_073_600 * second),
            ("1136073600.5", 1_136_073_600 * second + second / 2),
            ("2006-01-01T00:00:00Z", 1_136_073_600 * second),
            ("2006-01-01T02:00:00+02:00", 1_136_073_600 * second),
            ("2006-01-01T00:00:01", 1_136_073_601 * second),
            ("2006-01-01T00:01", 1_136_073_660 * second),
            ("2006-01-01T01", 1_136_077_200 * second),
            ("2006-01-01", 1_136_073_600 * second),
            ("2006-01-01Z", 1_136_073_600 * second),
            ("0", 0),
        ] {
            assert_eq!(parse(text, now), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "-1", "2006-13-01", "2006-01-01T25"] {
            assert_eq!(parse(text, now), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_as_go_writes_them() {
        let half = 1_136_073_600_500_000_000;
        assert_eq!(rfc3339(half), "2006-01-01T00:00:00.5Z");
        assert_eq!(rfc3339_fixed(half), "2006-01-01T00:00:00.500000000Z");
        assert_eq!(listed(half), "2006-01-01 00:00:00 +0000 UTC");
        assert_eq!(rfc3339_or_never(None), "0001-01-01T00:00:00Z");
    }
}
