//! What a container may use up.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a container may use up. What is absent has no limit; the names are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Memory and swap together in bytes; -1 for any amount of swap. Twice the memory, if absent.
    pub memory_swap: Option<i64>,
    /// Memory in bytes that is left to it when memory gets short.
    pub memory_reservation: Option<u64>,
    /// Do not kill its processes when it runs out of memory, but let them wait.
    pub oom_kill_disable: bool,
    /// Adjustment of the score by which the kernel chooses whom to kill, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// Billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// Microseconds of CPU time for each period.
    pub cpu_quota: Option<i64>,
    /// The period in microseconds.
    pub cpu_period: Option<u64>,
    /// The weight in sharing CPUs; 1024 is normal.
    pub cpu_shares: Option<u64>,
    /// CPUs it may run on, such as `0-2,4`.
    pub cpuset_cpus: Option<String>,
    /// Memory nodes it may use.
    pub cpuset_mems: Option<String>,
    /// Processes and threads.
    pub pids: Option<u64>,
    /// The weight in sharing disks, 10 to 1000.
    pub blkio_weight: Option<u16>,
    /// Size of `/dev/shm` in bytes; 64 MiB, if absent.
    pub shm_size: Option<u64>,
    /// Limits of single processes.
    pub ulimits: Vec<Ulimit>,
    /// Devices of the machine that it may use.
    pub devices: Vec<Device>,
    /// Further rules of devices, as the kernel writes them: `c 188:* rmw`.
    pub device_rules: Vec<String>,
}

/// A limit of a single process, see `setrlimit(2)`. -1 is no limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// The name without `RLIMIT_`, in lower case: `nofile`.
    pub name: String,
    /// What holds.
    pub soft: i64,
    /// How far it may be raised.
    pub hard: i64,
}

/// A device of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Where it is on the machine.
    pub source: PathBuf,
    /// Where it is in the container.
    pub target: String,
    /// Of `r`, `w` and `m`.
    pub permissions: String,
}
