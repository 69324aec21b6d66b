//! Signals by their number: real-time ones, too, which safe types leave to the C library.

use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::io;

/// Sends a signal to a process by its handle. 0 sends nothing, and tells whether it could be sent.
///
/// # Errors
///
/// `SRCH` if the process has ended, `PERM` without the right, `INVAL` if there is no such signal.
pub fn send_signal(process: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: pidfd_send_signal(2) takes integers and a pointer that may be null. The receiver is another process, or
    // deals with its signals by itself.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            signal,
            std::ptr::null_mut::<libc::siginfo_t>(),
            0,
        )
    };
    crate::clone::check(answer).map(|_| ())
}
