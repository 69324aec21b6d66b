//! Signals by name and number, as `--stop-signal` and `kill` take them.

use longshore_engine::{ContainerSpec, EngineError, Fault};
use rustix::process::Signal;

/// Names without `SIG`, at their numbers on x86-64 and most other machines.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The first real-time signal that programs may use, as C libraries number them, and the last.
const REAL_TIME: (i32, i32) = (34, 64);

/// The number of a signal by its name, with or without `SIG`, or by its number.
///
/// # Errors
///
/// If there is no such signal.
pub fn parse_signal(text: &str) -> Result<i32, EngineError> {
    let invalid = || EngineError::new(Fault::Invalid, format!("invalid signal: {text}"));
    if let Ok(number) = text.parse::<i32>() {
        return if (0..=REAL_TIME.1).contains(&number) { Ok(number) } else { Err(invalid()) };
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(position) = NAMES.iter().position(|known| *known == name) {
        return Ok(i32::try_from(position + 1).unwrap_or_default());
    }
    let distance = |rest: &str| if rest.is_empty() { Some(0) } else { rest.parse::<i32>().ok() };
    let real_time = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => distance(rest).map(|distance| REAL_TIME.0 + distance),
        (_, Some(rest)) => distance(rest).map(|distance| REAL_TIME.1 + distance),
        _ => match name {
            "POLL" => Some(29),
            "IOT" => Some(6),
            "CLD" => Some(17),
            _ => None,
        },
    };
    real_time.filter(|number| *number < REAL_TIME.0 || *number <= REAL_TIME.1).ok_or_else(invalid)
}

/// The signal that asks a container to end.
pub(crate) fn stop_signal(spec: &ContainerSpec) -> i32 {
    spec.stop_signal.as_deref().and_then(|text| parse_signal(text).ok()).unwrap_or(Signal::TERM.as_raw())
}

#[cfg(test)]
mod tests {
    use super::parse_signal;

    #[test]
    fn signals_have_names_and_numbers() {
        for (text, number) in [
            ("TERM", 15),
            ("SIGTERM", 15),
            ("sigkill", 9),
            ("9", 9),
            ("SIGRTMIN+3", 37),
            ("RTMAX-1", 63),
            ("WINCH", 28),
        ] {
            assert_eq!(parse_signal(text).unwrap(), number, "{text}");
        }
        for text in ["", "SIG", "TERMINATE", "65", "-1", "RTMIN+x"] {
            assert!(parse_signal(text).is_err(), "{text}");
        }
    }
}
