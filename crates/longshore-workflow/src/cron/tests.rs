//! Cron expressions: what is valid, how often they run, and when next.

use super::{CivilMinute, Cron, CronError, CronField, CronProblem, is_known_timezone};
use proptest::prelude::*;
use std::time::Duration;

fn at(text: &str) -> CivilMinute {
    let n = |from: usize, to: usize| text[from..to].parse::<u8>().unwrap();
    CivilMinute::new(text[..4].parse().unwrap(), n(5, 7), n(8, 10), n(11, 13), n(14, 16)).unwrap()
}

#[test]
fn valid_expressions() {
    for text in [
        "* * * * *",
        "0 0 * * 0",
        "30 5,17 * * *",
        "*/15 0-6/2 1,15 JAN-Mar,12 mon-FRI",
        "20/15 * * * *",
        "0  3   1 1 *",
        "05 00 01 01 00",
        "0 0 * jan/2 *",
    ] {
        assert!(Cron::parse(text).is_ok(), "{text}: {:?}", Cron::parse(text));
    }
}

#[test]
fn invalid_expressions_name_field_and_range() {
    for (text, field, part, problem) in [
        ("60 * * * *", CronField::Minute, "60", CronProblem::OutOfRange),
        ("* 24 * * *", CronField::Hour, "24", CronProblem::OutOfRange),
        ("* * 0 * *", CronField::DayOfMonth, "0", CronProblem::OutOfRange),
        ("* * * 13 *", CronField::Month, "13", CronProblem::OutOfRange),
        ("* * * * 7", CronField::DayOfWeek, "7", CronProblem::OutOfRange),
        ("* * * * january", CronField::DayOfWeek, "january", CronProblem::NotAValue),
        ("mon * * * *", CronField::Minute, "mon", CronProblem::NotAValue),
        ("*/0 * * * *", CronField::Minute, "*/0", CronProblem::Step),
        ("*/60 * * * *", CronField::Minute, "*/60", CronProblem::Step),
        ("*/5/2 * * * *", CronField::Minute, "*/5/2", CronProblem::Step),
        ("* * * * */mon", CronField::DayOfWeek, "*/mon", CronProblem::Step),
        ("/5 * * * *", CronField::Minute, "", CronProblem::NotAValue),
        ("5-1 * * * *", CronField::Minute, "5-1", CronProblem::Range),
        ("1- * * * *", CronField::Minute, "1-", CronProblem::Range),
        ("-1 * * * *", CronField::Minute, "-1", CronProblem::Range),
        ("*-5 * * * *", CronField::Minute, "*", CronProblem::NotAValue),
        ("1,,2 * * * *", CronField::Minute, "", CronProblem::Empty),
        ("1.5 * * * *", CronField::Minute, "1.5", CronProblem::NotAValue),
        ("0x1 * * * *", CronField::Minute, "0x1", CronProblem::NotAValue),
        ("L * * * *", CronField::Minute, "L", CronProblem::NotAValue),
        ("99999999999 * * * *", CronField::Minute, "99999999999", CronProblem::OutOfRange),
    ] {
        let Err(CronError::Field { field: f, text: t, problem: p, .. }) = Cron::parse(text) else {
            panic!("{text} must be invalid");
        };
        assert_eq!((f, t.as_str(), p), (field, part, problem), "{text}");
    }
    for (text, found) in
        [("", 1), ("* * * *", 4), ("* * * * * *", 6), (" * * * * *", 6), ("* * * * * ", 6), ("*\t* * * *", 4)]
    {
        assert_eq!(Cron::parse(text), Err(CronError::FieldCount { found }), "{text:?}");
    }
    assert_eq!(Cron::parse("@daily"), Err(CronError::FieldCount { found: 1 }));
    assert_eq!(
        Cron::parse("0 3 * * 8").unwrap_err().to_string(),
        "the day of the week `8` is invalid: it is out of range; allowed are 0 to 6 or `sun` to `sat`"
    );
}

