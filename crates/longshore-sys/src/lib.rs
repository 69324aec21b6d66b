//! Safe functions over raw Linux system calls; the only crate with unsafe code.
//!
//! What `rustix` offers safely is used directly by the crates that need it; here is what it does not have, or has only as
//! unsafe functions. The heart is [`Program`]: everything that a new process does between `clone` and `execve`, as
//! data. It is prepared completely before the clone, and the child only makes system calls: it allocates nothing, takes no
//! lock, and drops nothing, which is what makes cloning safe in a process with threads, under any C library.
//!
//! Sources: the manual pages named at each call, and the kernel's `Documentation/filesystems/{mount_api,idmappings}.rst`.

mod aside;
mod bpf;
mod child;
mod clone;
mod interpret;
mod memory;
mod mount;
#[cfg(target_env = "gnu")]
mod names;
mod packet;
mod program;
mod signal;
mod socket_option;
mod supervise;
mod unshare;

pub use aside::copy_aside;
pub use bpf::attach_device_filter;
pub use child::{Child, Report, StartError};
pub use clone::{Namespaces, raise_fd, spawn};
pub use memory::release_clean_pages;
pub use mount::{MountAttributes, idmap, set_mount_attributes};
#[cfg(target_env = "gnu")]
pub use names::resolve_by_files_and_dns;
pub use packet::packet_socket;
pub use program::{FilterInstruction, Links, NewMount, Op, Program};
pub use signal::send_signal;
pub use socket_option::ip_socket_option;
pub use unshare::{unshare_mounts, unshare_network, unshare_user_and_mounts};
