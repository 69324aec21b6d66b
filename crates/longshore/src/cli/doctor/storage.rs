//! The disk that the home is on, and the store of images.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use longshore_core::ByteSize;
use longshore_report::count;
use longshore_store::{RecoveryReport, Store, StoreError};

use super::check::{CheckDto, OutcomeDto};
use super::scratch::existing;

/// Below this, images will soon not fit.
const LITTLE: u64 = 2_000_000_000;
/// Below this, not even state can be written with confidence.
const NOTHING: u64 = 50_000_000;

pub(super) fn examine(home: &Path, reap: bool) -> OutcomeDto {
    let mut outcome = OutcomeDto::from(disk(home));
    let directory = home.join("store");
    if !directory.join("version").exists() {
        outcome
            .checks
            .push(CheckDto::ok("storage.store", "there is none yet; it is made with the first image"));
        return outcome;
    }
    match Store::open(&directory) {
        Ok(store) => examine_store(&store, reap, &mut outcome),
        Err(error) => {
            let help = match &error {
                StoreError::NewerStore { .. } => {
                    "use the newer Longshore that made it, or another LONGSHORE_HOME"
                }
                _ => {
                    "check the permissions; a store that cannot be mended can be removed, and images pulled again"
                }
            };
            let check =
                CheckDto::problem("storage.store", "the store cannot be opened").because(&error).help(help);
            outcome.checks.push(check);
        }
    }
    outcome
}

/// How much may be taken.
pub(super) fn budget(budget: Option<ByteSize>) -> CheckDto {
    const ID: &str = "storage.budget";
    match budget {
        Some(budget) => CheckDto::ok(ID, format!("images and caches may take {budget}")),
        None => CheckDto::ok(ID, "none is set: nothing is removed to make room"),
    }
}

fn disk(home: &Path) -> Vec<CheckDto> {
    const ID: &str = "storage.disk";
    let Some(place) = existing(home) else { return Vec::new() };
    let stat = match rustix::fs::statvfs(place) {
        Ok(stat) => stat,
        Err(errno) => {
            let error = std::io::Error::from(errno);
            return vec![CheckDto::warning(ID, "cannot be examined").because(&error)];
        }
    };
    let bytes = |blocks: u64| ByteSize(blocks.saturating_mul(stat.f_frsize));
    let free = bytes(stat.f_bavail);
    let kind = file_system(place).unwrap_or_else(|| "an unknown file system".to_owned());
    let finding = format!("{free} of {} free, {kind}", bytes(stat.f_blocks));
    let no_files = stat.f_files > 0 && stat.f_favail < 1000;
    vec![if free.bytes() < NOTHING || no_files {
        let what = if no_files { "has no room for more files" } else { "is full" };
        CheckDto::problem(ID, format!("the disk {what}: {finding}"))
            .help("make room: `longshore image prune`, `longshore explain error/no-space-left`")
    } else if free.bytes() < LITTLE {
        CheckDto::warning(ID, format!("there is little room for images: {finding}"))
            .help("make room: `longshore image prune`")
    } else {
        CheckDto::ok(ID, finding)
    }]
}

/// The type of the file system that a path is on, as its mount says.
fn file_system(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let candidates = mounts.lines().filter_map(|line| {
        let (mount, system) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        path.starts_with(point)
            .then(|| (point.len(), system.split(' ').next().unwrap_or_default().to_owned()))
    });
    // Of mounts over one another, the last is the one that is seen.
    candidates.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

fn examine_store(store: &Store, reap: bool, outcome: &mut OutcomeDto) {
    if reap {
        match store.recover() {
            Ok(report) => {
                outcome.cleaned = cleaned(&report);
                outcome.checks.push(recovered(&report));
            }
            Err(error) => outcome.checks.push(
                CheckDto::warning("storage.leftovers", "the store could not be cleaned up").because(&error),
            ),
        }
    }
    outcome.checks.push(match store.usage() {
        Ok(usage) => {
            let version = fs::read_to_string(store.root().join("version")).unwrap_or_default();
            let damaged = usage.quarantined.count;
            let finding = format!(
                "{} in {} and {} of layers",
                usage.total(),
                count(number(usage.blobs.count), "blob"),
                usage.snapshots.bytes
            );
            let check = if damaged == 0 {
                CheckDto::ok("storage.store", finding)
            } else {
                CheckDto::note(
                    "storage.store",
                    format!("{finding}; {} damaged", count(number(damaged), "blob")),
                )
                .help(
                    "damaged content was set aside and is fetched again when needed; the disk may be failing",
                )
            };
            check.detail([
                version.trim().to_owned(),
                format!("content {}, layers {}", usage.blobs.bytes, usage.snapshots.bytes),
                format!("unfinished downloads {}", usage.partials.bytes),
            ])
        }
        Err(error) => CheckDto::warning("storage.store", "what it holds cannot be counted").because(&error),
    });
    outcome.checks.push(references(store));
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn cleaned(report: &RecoveryReport) -> BTreeMap<String, u64> {
    [
        ("leases", report.leases),
        ("ingests", report.ingests),
        ("snapshots", report.snapshots),
        ("store_trash", report.trash),
        ("refs", report.refs.len() as u64),
    ]
    .map(|(kind, count)| (kind.to_owned(), count))
    .into()
}

fn recovered(report: &RecoveryReport) -> CheckDto {
    const ID: &str = "storage.leftovers";
    if report.is_clean() {
        return CheckDto::ok(ID, "killed processes left nothing in the store");
    }
    let parts = [
        (report.leases, "lease of a dead process", "leases of dead processes"),
        (report.ingests, "unfinished blob", "unfinished blobs"),
        (report.snapshots, "unfinished layer", "unfinished layers"),
        (report.trash, "thing that was being deleted", "things that were being deleted"),
        (report.refs.len() as u64, "name that a power failure emptied", "names that a power failure emptied"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    let check = match &report.stuck {
        Some(error) => {
            CheckDto::warning(ID, "not everything that killed processes left could be removed").because(error)
        }
        None => CheckDto::note(ID, format!("removed {}", parts.join(", "))),
    };
    check.detail(report.refs.iter().map(|name| format!("{}/{}", name.namespace().as_str(), name.name())))
}

/// Whether names lead to content.
fn references(store: &Store) -> CheckDto {
    const ID: &str = "storage.references";
    let refs = match store.all_refs() {
        Ok(refs) => refs,
        Err(error) => {
            return CheckDto::warning(ID, "a name in the store cannot be read")
                .because(&error)
                .help("remove the file that is named, and pull or tag the image again");
        }
    };
    let dangling: Vec<String> = refs
        .iter()
        .filter(|named| !matches!(store.contains(&named.record.target.digest), Ok(Some(_))))
        .map(|named| format!("{} ({})", named.name.name(), named.record.target.digest))
        .collect();
    if dangling.is_empty() {
        CheckDto::ok(ID, format!("{}, all with their content", count(refs.len(), "name")))
    } else {
        CheckDto::warning(ID, format!("{} without content", count(dangling.len(), "name")))
            .detail(dangling)
            .help("pull these images again, or remove them: `longshore image rm NAME`")
    }
}
