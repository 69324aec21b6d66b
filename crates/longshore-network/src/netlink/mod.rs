//! Netlink: how the kernel is asked for links, addresses, routes and rules, without an external program.

pub(crate) mod attribute;
pub(crate) mod message;
pub(crate) mod socket;

use std::borrow::Cow;

use rustix::io::Errno;

use crate::Blame;

/// The kernel refused something.
#[derive(Debug, thiserror::Error)]
#[error("failed to {attempt}")]
pub struct KernelError {
    attempt: Cow<'static, str>,
    #[source]
    errno: Errno,
}

impl KernelError {
    pub(crate) fn new(attempt: impl Into<Cow<'static, str>>, errno: Errno) -> Self {
        Self { attempt: attempt.into(), errno }
    }

    /// The error's number.
    pub fn errno(&self) -> i32 {
        self.errno.raw_os_error()
    }

    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self.errno {
            Errno::PERM | Errno::ACCESS => Blame::Permission,
            Errno::OPNOTSUPP | Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT | Errno::NOSYS => Blame::Kernel,
            _ => Blame::Environment,
        }
    }
}

/// Says what was attempted when the kernel refuses it.
pub(crate) trait Attempt<T> {
    /// Adds the attempt to a refusal.
    fn attempt<W: Into<Cow<'static, str>>>(self, what: impl FnOnce() -> W) -> Result<T, KernelError>;
}

impl<T> Attempt<T> for Result<T, Errno> {
    fn attempt<W: Into<Cow<'static, str>>>(self, what: impl FnOnce() -> W) -> Result<T, KernelError> {
        self.map_err(|errno| KernelError::new(what(), errno))
    }
}
