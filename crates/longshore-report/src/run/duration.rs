//! Lengths of time as people say them: `12 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`.

use longshore_event::Timestamp;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A length of time in words.
///
/// ```
/// assert_eq!(longshore_report::run::duration(1_234), "1.2 s");
/// assert_eq!(longshore_report::run::duration(184_000), "3 min 4 s");
/// ```
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..100 => format!("{milliseconds} ms"),
        100..MINUTE => format!("{}.{} s", milliseconds / SECOND, milliseconds % SECOND / 100),
        _ => ticking(milliseconds),
    }
}

/// A length of time that is still growing: whole seconds, so that the eye is not drawn to it.
pub(super) fn ticking(milliseconds: u64) -> String {
    let seconds = milliseconds / SECOND;
    match milliseconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The milliseconds between two times, if both are known; none are negative.
pub(super) fn between(start: Option<Timestamp>, end: Option<Timestamp>) -> Option<u64> {
    Some(end?.0.saturating_sub(start?.0))
}

#[cfg(test)]
mod tests {
    use super::{between, duration, ticking};
    use longshore_event::Timestamp;

    #[test]
    fn times_are_as_long_as_they_are_interesting() {
        let table = [
            (0, "0 ms"),
            (99, "99 ms"),
            (100, "0.1 s"),
            (59_999, "59.9 s"),
            (60_000, "1 min 0 s"),
            (184_000, "3 min 4 s"),
            (3_599_999, "59 min 59 s"),
            (7_500_000, "2 h 5 min"),
        ];
        for (milliseconds, shown) in table {
            assert_eq!(duration(milliseconds), shown);
        }
        assert_eq!(ticking(1_999), "1 s");
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_time() {
        assert_eq!(between(Some(Timestamp(5)), Some(Timestamp(3))), Some(0));
        assert_eq!(between(None, Some(Timestamp(3))), None);
    }
}
