//! What containers that run use up, and which processes they are.

use std::collections::BTreeSet;
use std::fs;

use longshore_cgroup::{Hierarchy, Stats};
use longshore_engine::{ContainerId, EngineError, Fault};

use crate::engine::NativeEngine;
use crate::record::ContainerDirectory;

/// What a container has used up.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// What its control groups count; nothing where there are none.
    pub stats: Stats,
    /// Bytes that it received and sent over interfaces of its own.
    pub network: Option<(u64, u64)>,
    /// Its processes.
    pub processes: usize,
}

impl NativeEngine {
    /// What a container has used up so far; nothing if it does not run.
    ///
    /// # Errors
    ///
    /// If there is none of that id, or the kernel's counters cannot be read.
    pub fn usage(&self, id: &ContainerId) -> Result<Option<Usage>, EngineError> {
        let Some(pid) = self.pid(id)? else { return Ok(None) };
        let group = Hierarchy::detect().open(id.as_str()).ok().flatten();
        let stats = group.map(|group| group.stats()).transpose().map_err(|error| {
            let message = format!("failed to read what container {} uses", id.short());
            EngineError::new(Fault::Environment, message).because(error)
        })?;
        Ok(Some(Usage {
            stats: stats.unwrap_or_default(),
            network: traffic(pid),
            processes: self.processes(id)?.len(),
        }))
    }

    /// The processes of a container by their numbers on the machine.
    ///
    /// # Errors
    ///
    /// If it does not run.
    pub fn processes(&self, id: &ContainerId) -> Result<BTreeSet<i32>, EngineError> {
        let Some(pid) = self.pid(id)? else {
            return Err(EngineError::new(
                Fault::Conflict,
                format!("container {} is not running", id.short()),
            ));
        };
        let group = Hierarchy::detect().open(id.as_str()).ok().flatten();
        match group.and_then(|group| group.processes().ok()).filter(|all| !all.is_empty()) {
            Some(all) => Ok(all),
            None => Ok(in_namespace_of(pid)),
        }
    }

    fn pid(&self, id: &ContainerId) -> Result<Option<i32>, EngineError> {
        let state = ContainerDirectory::new(self.engine_home(), id).state()?;
        let status = self.status(id)?;
        Ok(state
            .process
            .filter(|process| status.state.is_alive() && process.is_alive())
            .map(|process| process.pid))
    }
}

/// Processes that have the same process ids as another, which is how they are told where there are no control groups. If
/// these are the machine's, only that one is known.
fn in_namespace_of(pid: i32) -> BTreeSet<i32> {
    let namespace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let (theirs, ours) = (namespace(pid), fs::read_link("/proc/self/ns/pid").ok());
    if theirs.is_none() || theirs == ours {
        return BTreeSet::from([pid]);
    }
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|other| namespace(*other) == theirs).collect()
}

/// Bytes received and sent over all interfaces but the loopback, see `proc_pid_net(5)`.
fn traffic(pid: i32) -> Option<(u64, u64)> {
    let own = fs::read_link("/proc/self/ns/net").ok()?;
    if fs::read_link(format!("/proc/{pid}/ns/net")).ok()? == own {
        return None;
    }
    Some(sum(&fs::read_to_string(format!("/proc/{pid}/net/dev")).ok()?))
}

fn sum(table: &str) -> (u64, u64) {
    let counters = table.lines().filter_map(|line| {
        let (name, counters) = line.split_once(':')?;
        let mut counters = counters.split_ascii_whitespace();
        let received = counters.next()?.parse::<u64>().ok()?;
        let sent = counters.nth(7)?.parse::<u64>().ok()?;
        (name.trim() != "lo").then_some((received, sent))
    });
    counters.fold((0, 0), |(received, sent), (more, further)| {
        (u64::saturating_add(received, more), u64::saturating_add(sent, further))
    })
}

#[cfg(test)]
mod tests {
    use super::{in_namespace_of, sum};

    #[test]
    fn traffic_is_that_of_all_interfaces_but_the_loopback() {
        let table = "Inter-|   Receive\n face |bytes\n    lo: 9 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0\n  \
                     eth0: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n  eth1:1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n";
        assert_eq!(sum(table), (11, 22));
        assert_eq!(sum("nonsense: x"), (0, 0));
    }

    #[test]
    fn the_machine_is_no_container() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(in_namespace_of(own).len(), 1);
    }
}
