//! A process that was started by [`crate::spawn`], as its parent sees it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use thiserror::Error;

/// A message of a process on its way to its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Report {
    /// What it is about.
    pub(crate) kind: u32,
    /// The operation, by its place in the program.
    pub(crate) op: u32,
    /// The kernel's error number, or a process id.
    pub(crate) value: i32,
}

impl Report {
    /// An operation failed.
    pub(crate) const FAILED: u32 = 1;
    /// The process goes on as another one.
    pub(crate) const SPLIT: u32 = 2;
    /// An operation of the second half failed. It may be heard before the first half has told of the second.
    pub(crate) const FAILED_AFTER_SPLIT: u32 = 3;

    pub(crate) fn bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.kind.to_ne_bytes());
        bytes[4..8].copy_from_slice(&self.op.to_ne_bytes());
        bytes[8..].copy_from_slice(&self.value.to_ne_bytes());
        bytes
    }

    fn read(bytes: [u8; 12]) -> Self {
        let word = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        Self {
            kind: u32::from_ne_bytes(word(0)),
            op: u32::from_ne_bytes(word(4)),
            value: i32::from_ne_bytes(word(8)),
        }
    }
}

/// A process did not become the program it was meant to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StartError {
    /// One of its operations failed.
    #[error("operation {op} of the new process failed")]
    Operation {
        /// Which, by its place in the program.
        op: usize,
        /// Why.
        #[source]
        errno: io::Errno,
    },
    /// It ended before, killed by somebody, or because nobody waited for it.
    #[error("the new process ended before it was complete")]
    Vanished,
    /// It cannot be heard.
    #[error("failed to hear of the new process")]
    Deaf(#[source] io::Errno),
}

/// A process that was started. Dropping it neither ends the process nor reaps it.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    report: OwnedFd,
    /// The first half has told of the second, which this is the handle of.
    split: bool,
    /// What the second half failed at, while nothing was heard of the first.
    failure: Option<StartError>,
}

impl Child {
    pub(crate) fn new(pid: Pid, pidfd: OwnedFd, report: OwnedFd) -> Self {
        Self { pid, pidfd, report, split: false, failure: None }
    }

    /// Its id, as seen from here.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// A handle of it that becomes readable when it ends.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// What comes from it on the way: readable when there is news.
    pub fn report(&self) -> BorrowedFd<'_> {
        self.report.as_fd()
    }

    /// Lets the process go on that waits in [`crate::Op::Await`].
    ///
    /// # Errors
    ///
    /// `PIPE` if it has ended.
    pub fn go(&self) -> io::Result<()> {
        send(&self.report, b"g", SendFlags::NOSIGNAL).map(|_| ())
    }

    /// Waits until the process has become its program; if the program splits, this becomes the handle of the second half.
    ///
    /// # Errors
    ///
    /// See [`StartError`]. The process has ended then, or is about to, and is reaped.
    pub fn started(&mut self) -> Result<(), StartError> {
        while self.listen()? {}
        Ok(())
    }

    /// Takes one thing that is heard of the process on its way, and waits for it: whether there is more to come.
    ///
    /// # Errors
    ///
    /// As [`Child::started`].
    pub fn listen(&mut self) -> Result<bool, StartError> {
        loop {
            let mut bytes = [0; 12];
            match recv(&self.report, &mut bytes, RecvFlags::empty()) {
                // Reset is told once, before what was sent: the process has ended without reading that it may go on.
                Err(io::Errno::INTR | io::Errno::CONNRESET) => {}
                Err(errno) => return Err(StartError::Deaf(errno)),
                Ok((_, 12)) => {
                    return match self.hear(Report::read(bytes)) {
                        Ok(()) => Ok(true),
                        Err(error) => {
                            let _ = self.wait();
                            Err(error)
                        }
                    };
                }
                // The descriptor closes when the process becomes another program, and also when it ends.
                Ok(_) => return self.over().map(|()| false),
            }
        }
    }

    fn hear(&mut self, report: Report) -> Result<(), StartError> {
        if report.kind == Report::SPLIT {
            let first =
                std::mem::replace(&mut self.pid, Pid::from_raw(report.value).ok_or(StartError::Vanished)?);
            let pidfd = pidfd_open(self.pid, PidfdFlags::empty()).map_err(StartError::Deaf)?;
            let first_pidfd = std::mem::replace(&mut self.pidfd, pidfd);
            // The first half ends at once; it is ours to reap.
            let _ = first;
            let _ = wait_for(first_pidfd.as_fd());
            self.split = true;
            return self.failure.take().map_or(Ok(()), Err);
        }
        let errno = io::Errno::from_raw_os_error(report.value);
        let failure = StartError::Operation { op: report.op as usize, errno };
        if report.kind == Report::FAILED_AFTER_SPLIT && !self.split {
            // Only with the handle of the second half can it be reaped, and a container does not end before all are
            // that were started in it.
            self.failure = Some(failure);
            return Ok(());
        }
        Err(failure)
    }

    /// Nothing more will be heard.
    fn over(&mut self) -> Result<(), StartError> {
        match self.failure.take() {
            Some(failure) => {
                let _ = self.wait();
                Err(failure)
            }
            None => self.alive_or_vanished(),
        }
    }

    /// A program may also end quickly; that is no failure. Whether it was begun is known from what it did not report.
    fn alive_or_vanished(&self) -> Result<(), StartError> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::PidFd(self.pidfd.as_fd()), options) {
            Ok(Some(status)) if status.exit_status() == Some(Self::ABANDONED) => Err(StartError::Vanished),
            _ => Ok(()),
        }
    }

    /// The exit code of a process whose parent vanished while it waited; no other process uses it by convention.
    pub(crate) const ABANDONED: i32 = 213;

    /// Waits until it ends and reaps it: its exit code, or 128 and the signal that ended it.
    ///
    /// # Errors
    ///
    /// `CHILD` if it was reaped already.
    pub fn wait(&self) -> io::Result<i32> {
        wait_for(self.pidfd())
    }

    /// The handle, to keep.
    pub fn into_pidfd(self) -> OwnedFd {
        self.pidfd
    }
}

