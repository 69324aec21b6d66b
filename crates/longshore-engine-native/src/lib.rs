//! The native engine: containers without a daemon.
//!
//! [`NativeEngine`] runs containers with what the kernel offers: namespaces, overlays, control groups, filters of system
//! calls. Each container that runs has one small process beside it, its monitor ([`internal_main`]), which is this same
//! program started under another name; there is nothing else, and nothing runs while no container does.
//!
//! What is on disk is described in `home` and `record`; how a process is started in `launch`; what a monitor does in
//! `monitor`; how it is spoken to in `control`.
//!
//! **Invariants:** whatever is killed at whatever moment, the next command finds a state that it can clean up, and does:
//! mounts and network interfaces belong to namespaces that end with their processes, processes end with their monitor,
//! and everything else is a file or a directory under the engine's own. Containers are complete or do not exist.

#![forbid(unsafe_code)]

mod attach;
mod beside;
mod contract;
mod control;
mod copy;
mod create;
mod directory;
mod engine;
mod exec;
mod groups;
mod home;
mod images;
mod inside;
mod internal;
mod launch;
mod links;
mod log;
mod monitor;
mod names;
mod network;
mod occupancy;
mod process;
mod reap;
mod record;
mod removal;
mod restart;
mod rootfs;
mod rootless;
mod running;
mod sandbox;
mod signal;
mod start;
mod unused;
mod usage;
mod user;
mod volume;

pub use attach::{Attached, Incoming, Sender};
pub use contract::Fetch;
pub use copy::PathStatusDto;
pub use engine::{Attachments, NativeEngine, NativeOptions};
pub use internal::internal_main;
pub use monitor::{MONITOR, main as monitor_main};
pub use occupancy::Size;
pub use process::ProcessDto;
pub use reap::Reaped;
pub use record::{RecordDto, StateDto};
pub use rootless::{ContainerUsers, container_users, enter_user_namespace, user_name};
pub use running::NativeExec;
pub use signal::parse_signal;
pub use usage::Usage;
pub use volume::{VolumeDto, Volumes};
