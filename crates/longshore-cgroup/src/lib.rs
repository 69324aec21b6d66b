//! Limits, accounting and freezing by control groups, version 1, version 2, or none.
//!
//! [`Hierarchy::detect`] says what this machine offers and this user may use; it never fails, because a machine without
//! control groups still runs containers, only without limits. [`Hierarchy::create`] makes a [`Cgroup`] with [`Limits`]
//! in Docker's meaning and lists as [`Unsupported`] each limit that the machine cannot keep.
//!
//! Two facts of the kernel give the shape:
//!
//! - Every directory costs a container some 40 µs to make and remove and 25 µs to enter, so only those controllers get
//!   one that a limit or the accounting needs. See [`Controller`].
//! - Version 2 has `cgroup.kill`, `cgroup.freeze`, an event when a group runs empty, accounting of processor time without
//!   a controller, and children that are born inside (`CLONE_INTO_CGROUP`). So where a version 2 tree is mounted beside
//!   the controllers of version 1 (systemd's hybrid layout), each container has a directory there too, instead of the
//!   ones of `freezer` and `cpuacct`.
//!
//! Follows the kernel's `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/`.
//!
//! **Invariants:** a limit is kept, refused, or named as unsupported, never silently left out. All waits are bounded. All
//! directories of a container have one name below one parent, so that [`Hierarchy::leftovers`] finds what a crash left.

#![forbid(unsafe_code)]

mod absence;
mod cgroup;
mod controller;
mod create;
mod delegation;
mod detect;
mod device;
mod device_filter;
mod error;
mod file;
mod freeze;
mod hierarchy;
mod kill;
mod limits;
mod mounts;
mod oom;
mod remove;
mod setting;
mod stats;
mod update;

pub use absence::{Absence, Unsupported, Why};
pub use cgroup::{Cgroup, Entry};
pub use controller::Controller;
pub use create::Created;
pub use detect::Surroundings;
pub use device::{DeviceAccess, DeviceKind, DeviceRule};
pub use device_filter::device_filter;
pub use error::CgroupError;
pub use hierarchy::{Hierarchy, Legacy, Unified};
pub use limits::{Ceiling, Limit, Limits, LimitsError, Throttle, ThrottleKind};
pub use oom::OomWatch;
pub use stats::{BlockStats, CpuStats, MemoryStats, PidStats, Stats};
