//! The kernel's controllers, and which of them a container needs.

use std::fmt;

use crate::limits::Limits;

/// One controller, by what it does; version 2 calls some of them otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Controller {
    /// Memory and swap: limits, use, and kills for want of it.
    Memory,
    /// Shares and bandwidth of processors.
    Cpu,
    /// Time used on processors; a part of `cpu` in version 2.
    Cpuacct,
    /// The number of processes and threads.
    Pids,
    /// Which device nodes may be made and opened; a program in version 2.
    Devices,
    /// Stopping and continuing all processes; a part of every group in version 2.
    Freezer,
    /// On which processors and memory nodes.
    Cpuset,
    /// Input and output of block devices.
    Blkio,
}

impl Controller {
    /// All controllers that this crate uses.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::Cpu,
        Self::Cpuacct,
        Self::Pids,
        Self::Devices,
        Self::Freezer,
        Self::Cpuset,
        Self::Blkio,
    ];

    /// Its name as an option of a mount of version 1.
    pub const fn legacy_name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
            Self::Pids => "pids",
            Self::Devices => "devices",
            Self::Freezer => "freezer",
            Self::Cpuset => "cpuset",
            Self::Blkio => "blkio",
        }
    }

    /// Its name in `cgroup.controllers` of version 2, where it is one.
    pub const fn unified_name(self) -> Option<&'static str> {
        match self {
            Self::Memory => Some("memory"),
            Self::Cpu => Some("cpu"),
            Self::Pids => Some("pids"),
            Self::Cpuset => Some("cpuset"),
            Self::Blkio => Some("io"),
            Self::Cpuacct | Self::Devices | Self::Freezer => None,
        }
    }

    /// Whether a container on version 1 needs a directory of this controller. `tracked` says that it has one in a tree of
    /// version 2 as well, which stops, counts and kills its processes.
    pub(crate) fn is_needed(self, limits: &Limits, tracked: bool) -> bool {
        match self {
            // Accounting, and knowing of kills for want of memory.
            Self::Memory => true,
            Self::Cpuacct | Self::Freezer => !tracked,
            Self::Cpu => limits.limits_cpu(),
            Self::Pids => limits.pids.is_some(),
            Self::Devices => !limits.devices.is_empty(),
            Self::Cpuset => limits.cpuset_cpus.is_some() || limits.cpuset_mems.is_some(),
            Self::Blkio => limits.blkio_weight.is_some() || !limits.blkio_throttles.is_empty(),
        }
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.legacy_name())
    }
}