#[test]
fn shortest_interval_is_the_smallest_gap() {
    for (text, minutes) in [
        ("* * * * *", 1),
        ("*/5 * * * *", 5),
        ("*/7 * * * *", 4),
        ("0,3 * * * *", 3),
        ("0-4 12 * * *", 1),
        ("58,0 * * * *", 2),
        ("30 * * * *", 60),
        ("0 */6 * * *", 360),
        ("59 0,23 * * *", 60),
        ("0 9 * * 1", 1440),
    ] {
        let interval = Cron::parse(text).unwrap().shortest_interval();
        assert_eq!(interval, Duration::from_mins(minutes), "{text}");
    }
}

#[test]
fn next_time() {
    for (text, from, next) in [
        ("0 0 * * *", "2026-03-01T00:00", Some("2026-03-02T00:00")),
        ("*/15 * * * *", "2026-12-31T23:45", Some("2027-01-01T00:00")),
        ("*/15 * * * *", "2026-12-31T23:44", Some("2026-12-31T23:45")),
        ("0 3 * * mon", "2026-01-01T12:00", Some("2026-01-05T03:00")),
        ("30 5 * * 1-5", "2026-01-02T05:30", Some("2026-01-05T05:30")),
        // Friday or the 13th: either is enough.
        ("0 0 13 * 5", "2026-01-09T00:00", Some("2026-01-13T00:00")),
        ("0 0 13 * 5", "2026-01-13T00:00", Some("2026-01-16T00:00")),
        // A field that starts with `*` restricts, but does not offer an alternative.
        ("0 0 */2 * 1", "2026-01-01T00:00", Some("2026-01-05T00:00")),
        ("0 0 29 2 *", "2096-02-29T00:00", Some("2104-02-29T00:00")),
        ("0 0 30 2 *", "2026-01-01T00:00", None),
        ("0 0 31 2,4,6 *", "2026-01-01T00:00", None),
        ("0 0 1 1 *", "9999-06-01T00:00", None),
        ("0 0 * * 6", "2000-02-28T00:00", Some("2000-03-04T00:00")),
    ] {
        let found = Cron::parse(text).unwrap().next_after(at(from));
        assert_eq!(found.map(|t| t.to_string()).as_deref(), next, "{text} after {from}");
    }
}

#[test]
fn civil_minutes_and_timezones_exist_or_not() {
    assert!(CivilMinute::new(2024, 2, 29, 0, 0).is_some());
    for (year, month, day, hour, minute) in [
        (2023, 2, 29, 0, 0),
        (2026, 13, 1, 0, 0),
        (2026, 1, 0, 0, 0),
        (2026, 1, 1, 24, 0),
        (2026, 1, 1, 0, 60),
        (i32::MAX, 1, 1, 0, 0),
    ] {
        assert!(CivilMinute::new(year, month, day, hour, minute).is_none());
    }
    assert!(is_known_timezone("Europe/Berlin") && is_known_timezone("UTC"));
    assert!(!is_known_timezone("Europe/Belin") && !is_known_timezone(""));
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>(), near in "[0-9*/,a-z -]{0,24}") {
        for text in [text, near] {
            if let Ok(cron) = Cron::parse(&text) {
                prop_assert!(cron.shortest_interval() >= Duration::from_mins(1));
                cron.next_after(at("2026-01-01T00:00"));
            }
        }
    }

    #[test]
    fn next_is_later_and_no_earlier_minute_matches(
        minute in 0_u8..60, hour in 0_u8..24, start in 0_u8..60, from_hour in 0_u8..24, day in 1_u8..29,
    ) {
        let cron = Cron::parse(&format!("{minute} {hour} * * *")).unwrap();
        let from = CivilMinute::new(2026, 2, day, from_hour, start).unwrap();
        let next = cron.next_after(from).unwrap();
        prop_assert!(next > from);
        prop_assert_eq!(next.time(), (hour, minute));
        let same_day = next.date() == from.date();
        prop_assert_eq!(same_day, (hour, minute) > from.time());
    }
}
