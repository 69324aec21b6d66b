//! User namespaces of containers that root starts.
//!
//! Root inside of a container is nobody outside: each container's ids begin at a number of its own, far above those of
//! people, and all of its mounts are shown by that mapping, so files on the disk keep the ids that the image gives them.
//! Where a number comes from is decided by the container's id, so it needs no book-keeping; two containers may share
//! one, which costs what they would have had without: being told apart by their other namespaces only.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use longshore_engine::{ContainerId, EngineError, Fault};
use longshore_sys::{Child, Namespaces, Op, Program, spawn};

/// A mapping of user and group ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserMap {
    /// Who 0 is on the machine.
    pub(crate) base: u32,
}

impl UserMap {
    /// How many ids are mapped: more than any image uses.
    pub(crate) const SIZE: u32 = 1 << 24;
    /// The ids of people, services and subordinate ranges are below.
    const FIRST: u32 = 1 << 28;
    /// How many ranges there are from the first on, below the ids that programs take for -1.
    const RANGES: u32 = (1 << 7) - 1;

    /// The mapping of a container.
    pub(crate) fn of(id: &ContainerId) -> Self {
        let number = u32::from_str_radix(&id.as_str()[..8], 16).unwrap_or_default();
        Self { base: Self::FIRST + (number % Self::RANGES) * Self::SIZE }
    }

    /// The line of `/proc/PID/uid_map`, see `user_namespaces(7)`.
    pub(crate) fn line(self) -> String {
        format!("0 {} {}", self.base, Self::SIZE)
    }

    /// Gives a process that was started in a new user namespace its ids.
    pub(crate) fn apply(self, child: &Child) -> Result<(), EngineError> {
        let pid = child.pid().as_raw_nonzero();
        for file in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{pid}/{file}"), self.line()).map_err(|error| {
                EngineError::new(Fault::Unsupported, "failed to map user ids of the container")
                    .because(error)
                    .help("`--userns host` does without user ids of its own")
            })?;
        }
        Ok(())
    }

    /// A user namespace with this mapping, for mounts to be shown by. Nobody is in it, apart from a process that was
    /// killed and whose end nobody has to wait for now.
    pub(crate) fn namespace(self) -> Result<Mapping, EngineError> {
        let failed = |error: std::io::Error| {
            EngineError::new(Fault::Unsupported, "failed to make a user namespace").because(error)
        };
        let mut program = Program::new();
        program.push(Op::Await);
        let child = spawn(&program, Namespaces::USER, None).map_err(|errno| failed(errno.into()))?;
        let mapped = self.apply(&child);
        let namespace = fs::File::open(format!("/proc/{}/ns/user", child.pid().as_raw_nonzero()));
        let _ = rustix::process::pidfd_send_signal(child.pidfd().as_fd(), rustix::process::Signal::KILL);
        mapped?;
        Ok(Mapping { namespace: namespace.map(OwnedFd::from).map_err(failed)?, maker: child })
    }
}

/// A user namespace for mounts to be shown by.
pub(crate) struct Mapping {
    namespace: OwnedFd,
    maker: Child,
}

impl Mapping {
    /// The namespace.
    pub(crate) fn namespace(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // It was killed long ago, so this reaps it and does not wait.
        let _ = self.maker.wait();
    }
}

#[cfg(test)]
mod tests {
    use longshore_engine::ContainerId;
    use proptest::prelude::*;

    use super::UserMap;

    proptest! {
        #[test]
        fn ids_are_those_of_nobody(random in any::<[u8; 32]>()) {
            let map = UserMap::of(&ContainerId::of(random));
            prop_assert!(map.base >= UserMap::FIRST);
            prop_assert!(u64::from(map.base) + u64::from(UserMap::SIZE) <= 0x9000_0000);
        }
    }
}
