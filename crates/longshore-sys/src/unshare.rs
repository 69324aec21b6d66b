//! Leaving a shared namespace for one of the calling thread's own.
//!
//! `rustix` offers `unshare` only as an unsafe function, because one of the things that can be unshared is the table of
//! file descriptors, which would break the promises of borrowed descriptors. Namespaces of the network have no such
//! effect, and neither have those of mounts and users, so these are safe by what they leave out.

use rustix::io;
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Puts the calling thread, and no other, into a new network namespace.
///
/// It needs `CAP_SYS_ADMIN` in the thread's user namespace, which will own the new one. Descriptors that the process
/// has open keep working. The namespace ends with its last thread, socket and descriptor.
///
/// # Errors
///
/// What the kernel answers: `PERM` without the capability, `NOSPC` over the limit of namespaces.
pub fn unshare_network() -> io::Result<()> {
    // SAFETY: `CLONE_NEWNET` replaces which network devices and addresses the thread sees. It touches neither memory nor
    // the table of file descriptors, which is what makes other flags of this call unsafe.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    unsafe {
        unshare_unsafe(UnshareFlags::NEWNET)
    }
}

/// Puts the process into a new mount namespace. Its mounts are a copy of those of before.
///
/// Threads share a working directory and root; unsharing mounts unshares these for the calling thread.
///
/// # Errors
///
/// What the kernel answers: `PERM` without `CAP_SYS_ADMIN`, `NOSPC` over the limit of namespaces.
pub fn unshare_mounts() -> io::Result<()> {
    // SAFETY: `CLONE_NEWNS` replaces which mounts the thread sees, and unshares its working directory and root. It touches
    // neither memory nor the table of file descriptors.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    unsafe {
        unshare_unsafe(UnshareFlags::NEWNS)
    }
}

/// Puts the process into a new user namespace, with a mount namespace that it owns. Its ids are not mapped yet.
///
/// # Errors
///
/// What the kernel answers: `INVAL` if the process has more than one thread, `PERM` or `NOSPC` where user namespaces are
/// not allowed.
pub fn unshare_user_and_mounts() -> io::Result<()> {
    // SAFETY: as for mounts; `CLONE_NEWUSER` replaces ids and capabilities, which are no concern of memory or descriptors.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    unsafe {
        unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)
    }
}
