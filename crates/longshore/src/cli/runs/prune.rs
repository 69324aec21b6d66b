//! `longshore runs prune`.

use std::time::Duration;

use longshore_core::ByteSize;
use longshore_format::human;
use longshore_history::{Pruned, Retention, RunSummary};
use serde::Serialize;

use crate::cli::container::failure::complain;
use crate::cli::{Outcome, Session};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::{kept, tidy};
use crate::settings::OutputFormat;

/// Remove old runs of all projects, but keep the newest of each workflow
///
/// What is kept is set by `history.keep-days` (30) and `history.keep-runs` (10) in `longshore.toml`. A run that is still
/// running is always kept. Artifacts that have expired go, too, and caches that nobody used for a week.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore runs prune
  longshore runs prune --keep-days 7 --keep 1
  longshore runs prune --dry-run --max-size 2g")]
pub(super) struct PruneArgs {
    /// Keep runs that ended in the last so many days
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,

    /// Keep so many of the newest runs of each workflow whatever their age; 0 for none
    #[arg(long, value_name = "RUNS")]
    keep: Option<usize>,

    /// Remove more, oldest first, until all runs together take no more than this, such as `2g`
    #[arg(long, value_name = "SIZE")]
    max_size: Option<ByteSize>,

    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,

    /// Format of the result
    #[arg(long, value_enum)]
    format: Option<OutputFormat>,
}

#[derive(Debug, Serialize)]
struct PrunedDto {
    dry_run: bool,
    removed: Vec<RemovedDto>,
    failed: Vec<String>,
    freed_bytes: u64,
}

#[derive(Debug, Serialize)]
struct RemovedDto {
    run: u64,
    workflow: String,
    directory: String,
    bytes: u64,
}

pub(super) fn run(args: &PruneArgs, session: &mut Session) -> Outcome {
    let retention = args.retention(session.wiring().retention());
    let history = session.wiring().history();
    let now = super::now();
    let pruned = if args.dry_run {
        let runs = history.prunable(&retention, now)?;
        let sized = |run: RunSummary| (history.size(run.id), run);
        Pruned {
            removed: runs.into_iter().map(sized).map(|(size, run)| (run, size)).collect(),
            failed: Vec::new(),
        }
    } else {
        for run in history.prunable(&retention, now)? {
            kept::discard_run(&history.run(run.id)?, session);
        }
        let pruned = history.prune(&retention, now)?;
        for (run, _) in &pruned.removed {
            tidy::artifacts_of(run.id, session)?;
        }
        tidy::leftovers(&history, session)?;
        pruned
    };
    let text = match args.format.unwrap_or(session.settings.format.value) {
        OutputFormat::Text => text(&pruned, args.dry_run),
        OutputFormat::Json => json(&pruned, args.dry_run),
    };
    session.output.data(&text)?;
    let mut exit = Exit::Success;
    for error in pruned.failed {
        let failure = Failure::from(error);
        complain(session, &failure);
        exit = failure.blame.into();
    }
    Ok(exit)
}

impl PruneArgs {
    /// The settings with what the flags change.
    fn retention(&self, set: Retention) -> Retention {
        let days = |days: u32| Duration::from_hours(24 * u64::from(days));
        Retention {
            max_age: self.keep_days.map(days).or(set.max_age),
            keep_minimum: self.keep.unwrap_or(set.keep_minimum),
            max_total_bytes: self.max_size.map(|size| size.0).or(set.max_total_bytes),
        }
    }
}

fn text(pruned: &Pruned, dry_run: bool) -> String {
    let heading = if dry_run { "Would remove runs:\n" } else { "Removed runs:\n" };
    let mut text = String::new();
    if !pruned.removed.is_empty() {
        text.push_str(heading);
        pruned.removed.iter().for_each(|(run, _)| text.push_str(&format!("{}\n", run.id)));
        text.push('\n');
    }
    text.push_str(&format!("Total reclaimed space: {}\n", human::size(pruned.freed(), 4)));
    text
}

fn json(pruned: &Pruned, dry_run: bool) -> String {
    let removed = |(run, bytes): &(RunSummary, u64)| RemovedDto {
        run: run.id.0,
        workflow: run.outline.path.clone(),
        directory: run.outline.directory.clone(),
        bytes: *bytes,
    };
    let document = PrunedDto {
        dry_run,
        removed: pruned.removed.iter().map(removed).collect(),
        failed: pruned.failed.iter().map(ToString::to_string).collect(),
        freed_bytes: pruned.freed(),
    };
    // Texts and numbers: there is nothing that could fail to serialise.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}
