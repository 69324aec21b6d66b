//! Tools that a set-up action has to fetch, kept for later jobs.
//!
//! They lie in the repository's cache under keys of ours, so GitHub's scopes hold: what a pull request fetched serves
//! nobody else. A wish that may mean another version tomorrow is fetched anew each day.

use super::super::cache::{CachePaths, JobCaches, save_paths};
use super::super::files::JobFiles;
use super::cached::platform;
use super::capture::script;
use super::failure::SetupError;
use super::installed::{Installed, read_line};
use crate::step::StepCall;

/// A tool to fetch.
pub(super) struct Fetched<'f> {
    /// What it is called.
    pub(super) tool: &'static str,
    /// The version that is wanted, as it was written.
    pub(super) wanted: &'f str,
    /// The directory that it is put into and found in.
    pub(super) place: &'f str,
    /// Puts what the first argument says into the place, the second, and prints what it is.
    pub(super) install: &'static str,
    /// Prints what is in the place, the first argument; fails without it.
    pub(super) look: &'static str,
}

impl Fetched<'_> {
    /// Fetches it, unless it was kept. What it said is the error's reason if that fails.
    pub(super) fn fetch(&self, call: &StepCall<'_>, specifier: &str) -> Result<Installed, Failure> {
        let paths = CachePaths(vec![self.place.to_owned()]);
        let key = self.key(call);
        if restore(call, &paths, &key)
            && let Ok(captured) = script(call, self.look, &[self.place])
            && let Some(found) = captured.output.lines().find_map(read_line)
        {
            call.voice.line(&format!("Restored {} {}, which was fetched before", self.tool, found.written));
            return Ok(found);
        }
        let captured = script(call, self.install, &[specifier, self.place])
            .map_err(|source| Failure::Broken(SetupError::Look { tool: self.tool, source }))?;
        let found = captured.output.lines().find_map(read_line).filter(|_| captured.is_success());
        let Some(found) = found else {
            return Err(Failure::Said(reason(&captured.error)));
        };
        save_paths(call, &paths, &key);
        Ok(found)
    }

    fn key(&self, call: &StepCall<'_>) -> String {
        let day = if is_exact(self.wanted) { String::new() } else { day(call) };
        format!("longshore-{}-{}-{}{day}", self.tool, self.wanted, platform())
    }
}

/// Why a package manager failed: npm says it first and where its log is last, others say it last.
fn reason(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let of_npm = lines().filter_map(|line| line.strip_prefix("npm error").or(line.strip_prefix("npm ERR!")));
    let of_npm = of_npm.map(str::trim).filter(|line| !line.is_empty() && !line.contains("complete log"));
    let first: Vec<&str> = of_npm.take(4).collect();
    if first.is_empty() { lines().next_back().unwrap_or_default().to_owned() } else { first.join("; ") }
}

/// Whether it was there. That it cannot be looked for is no reason not to fetch it.
fn restore(call: &StepCall<'_>, paths: &CachePaths, key: &str) -> bool {
    let Ok(caches) = JobCaches::open(call) else { return false };
    let Ok(mut files) = JobFiles::open(call.steps.place) else { return false };
    caches
        .restore(&mut files, paths, &[key.to_owned()], false)
        .is_ok_and(|restored| restored.is_some_and(|restored| restored.is_exact))
}

/// Why it was not fetched.
pub(super) enum Failure {
    /// The job could not be asked.
    Broken(SetupError),
    /// What was said last.
    Said(String),
}

/// Whether a version is one: `1.2.3`, and not `1.2`, `1.2.x` or `latest`.
fn is_exact(wanted: &str) -> bool {
    let numbers = wanted.split(['-', '+']).next().unwrap_or_default();
    numbers.split('.').count() == 3
        && numbers.split('.').all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn day(call: &StepCall<'_>) -> String {
    let day = super::super::now(call).to_zoned(jiff::tz::TimeZone::UTC).date();
    format!("-{day}")
}

#[cfg(test)]
mod tests {
    use super::{is_exact, reason};

    #[test]
    fn the_reason_is_what_says_most() {
        let npm = "npm warn x\nnpm error code E404\nnpm error 404 Not Found\nnpm error\nnpm error A complete log of this run\n";
        assert_eq!(reason(npm), "code E404; 404 Not Found");
        assert_eq!(reason("Looking\nERROR: no such version\n\n"), "ERROR: no such version");
        assert_eq!(reason(""), "");
    }

    #[test]
    fn a_version_is_one_or_may_be_another_tomorrow() {
        for (wanted, expected) in [
            ("0.5.1", true),
            ("9.0.0-rc.1", true),
            ("9.0.0+sha1.abc", true),
            ("latest", false),
            ("9", false),
            ("0.5.x", false),
            (">=0.5.1", false),
            ("", false),
        ] {
            assert_eq!(is_exact(wanted), expected, "{wanted}");
        }
    }
}
