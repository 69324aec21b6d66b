//! Control groups: which layout, and which limits of containers hold.

use std::time::Duration;

use longshore_cgroup::{Ceiling, Controller, DeviceRule, Hierarchy, Limits, Unsupported};

use super::check::CheckDto;
use super::is_root;

const HELD: &str = "limits.held";
/// The parent of groups that are only tried.
const PARENT: &str = "longshore-doctor";
/// How long removing an empty group may take.
const REMOVING: Duration = Duration::from_secs(2);

pub(super) fn checks() -> Vec<CheckDto> {
    let hierarchy = Hierarchy::detect();
    let mut checks = vec![layout(&hierarchy)];
    match &hierarchy {
        Hierarchy::None(_) => {}
        Hierarchy::V1(_) => checks.push(tried()),
        // Handing controllers down would move processes of this user, which is no matter of an examination.
        Hierarchy::V2(_) => checks.push(listed(&hierarchy)),
    }
    checks
}

fn layout(hierarchy: &Hierarchy) -> CheckDto {
    const ID: &str = "limits.hierarchy";
    let names: Vec<String> = hierarchy.controllers().iter().map(ToString::to_string).collect();
    let names = format!("controllers: {}", names.join(", "));
    match hierarchy {
        Hierarchy::V2(_) => CheckDto::ok(ID, "control groups of version 2").detail([names]),
        Hierarchy::V1(_) if hierarchy.has_unified() => {
            CheckDto::ok(ID, "control groups of version 1 limit, version 2 stops and counts (hybrid)")
                .detail([names])
        }
        Hierarchy::V1(_) => CheckDto::ok(ID, "control groups of version 1").detail([names]),
        Hierarchy::None(absence) => {
            let help = if is_root() {
                "mount them: `mount -t cgroup2 none /sys/fs/cgroup`"
            } else {
                "on a machine with systemd and version 2, run it in a session of systemd, or as \
                 `systemd-run --user --scope -p Delegate=yes longshore …`; or run as root"
            };
            CheckDto::warning(ID, "no control groups can be used: containers run without limits")
                .detail([
                    absence.to_string(),
                    "`--memory`, `--cpus` and `--pids-limit` have no effect, and say so; `stats` shows less"
                        .to_owned(),
                ])
                .help(help)
        }
    }
}

/// Everything that can be limited.
fn all_limits() -> Limits {
    Limits {
        memory: Some(Ceiling::At(64 << 20)),
        memory_swap: Some(Ceiling::At(128 << 20)),
        memory_reservation: Some(32 << 20),
        nano_cpus: Some(500_000_000),
        cpu_shares: Some(512),
        cpuset_cpus: Some("0".to_owned()),
        pids: Some(Ceiling::At(100)),
        devices: vec![DeviceRule::DENY_ALL],
        blkio_weight: Some(500),
        ..Limits::default()
    }
}

/// Makes a group with every limit and removes it.
fn tried() -> CheckDto {
    let hierarchy = Hierarchy::detect_for(PARENT);
    remove_abandoned(&hierarchy);
    let check = match hierarchy.create(&std::process::id().to_string(), &all_limits()) {
        Ok(created) => {
            let unsupported = created.unsupported;
            // What stays is found by the next examination.
            let _ = created.cgroup.remove(REMOVING);
            held(&unsupported)
        }
        Err(error) => CheckDto::warning(HELD, "a group with limits cannot be made").because(&error),
    };
    // Another examination may be at work in them.
    let _ = hierarchy.remove_parents();
    check
}

/// Groups of examinations that were killed.
fn remove_abandoned(hierarchy: &Hierarchy) {
    for name in hierarchy.leftovers().unwrap_or_default() {
        let is_alive = std::path::Path::new("/proc").join(&name).exists();
        if let (false, Ok(Some(group))) = (is_alive, hierarchy.open(&name)) {
            let _ = group.remove(REMOVING);
        }
    }
}

fn held(unsupported: &[Unsupported]) -> CheckDto {
    if unsupported.is_empty() {
        return CheckDto::ok(
            HELD,
            "memory, swap, processors, processes, devices and input/output can be limited",
        );
    }
    let names: Vec<String> = unsupported.iter().map(|limit| limit.limit.to_string()).collect();
    CheckDto::note(HELD, format!("all but {}", names.join(", ")))
        .detail(unsupported.iter().map(ToString::to_string))
}

/// What the controllers of version 2 allow.
fn listed(hierarchy: &Hierarchy) -> CheckDto {
    let controllers = hierarchy.controllers();
    let wanted = [
        (Controller::Memory, "memory"),
        (Controller::Cpu, "processors"),
        (Controller::Pids, "processes"),
        (Controller::Cpuset, "sets of processors"),
        (Controller::Blkio, "input/output"),
    ];
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|(controller, _)| !controllers.contains(controller))
        .map(|(_, name)| *name)
        .collect();
    if missing.is_empty() {
        return CheckDto::ok(HELD, "memory, swap, processors, processes and input/output can be limited");
    }
    let check = CheckDto::note(HELD, format!("{} cannot be limited", missing.join(", ")));
    if is_root() {
        check.help("look at `cgroup.controllers` at the top of the tree; version 1 may hold the others")
    } else {
        check.help("let systemd delegate them: `Delegate=cpu cpuset io memory pids` in `user@.service`")
    }
}
