//! Leaving a shared namespace for one of the calling thread's own.
//!
//! `rustix` offers `unshare` only as an unsafe function, because one of the things that can be unshared is the table of
//! file descriptors, which would break the promises of borrowed descriptors. Namespaces of the network have no such
//! effect, so this is safe by what it leaves out.

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
