//! Doing something inside of another network namespace.
//!
//! A namespace is a property of a thread, and there is no way back without the right to the old one: so each visit is
//! made by a thread of its own that ends there. Sockets belong to the namespace that they were opened in, and can be
//! carried out.

use std::fs::File;
use std::os::fd::BorrowedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
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

/// The turn to choose among what a network namespace has once, such as subnets. Dropping it ends it.
pub(crate) struct Turn {
    _namespace: File,
}

/// How long somebody may take for a turn, before others stop to wait for its end.
const LONGEST_TURN: Duration = Duration::from_secs(2);

/// Waits for the turn in the thread's network namespace: homes have locks of their own, but share its addresses. The lock
/// is on the namespace itself, which every process in it sees, whatever its mounts are. Any of them can keep it, also one
/// of somebody else; so nobody waits long, and who waits in vain goes on without.
pub(crate) fn take_turn() -> Option<Turn> {
    let namespace = File::open("/proc/thread-self/ns/net").ok()?;
    let end = Instant::now() + LONGEST_TURN;
    loop {
        match flock(&namespace, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(Turn { _namespace: namespace }),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(_) => return None,
        }
    }
}
