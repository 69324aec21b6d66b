//! Processes of the machine, told apart from others that get the same number later.

use std::fs;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

/// A process by its number and the time of its start, which together are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessDto {
    /// Its number.
    pub pid: i32,
    /// When it began, in ticks since the machine started.
    pub started: u64,
}

impl ProcessDto {
    /// A process that exists now.
    pub fn of(pid: i32) -> Option<Self> {
        Some(Self { pid, started: start_time(pid)? })
    }

    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(i32::try_from(std::process::id()).ok()?)
    }

    /// Whether it still exists; one that has ended and was not reaped does not.
    pub fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    /// A handle of it, if it still exists.
    pub fn open(self) -> Option<OwnedFd> {
        let handle = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        // Looked at after the handle was made: if it is the right process now, the handle is of the right one.
        self.is_alive().then_some(handle)
    }
}

/// The processes that descend from one, parents before their children. Those whose parent has ended are not among them.
pub(crate) fn descendants(ancestor: i32) -> Vec<ProcessDto> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let all: Vec<(i32, ProcessDto)> = pids
        .filter_map(|pid| {
            let (parent, started) = stat(pid)?;
            Some((parent, ProcessDto { pid, started }))
        })
        .collect();
    let mut found: Vec<ProcessDto> = Vec::new();
    let mut parents = vec![ancestor];
    while let Some(parent) = parents.pop() {
        for (_, process) in all.iter().filter(|(other, _)| *other == parent) {
            found.push(*process);
            parents.push(process.pid);
        }
    }
    found
}

/// The start of a process in ticks; none for what has ended.
fn start_time(pid: i32) -> Option<u64> {
    stat(pid).map(|(_, started)| started)
}

/// Parent and start of a process, from `/proc/PID/stat`, see `proc_pid_stat(5)`; none for what has ended.
fn stat(pid: i32) -> Option<(i32, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything, brackets and spaces too.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" | "x" => None,
        _ => Some((fields.next()?.parse().ok()?, fields.nth(17)?.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::ProcessDto;

    #[test]
    fn a_process_is_told_from_a_later_one() {
        let own = ProcessDto::own().unwrap();
        assert!(own.is_alive());
        assert!(own.open().is_some());
        assert!(super::descendants(1).contains(&own) || super::descendants(0).contains(&own));
        let other = ProcessDto { started: own.started + 1, ..own };
        assert!(!other.is_alive());
        assert!(other.open().is_none());
    }
}
