//! Doing something inside of another network namespace.
//!
//! A namespace is a property of a thread, and there is no way back without the right to the old one: so each visit is
//! made by a thread of its own that ends there. Sockets belong to the namespace that they were opened in, and can be
//! carried out.

use std::os::fd::BorrowedFd;
use std::thread;

use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::netlink::{Attempt, KernelError};

/// A visit needs little stack.
const STACK: usize = 128 * 1024;

/// Runs `visit` in the network namespace.
pub(crate) fn within<T: Send, E: Send + From<KernelError>>(
    namespace: BorrowedFd<'_>,
    visit: impl FnOnce() -> Result<T, E> + Send,
) -> Result<T, E> {
    thread::scope(|scope| {
        let visitor = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
            enter(namespace)?;
            visit()
        });
        match visitor {
            Ok(visitor) => visitor.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(error) => {
                Err(KernelError::new("start a thread", Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))
                    .into())
            }
        }
    })
}

/// Moves the thread into the network namespace, for good.
pub(crate) fn enter(namespace: BorrowedFd<'_>) -> Result<(), KernelError> {
    move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))
        .attempt(|| "enter the network namespace of the container")
}
