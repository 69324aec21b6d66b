//! Signals by name and number, and what they do to programs that do not care.

use longshore_engine::{EngineError, Fault};

/// The signal that cannot be caught.
pub(super) const KILL: i32 = 9;
/// The signal that asks for an end.
pub(super) const TERM: i32 = 15;
/// The highest number of a signal.
const LAST: i32 = 64;

/// Names without `SIG`, at their numbers on x86-64.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The number of a signal by name, with or without `SIG`, or by number.
pub(super) fn parse(text: &str) -> Result<i32, EngineError> {
    if let Ok(number) = text.parse() {
        return checked(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let place = NAMES.iter().position(|known| *known == name);
    let number = place.and_then(|place| i32::try_from(place + 1).ok());
    number.ok_or_else(|| EngineError::new(Fault::Invalid, format!("`{text}` is not a signal")))
}

/// A number, if it is one of a signal.
pub(super) fn checked(number: i32) -> Result<i32, EngineError> {
    if (1..=LAST).contains(&number) {
        Ok(number)
    } else {
        Err(EngineError::new(Fault::Invalid, format!("{number} is not the number of a signal")))
    }
}

/// Whether a signal ends a program that does not handle it. The fake stops nobody, so those for stopping do nothing.
pub(super) fn ends_by_default(signal: i32) -> bool {
    let harmless = ["CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "WINCH"];
    let name = usize::try_from(signal - 1).ok().and_then(|place| NAMES.get(place));
    name.is_none_or(|name| !harmless.contains(name))
}

#[cfg(test)]
mod tests {
    use super::{ends_by_default, parse};

    #[test]
    fn signals_have_names_and_numbers() {
        for (text, number) in [("TERM", 15), ("sigkill", 9), ("10", 10), ("WINCH", 28)] {
            assert_eq!(parse(text).unwrap(), number, "{text}");
        }
        assert!(parse("0").is_err() && parse("65").is_err() && parse("HELLO").is_err());
        assert!(ends_by_default(15) && ends_by_default(40) && !ends_by_default(28));
    }
}