/// Waits for a child of this process by its handle and reaps it.
fn wait_for(pidfd: BorrowedFd<'_>) -> io::Result<i32> {
    // `__WALL` finds children whatever signal announces their end; those of a split announce none.
    const ALL: u32 = 0x4000_0000;
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::from_bits_retain(ALL);
        match waitid(WaitId::PidFd(pidfd), options) {
            Err(io::Errno::INTR) | Ok(None) => {}
            Err(errno) => return Err(errno),
            Ok(Some(status)) => {
                let signal = status.terminating_signal().map(|signal| 128 + signal);
                return Ok(status.exit_status().or(signal).unwrap_or(255));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
    use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

    use super::{Child, Report, StartError};

    #[expect(clippy::zombie_processes, reason = "reaping it is what is tested")]
    fn process() -> Pid {
        let child = Command::new("cat").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Pid::from_child(&child)
    }

    fn is_reaped(pid: Pid) -> bool {
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG).err() == Some(Errno::CHILD)
    }

    fn hear(reports: &[Report]) -> (Pid, StartError) {
        let first = process();
        let pidfd = pidfd_open(first, PidfdFlags::empty()).unwrap();
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        for report in reports {
            send(&theirs, &report.bytes(), SendFlags::empty()).unwrap();
        }
        drop(theirs);
        (first, Child::new(first, pidfd, ours).started().unwrap_err())
    }

    #[test]
    fn both_halves_are_reaped_whichever_is_heard_first() {
        let failed = Report { kind: Report::FAILED_AFTER_SPLIT, op: 7, value: 2 };
        for failure_first in [true, false] {
            let second = process();
            let split = Report { kind: Report::SPLIT, op: 0, value: second.as_raw_nonzero().get() };
            let reports = if failure_first { [failed, split] } else { [split, failed] };
            let (first, error) = hear(&reports);
            assert_eq!(error, StartError::Operation { op: 7, errno: Errno::NOENT }, "{reports:?}");
            assert!(is_reaped(first) && is_reaped(second), "{reports:?}");
        }
    }

    #[test]
    fn a_process_that_did_not_hear_that_it_may_go_on_is_heard() {
        let pid = process();
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        let failed = Report { kind: Report::FAILED, op: 3, value: 1 };
        send(&theirs, &failed.bytes(), SendFlags::empty()).unwrap();
        let mut child = Child::new(pid, pidfd, ours);
        child.go().unwrap();
        drop(theirs);
        assert_eq!(child.started(), Err(StartError::Operation { op: 3, errno: Errno::PERM }));
        assert!(is_reaped(pid));
    }

    #[test]
    fn a_failure_is_told_although_the_first_half_was_killed() {
        let (first, error) = hear(&[Report { kind: Report::FAILED_AFTER_SPLIT, op: 1, value: 13 }]);
        assert_eq!(error, StartError::Operation { op: 1, errno: Errno::ACCESS });
        assert!(is_reaped(first));
    }
}
