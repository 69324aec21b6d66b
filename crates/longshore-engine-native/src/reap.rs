//! Cleaning up after what was killed.
//!
//! A monitor that is killed takes its container with it, because the kernel ends the container's process when the monitor
//! ends. What is left are files that say otherwise, control groups, and addresses that are taken. They are found by the
//! lock files of monitors: one that nobody has locked belongs to a monitor that is gone.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::str::FromStr as _;
use std::time::Duration;

use longshore_cgroup::Hierarchy;
use longshore_engine::{ContainerId, ContainerState, EngineError, ExitStatus};

use crate::home::Home;
use crate::process::ProcessDto;
use crate::record::{ContainerDirectory, LiveLock};
use crate::rootless::Worker;

/// What was cleaned up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaped {
    /// Containers whose monitor was killed.
    pub containers: Vec<String>,
    /// Containers that were never made completely.
    pub unfinished: usize,
    /// Control groups that nobody owned.
    pub cgroups: usize,
    /// Names that no container has.
    pub names: usize,
    /// Things that were being deleted.
    pub trash: usize,
    /// Addresses, interfaces and rules that nobody owned.
    pub network: Vec<String>,
}

impl Reaped {
    /// Whether there was nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How long processes that are left over may take to be killed.
const KILLING: Duration = Duration::from_secs(5);

/// Cleans up after monitors that were killed. Quick if there are none: one directory is read, and one lock tried for each
/// container that runs.
pub(crate) fn monitors(home: &Home, reaped: &mut Reaped) -> Result<(), EngineError> {
    for entry in fs::read_dir(home.live()).into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| ContainerId::from_str(name).ok()) else {
            continue;
        };
        if let Some(lock) = LiveLock::take(home, &id)? {
            after_monitor(home, &id, reaped)?;
            lock.end();
        }
    }
    // What cannot be removed now may be the next time.
    let _ = crate::network::spare::discard(home, crate::network::spare::Owner::Dead);
    Ok(())
}

/// Cleans up after one monitor; its lock is ours.
fn after_monitor(home: &Home, id: &ContainerId, reaped: &mut Reaped) -> Result<(), EngineError> {
    remove_group(&Hierarchy::detect(), id.as_str());
    let directory = ContainerDirectory::new(home, id);
    let Ok(record) = directory.record() else { return Ok(()) };
    let mut state = directory.state()?;
    let was_alive =
        matches!(state.state, ContainerState::Running | ContainerState::Paused | ContainerState::Restarting);
    let begun = state.state == ContainerState::Created && state.monitor.is_some();
    crate::network::forget(home, id);
    if was_alive || begun {
        if let Some(process) = state.process.and_then(ProcessDto::open) {
            let _ = longshore_sys::send_signal(std::os::fd::AsFd::as_fd(&process), 9);
        }
        state.state = ContainerState::Exited;
        state.process = None;
        state.monitor = None;
        state.ports.clear();
        state.exit = Some(ExitStatus { code: 137, out_of_memory: false });
        state.error = Some("its monitor was killed".to_owned());
        state.finished = i64::try_from(jiff::Timestamp::now().as_nanosecond()).ok();
        directory.write_state(&state)?;
        reaped.containers.push(id.as_str().to_owned());
    }
    let _ = fs::remove_file(directory.file("control"));
    if record.spec.auto_remove && state.state != ContainerState::Created {
        crate::directory::discard(home, &record)?;
    }
    Ok(())
}

/// Everything else that killed processes leave. It looks at all there is.
pub(crate) fn everything(home: &Home, worker: &Worker, reaped: &mut Reaped) -> Result<(), EngineError> {
    monitors(home, reaped)?;
    reaped.unfinished = crate::create::sweep(home);
    names(home, reaped);
    groups(home, reaped);
    reaped.trash = fs::read_dir(home.trash()).into_iter().flatten().flatten().count();
    crate::directory::empty_trash(home, worker);
    reaped.network = crate::network::reap(home);
    Ok(())
}

/// Names whose container does not exist.
fn names(home: &Home, reaped: &mut Reaped) {
    for entry in fs::read_dir(home.names()).into_iter().flatten().flatten() {
        let Ok(text) = fs::read_to_string(entry.path()) else { continue };
        let alive = ContainerId::from_str(&text)
            .is_ok_and(|id| home.container(&id).exists() || crate::create::is_being_made(home, &id));
        if !alive && fs::remove_file(entry.path()).is_ok() {
            reaped.names += 1;
        }
    }
}

/// Groups whose container has no monitor. Other engines' homes on this machine have containers, too: of theirs, only
/// those are removed that nobody is in and that no monitor is about to start or restart a container in.
fn groups(home: &Home, reaped: &mut Reaped) {
    let hierarchy = Hierarchy::detect();
    let watched = OnceCell::new();
    for name in hierarchy.leftovers().unwrap_or_default() {
        let Ok(id) = ContainerId::from_str(&name) else { continue };
        if home.live().join(id.as_str()).exists() {
            continue;
        }
        let is_removed = if home.container(&id).exists() {
            remove_group(&hierarchy, &name)
        } else {
            remove_deserted(&hierarchy, &name, &watched)
        };
        reaped.cgroups += usize::from(is_removed);
    }
}

/// The ids of containers that any monitor of the machine watches, as the monitors' arguments say.
fn watched_anywhere() -> BTreeSet<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let arguments = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    arguments
        .filter_map(|arguments| {
            let mut words = arguments.split(|byte| *byte == 0).skip(1);
            let is_monitor = words.next() == Some(crate::monitor::MONITOR.as_bytes());
            let id = words.nth(1).filter(|_| is_monitor)?;
            Some(String::from_utf8_lossy(id).into_owned())
        })
        .collect()
}

/// Removes a group of another home that nobody is in and no monitor watches. A container that is started again may get
/// its group at this very moment; its monitor makes it anew then.
fn remove_deserted(hierarchy: &Hierarchy, name: &str, watched: &OnceCell<BTreeSet<String>>) -> bool {
    let Ok(Some(group)) = hierarchy.open(name) else { return false };
    group.processes().is_ok_and(|processes| processes.is_empty())
        && !watched.get_or_init(watched_anywhere).contains(name)
        && group.remove_deserted().unwrap_or(false)
}

fn remove_group(hierarchy: &Hierarchy, name: &str) -> bool {
    let Ok(Some(group)) = hierarchy.open(name) else { return false };
    let _ = group.kill(KILLING);
    group.remove(KILLING).is_ok()
}
