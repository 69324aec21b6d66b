//! `longshore doctor`: what works on this machine, what does not, why, and what to do.
//!
//! Whatever the kernel decides is tried and not guessed: namespaces are made, an overlay is mounted and written to, a
//! network with its bridge and rules is set up. Every such [`Trial`] is a process of its own that works in namespaces of
//! its own and in a directory that is removed, and is ended when it takes too long: so the machine stays as it is and
//! nothing makes the command hang. All trials run at the same time.
//!
//! The one thing that is changed is what killed processes of this home left behind: that is cleaned up, as every next
//! command would, and told.

mod about;
mod check;
mod engine;
mod files;
mod kernel;
mod limits;
mod network;
mod project;
mod registry;
mod run;
mod scratch;
mod storage;
mod text;
mod trial;
mod user;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::check::{CheckDto, OutcomeDto, ReportDto, StatusDto, UserDto};
use self::scratch::Scratch;
use self::trial::{Setting, Trial};
use super::{Outcome, Session};
use crate::exit::Exit;
use crate::settings::OutputFormat;

/// Examine the machine and the project: what works, what does not, why, and what to do
///
/// What the kernel allows is really tried, in processes and namespaces of their own, so nothing on the machine changes.
/// What killed processes left behind is cleaned up and told. Ends with 1 if containers cannot run.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore doctor
  longshore doctor --verbose
  longshore doctor --no-reap --format json")]
pub(super) struct DoctorArgs {
    /// Show the details of what works, too
    #[arg(short, long)]
    verbose: bool,

    /// Leave what killed processes left behind
    #[arg(long)]
    no_reap: bool,

    /// Format of the result
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,

    /// Do one trial and write what it found; how this command calls itself
    #[arg(long, value_enum, hide = true)]
    trial: Option<Trial>,

    /// Where a trial may make files
    #[arg(long, hide = true, requires = "trial")]
    scratch: Option<PathBuf>,
}

pub(super) fn run(args: &DoctorArgs, session: &mut Session) -> Outcome {
    let home = session.directory.join(&session.settings.home.value);
    if let Some(trial) = args.trial {
        let setting = Setting { home, scratch: args.scratch.clone(), reap: !args.no_reap };
        let outcome = trial.perform(&setting);
        // Texts and numbers only: there is nothing in them that could fail to serialise.
        session.output.data(&serde_json::to_string(&outcome).unwrap_or_default())?;
        return Ok(Exit::Success);
    }
    let report = examine(&home, !args.no_reap, session);
    let text = match args.format.unwrap_or(session.settings.format.value) {
        OutputFormat::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
        OutputFormat::Text => text::render(&report, args.verbose, session.output.style()),
    };
    session.output.data(&text)?;
    Ok(if report.containers_can_run { Exit::Success } else { Exit::Failed })
}

/// Whether this is root of the machine. Root of a user namespace is an ordinary user, as far as containers are concerned.
fn is_root() -> bool {
    rustix::process::geteuid().is_root() && !is_mapped()
}

/// Whether ids are not those of the machine, as in many containers; see `user_namespaces(7)`.
fn is_mapped() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    !map.trim().is_empty() && map.split_ascii_whitespace().nth(2) != Some("4294967295")
}

/// Looks at everything.
fn examine(home: &Path, reap: bool, session: &Session) -> ReportDto {
    let (scratch, place) = Scratch::make(home);
    let setting = Setting {
        home: home.to_owned(),
        scratch: scratch.as_ref().map(|scratch| scratch.path().to_owned()),
        reap,
    };
    let tried = trial::all(&setting, || here(home, session));
    drop(scratch);
    let mut outcomes = tried;
    outcomes.push(vec![place].into());
    report(outcomes, reap)
}

/// What is read and not tried.
fn here(home: &Path, session: &Session) -> OutcomeDto {
    let mut checks = about::checks(home, session);
    checks.extend(user::checks());
    checks.extend(kernel::checks());
    checks.extend(network::surroundings());
    checks.push(storage::budget(session.settings.budget.as_ref().map(|budget| budget.value)));
    checks.extend(registry::checks(session));
    checks.extend(project::checks(&session.directory));
    checks.into()
}

fn report(outcomes: Vec<OutcomeDto>, reap: bool) -> ReportDto {
    let mut checks: Vec<CheckDto> = Vec::new();
    let mut cleaned = BTreeMap::new();
    for outcome in outcomes {
        checks.extend(outcome.checks);
        cleaned.extend(outcome.cleaned);
    }
    let place = |check: &CheckDto| text::GROUPS.iter().position(|(group, _)| *group == check.group());
    checks.sort_by_key(place);
    let mut counts: BTreeMap<&'static str, usize> =
        [StatusDto::Ok, StatusDto::Note, StatusDto::Warning, StatusDto::Problem]
            .map(|status| (status.word(), 0))
            .into();
    for check in &checks {
        *counts.entry(check.status.word()).or_default() += 1;
    }
    ReportDto {
        schema: ReportDto::SCHEMA,
        longshore: super::VERSION.to_owned(),
        user: UserDto { uid: rustix::process::geteuid().as_raw(), rootless: !is_root() },
        containers_can_run: checks.iter().all(|check| check.status != StatusDto::Problem),
        counts,
        cleaned: reap.then_some(cleaned),
        checks,
    }
}
