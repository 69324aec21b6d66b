//! The native engine of an ordinary user, when root runs the tests: each case runs in a process that is somebody else.
//!
//! That user has no name and no subordinate ids, so containers have one user id; cases that need more say so and pass.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::geteuid;

use crate::place::{PLACE, Place, link};

/// The ids of a user who does not exist on the machine.
const STRANGER: u32 = 65_533;

/// Runs a case as the stranger.
pub(crate) fn check(case: &str) {
    static MADE: OnceLock<Result<Place, String>> = OnceLock::new();
    if !geteuid().is_root() {
        eprintln!(
            "skipped: {case}: the tests run as an ordinary user, so the other ones of the engine are these"
        );
        return;
    }
    let place = match MADE.get_or_init(make) {
        Ok(place) => place,
        Err(reason) => {
            eprintln!("skipped: {case}: {reason}");
            return;
        }
    };
    let mut command = Command::new(place.path().join("tests"));
    command.args(["--exact", "--nocapture", &format!("native::{case}")]).env(PLACE, place.path());
    command.env("HOME", place.home()).env_remove("LONGSHORE_HOME").current_dir(place.path());
    let output = command.uid(STRANGER).gid(STRANGER).output().expect("this program as somebody else");
    let (talk, report) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    for line in talk.lines().filter(|line| line.starts_with("skipped: ")) {
        eprintln!("{line}");
    }
    assert!(output.status.success(), "{case} as an ordinary user:\n{talk}");
    assert!(report.contains("1 passed"), "{case} was not run as an ordinary user:\n{report}");
}

/// Makes a place in which the stranger is at home.
fn make() -> Result<Place, String> {
    let place = Place::make("rootless", assert_cmd::cargo::cargo_bin!("longshore"))?;
    let owned = std::env::current_exe()
        .and_then(|tests| link(&tests, &place.path().join("tests")))
        .and_then(|()| chown(place.home(), Some(STRANGER), Some(STRANGER)));
    owned.map_err(|error| format!("failed to make a home for another user: {error}"))?;
    place.import(place.longshore().uid(STRANGER).gid(STRANGER))?;
    Ok(place)
}
