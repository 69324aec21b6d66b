//! Times of commits as GitHub's payloads write them.

/// Seconds since 1970 in RFC 3339, with the offset of the committer's clock.
///
/// The date is computed in the proleptic Gregorian calendar, counting years from March so that a leap day is the last.
pub(super) fn rfc3339(seconds: i64, offset_seconds: i32) -> String {
    const DAY: i64 = 86_400;
    // Four centuries have the same number of days each.
    const ERA: i64 = 146_097;
    let local = seconds.saturating_add(i64::from(offset_seconds));
    let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
    let zone = if offset_seconds == 0 {
        "Z".to_owned()
    } else {
        let sign = if offset_seconds < 0 { '-' } else { '+' };
        let minutes = offset_seconds.unsigned_abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn known_times() {
        for (seconds, offset, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_400, 0, "2000-02-29T00:00:00Z"),
            (1_709_251_199, 3_600, "2024-03-01T00:59:59+01:00"),
            (-1, -12_600, "1969-12-31T20:29:59-03:30"),
            (1_000_000_000, 0, "2001-09-09T01:46:40Z"),
        ] {
            assert_eq!(rfc3339(seconds, offset), text);
        }
    }
}
