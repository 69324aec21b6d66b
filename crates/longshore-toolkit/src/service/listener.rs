//! Taking connections: a bounded number of them, each on a thread, all of which end when they are told to.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// How many connections are served at once. Further ones wait in the system's queue.
pub(super) const MOST_CONNECTIONS: usize = 64;

/// The bell that wakes the thread which takes connections, and what it finds then.
#[derive(Debug)]
pub(super) struct Bell {
    event: OwnedFd,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    stopped: bool,
    next: u64,
    streams: HashMap<u64, TcpStream>,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, open: Mutex::default() })
    }

    /// Ends all connections and takes no more.
    pub(super) fn stop(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.stopped = true;
        for stream in open.streams.values() {
            // One that is closed already needs nothing.
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(open);
        self.ring();
    }

    /// How many connections there are.
    pub(super) fn connections(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).streams.len()
    }

    fn ring(&self) {
        // It fails only if it has been rung without end.
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }

    /// Notes a connection; `None` if no more are taken.
    fn enter(&self, stream: &TcpStream) -> Option<u64> {
        let clone = stream.try_clone().ok()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.stopped {
            return None;
        }
        open.next += 1;
        let number = open.next;
        open.streams.insert(number, clone);
        Some(number)
    }

    fn leave(&self, number: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).streams.remove(&number);
        self.ring();
    }

    fn is_stopped(&self) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).stopped
    }
}

/// Leaves also if serving panics.
struct Visit<'b> {
    bell: &'b Bell,
    number: u64,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.bell.leave(self.number);
    }
}

/// Serves connections until the bell says stop; returns when all threads have ended.
pub(super) fn run(listener: &TcpListener, bell: &Bell, serve: impl Fn(TcpStream) + Sync) {
    let serve = &serve;
    std::thread::scope(|scope| {
        while !bell.is_stopped() {
            if !wait(listener, bell) {
                continue;
            }
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => {
                    if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
                        // There are no descriptors left, say; asking again at once would not make any.
                        pause(bell);
                    }
                    continue;
                }
            };
            let Some(number) = bell.enter(&stream) else { break };
            let visit = Visit { bell, number };
            // Without a thread for it the connection is closed, and the client tries again.
            let _ = std::thread::Builder::new().name("toolkit".to_owned()).spawn_scoped(scope, move || {
                let _visit = visit;
                serve(stream);
            });
        }
    });
}

/// Waits for a connection or the bell; says whether a connection may be taken.
fn wait(listener: &TcpListener, bell: &Bell) -> bool {
    let full = bell.connections() >= MOST_CONNECTIONS;
    let interest = if full { PollFlags::empty() } else { PollFlags::IN };
    let mut polled = [PollFd::new(&bell.event, PollFlags::IN), PollFd::new(listener, interest)];
    // An interrupted wait is tried again by the caller.
    let _ = poll(&mut polled, None);
    let [rung, ready] = polled;
    if !rung.revents().is_empty() {
        let mut count = [0; 8];
        let _ = rustix::io::read(&bell.event, &mut count);
    }
    !full && !ready.revents().is_empty()
}

/// Waits for the bell, or a moment.
fn pause(bell: &Bell) {
    let moment = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    let _ = poll(&mut [PollFd::new(&bell.event, PollFlags::IN)], Some(&moment));
}
