//! Longshore itself: its version, its settings, and the clock.

use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use longshore_report::count;

use super::check::CheckDto;
use crate::cli::{Session, VERSION, settings};

pub(super) fn checks(home: &Path, session: &Session) -> Vec<CheckDto> {
    vec![CheckDto::ok("longshore.version", VERSION), set(home, session), clock()]
}

/// The settings that somebody set, and where.
fn set(home: &Path, session: &Session) -> CheckDto {
    const ID: &str = "longshore.settings";
    let lines: Vec<String> = settings::rows(&session.settings)
        .into_iter()
        .filter(|row| row.origin != "default")
        .map(|row| format!("{} = {} ({})", row.key, row.value, row.origin))
        .collect();
    let finding = if lines.is_empty() {
        format!("all are defaults; the home is `{}`", home.display())
    } else {
        format!("{}; the home is `{}`", count(lines.len(), "setting"), home.display())
    };
    CheckDto::ok(ID, finding).detail(lines)
}

/// A clock that stands before the program's own making makes certificates invalid and ages wrong.
fn clock() -> CheckDto {
    const ID: &str = "longshore.clock";
    let now = now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let made = VERSION.rsplit([' ', ')']).find_map(|word| word.parse::<Date>().ok());
    match made {
        Some(made) if today < made => {
            CheckDto::warning(ID, format!("the clock says {today}, but this program was made on {made}"))
                .help("set the clock; until then registries' certificates are refused")
        }
        _ => CheckDto::ok(ID, format!("{now:.0}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the composition root")]
fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or_default()
}
