//! The small init process of a container, and the step from root to the user.
//!
//! Runs in the child after the clone: bare system calls only, see [`crate::interpret`].

use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions};
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::clone::{Clone, check, clone3};
use crate::interpret::leave;

/// Who to become.
pub(crate) struct Identity<'a> {
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
    pub(crate) groups: Option<&'a [Gid]>,
}

/// Becomes a user. Root keeps the given capabilities as permitted, effective and inheritable-free; others have none, as
/// `execve(2)` would leave them without ambient ones.
pub(crate) fn become_user(user: &Identity<'_>, capabilities: u64) -> Result<(), Errno> {
    if let Some(groups) = user.groups {
        rustix::thread::set_thread_groups(groups)?;
    }
    rustix::thread::set_thread_res_gid(user.gid, user.gid, user.gid)?;
    rustix::thread::set_thread_res_uid(user.uid, user.uid, user.uid)?;
    let kept = if user.uid.is_root() {
        CapabilitySet::from_bits_retain(capabilities)
    } else {
        CapabilitySet::empty()
    };
    rustix::thread::set_capabilities(
        None,
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
    )
}

/// Goes on in a child. The process itself stays as its parent until it ends, and then ends with the same code.
pub(crate) fn supervise() -> Result<(), Errno> {
    match clone3(crate::Namespaces::NONE, None, 0)? {
        Clone::Child => Ok(()),
        Clone::Parent { pid, pidfd } => {
            std::mem::forget(pidfd);
            watch(pid)
        }
    }
}

/// Collects orphans until it is asked to end.
pub(crate) fn hold() -> ! {
    let all = seclude();
    loop {
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
        if matches!(next_signal(all), Some(libc::SIGTERM | libc::SIGINT | libc::SIGQUIT | libc::SIGHUP)) {
            leave(0);
        }
    }
}

/// Hands signals on and collects orphans until the child ends.
fn watch(child: Pid) -> ! {
    let all = seclude();
    loop {
        // Orphans may have ended before the first signal is waited for, so collecting comes first.
        collect(child);
        match next_signal(all) {
            Some(libc::SIGCHLD) | None => {}
            Some(number) => forward(child, number),
        }
    }
}

/// Keeps all signals back and closes all descriptors. Gives the set of all signals.
fn seclude() -> u64 {
    let all = u64::MAX;
    // SAFETY: rt_sigprocmask(2) reads a mask of eight bytes that outlives the call; close_range(2) takes integers. Nothing
    // in this process uses a descriptor any more.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one thought")]
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const all, 0, 8);
        libc::syscall(libc::SYS_close_range, 0_u32, u32::MAX, 0);
    }
    all
}

/// The next signal that was kept back; none if waiting was interrupted.
fn next_signal(all: u64) -> Option<i32> {
    // SAFETY: rt_sigtimedwait(2) reads a mask of eight bytes that outlives the call; details are not wanted.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe { libc::syscall(libc::SYS_rt_sigtimedwait, &raw const all, 0, 0, 8) };
    check(answer).ok().and_then(|number| i32::try_from(number).ok())
}

fn forward(child: Pid, number: i32) {
    // SAFETY: kill(2) takes integers.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    unsafe {
        libc::syscall(libc::SYS_kill, Pid::as_raw_nonzero(child).get(), number)
    };
}

fn collect(child: Pid) {
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == child {
            let signal = status.terminating_signal().map(|signal| 128 + signal);
            leave(status.exit_status().or(signal).unwrap_or(255));
        }
    }
}
