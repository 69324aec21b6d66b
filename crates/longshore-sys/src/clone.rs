//! Making processes in namespaces of their own.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd};

use rustix::io;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Pid;

use crate::{Child, Program, interpret};

/// Kinds of namespaces, see `namespaces(7)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Namespaces(pub u32);

impl Namespaces {
    /// None.
    pub const NONE: Self = Self(0);
    /// Mounts.
    pub const MOUNT: Self = Self(libc::CLONE_NEWNS as u32);
    /// Root of control groups.
    pub const CGROUP: Self = Self(libc::CLONE_NEWCGROUP as u32);
    /// Host and domain name.
    pub const UTS: Self = Self(libc::CLONE_NEWUTS as u32);
    /// System V objects and message queues.
    pub const IPC: Self = Self(libc::CLONE_NEWIPC as u32);
    /// User and group ids.
    pub const USER: Self = Self(libc::CLONE_NEWUSER as u32);
    /// Process ids.
    pub const PID: Self = Self(libc::CLONE_NEWPID as u32);
    /// Network.
    pub const NETWORK: Self = Self(libc::CLONE_NEWNET as u32);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Without another.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a set contains another.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Starts a process that carries out a program, in new namespaces, and in a control group of version 2 if one is given.
///
/// The call returns at once; [`Child::started`] waits until the program has become another one, or failed.
///
/// # Errors
///
/// What the kernel answers: `PERM` without rights to make namespaces, `AGAIN` and `NOSPC` over limits, `NOMEM`.
pub fn spawn(program: &Program, new: Namespaces, cgroup: Option<BorrowedFd<'_>>) -> io::Result<Child> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    // Streams of the new process are made by copying to 0, 1 and 2; the descriptors in use must not be among these.
    let theirs = raise_fd(theirs)?;
    match clone3(new, cgroup, 0)? {
        Clone::Child => {
            // With a copy of our end open, the new process would never notice that we are gone.
            close(&ours);
            interpret::run(program, &theirs)
        }
        Clone::Parent { pid, pidfd } => Ok(Child::new(pid, pidfd, ours)),
    }
}

/// Closes a descriptor of the new process, which drops nothing.
fn close(descriptor: &OwnedFd) {
    // SAFETY: close(2) takes an integer. The owner of the descriptor is never dropped in this process.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    unsafe {
        libc::syscall(libc::SYS_close, descriptor.as_raw_fd())
    };
}

/// Moves a descriptor away from 0, 1 and 2.
///
/// # Errors
///
/// `MFILE` if too many descriptors are open.
pub fn raise_fd(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    if descriptor.as_raw_fd() > 2 { Ok(descriptor) } else { io::fcntl_dupfd_cloexec(&descriptor, 3) }
}

/// Which of the two processes this is.
pub(crate) enum Clone {
    /// The new one.
    Child,
    /// The old one.
    Parent {
        /// The new one's id, as the old one sees it.
        pid: Pid,
        /// A handle of it.
        pidfd: OwnedFd,
    },
}

/// clone3(2) without sharing memory: like fork, with namespaces. `extra` are further flags.
pub(crate) fn clone3(new: Namespaces, cgroup: Option<BorrowedFd<'_>>, extra: u64) -> io::Result<Clone> {
    const INTO_CGROUP: u64 = 0x2_0000_0000;
    let mut pidfd: libc::c_int = -1;
    // SAFETY: all of the structure's fields are integers, for which zero is valid.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = u64::from(new.0) | libc::CLONE_PIDFD as u64 | extra;
    arguments.pidfd = (&raw mut pidfd) as u64;
    arguments.exit_signal = if extra & libc::CLONE_PARENT as u64 == 0 { libc::SIGCHLD as u64 } else { 0 };
    if let Some(directory) = cgroup {
        arguments.flags |= INTO_CGROUP;
        arguments.cgroup = u64::try_from(directory.as_raw_fd()).map_err(|_| io::Errno::BADF)?;
    }
    // SAFETY: clone3(2). Without CLONE_VM the child has a copy of the memory and goes on on a copy of this stack. Pointer
    // and size describe `arguments`, which outlives the call; `pidfd` is written by the kernel before it returns. Other
    // threads do not exist in the child, which therefore must not take locks or allocate: both callers only make
    // system calls there and never return.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) };
    let answer = check(answer)?;
    match i32::try_from(answer).ok().and_then(Pid::from_raw) {
        None => Ok(Clone::Child),
        Some(pid) => {
            // SAFETY: the kernel made this descriptor for us, and nobody else knows it.
            #[expect(unsafe_code, reason = "see the comment on safety")]
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Clone::Parent { pid, pidfd })
        }
    }
}

/// The answer of a raw system call as a result.
pub(crate) fn check(answer: libc::c_long) -> io::Result<libc::c_long> {
    if answer >= 0 {
        return Ok(answer);
    }
    Err(io::Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(io::Errno::IO))
}
