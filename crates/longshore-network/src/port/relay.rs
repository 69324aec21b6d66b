//! Carrying the bytes of a connection in both directions.
//!
//! Bytes go from socket to pipe to socket inside of the kernel, by splice(2), and are never copied to this process. Each
//! direction ends for itself: what one side has finished sending is finished towards the other, which may still send.

use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};

/// What a pipe holds, and so the most that is moved at once.
const PIPE: usize = 64 * 1024;

/// One direction of a connection.
struct Direction<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    drain: OwnedFd,
    fill: OwnedFd,
    queued: usize,
    /// The sender has finished.
    ended: bool,
    /// The receiver knows.
    finished: bool,
}

impl<'a> Direction<'a> {
    fn new(from: &'a TcpStream, to: &'a TcpStream) -> Result<Self, Errno> {
        let (drain, fill) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Self { from, to, drain, fill, queued: 0, ended: false, finished: false })
    }

    /// Moves what can be moved without waiting. The pipe is filled only when it is empty, so that a refusal always
    /// means that there is nothing to read.
    fn advance(&mut self) -> Result<(), Errno> {
        loop {
            if self.queued == 0 && !self.ended {
                match moved(self.from.as_fd(), self.fill.as_fd(), PIPE)? {
                    Some(0) => self.ended = true,
                    Some(count) => self.queued = count,
                    None => return Ok(()),
                }
            }
            while self.queued > 0 {
                match moved(self.drain.as_fd(), self.to.as_fd(), self.queued)? {
                    Some(0) => return Err(Errno::PIPE),
                    Some(count) => self.queued -= count.min(self.queued),
                    None => return Ok(()),
                }
            }
            if self.ended {
                if !self.finished {
                    // A receiver that is gone already needs not be told.
                    let _ = self.to.shutdown(Shutdown::Write);
                    self.finished = true;
                }
                return Ok(());
            }
        }
    }

    /// What is waited for at the sender.
    fn at_sender(&self) -> PollFlags {
        if self.queued == 0 && !self.ended { PollFlags::IN } else { PollFlags::empty() }
    }

    /// What is waited for at the receiver.
    fn at_receiver(&self) -> PollFlags {
        if self.queued > 0 { PollFlags::OUT } else { PollFlags::empty() }
    }
}

/// How many bytes were moved; none if somebody has to be waited for.
fn moved(from: BorrowedFd<'_>, to: BorrowedFd<'_>, most: usize) -> Result<Option<usize>, Errno> {
    loop {
        match splice(from, None, to, None, most, SpliceFlags::MOVE | SpliceFlags::NONBLOCK) {
            Ok(count) => return Ok(Some(count)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(None),
            Err(errno) => return Err(errno),
        }
    }
}

/// Carries bytes between two connections until both have finished, one breaks, or `stop` becomes readable.
pub(super) fn relay(one: &TcpStream, other: &TcpStream, stop: BorrowedFd<'_>) -> Result<(), Errno> {
    for stream in [one, other] {
        stream.set_nonblocking(true).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        // The bytes were put into packets by who sent them; waiting here for more only adds delay.
        let _ = stream.set_nodelay(true);
    }
    let (mut there, mut back) = (Direction::new(one, other)?, Direction::new(other, one)?);
    loop {
        there.advance()?;
        back.advance()?;
        if there.finished && back.finished {
            return Ok(());
        }
        let mut events = [
            PollFd::new(&stop, PollFlags::IN),
            PollFd::new(one, there.at_sender() | back.at_receiver()),
            PollFd::new(other, back.at_sender() | there.at_receiver()),
        ];
        match rustix::event::poll(&mut events, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let [stopped, first, second] = events.map(|event| event.revents());
        if !stopped.is_empty() {
            return Ok(());
        }
        let broken = |state: PollFlags, from: &Direction<'_>| {
            state.contains(PollFlags::ERR) || (state.contains(PollFlags::HUP) && from.ended)
        };
        if broken(first, &there) || broken(second, &back) {
            return Err(Errno::CONNRESET);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
    use std::os::fd::AsFd;
    use std::thread;

    use rustix::event::{EventfdFlags, eventfd};

    use super::relay;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[test]
    fn each_direction_ends_for_itself() {
        let ((mut client, near), (far, mut server)) = (pair(), pair());
        let stop = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let relaying = thread::spawn(move || relay(&near, &far, stop.as_fd()));
        let serving = thread::spawn(move || {
            let mut request = Vec::new();
            server.read_to_end(&mut request).unwrap();
            // The request has ended, and the answer is still carried.
            server.write_all(&request).unwrap();
            request.len()
        });
        let bytes: Vec<u8> = (0..8_000_000_u32).map(|at| (at % 251) as u8).collect();
        let sending = {
            let (mut client, bytes) = (client.try_clone().unwrap(), bytes.clone());
            thread::spawn(move || {
                client.write_all(&bytes).unwrap();
                client.shutdown(Shutdown::Write).unwrap();
            })
        };
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert!(answer == bytes);
        assert_eq!(serving.join().unwrap(), bytes.len());
        sending.join().unwrap();
        relaying.join().unwrap().unwrap();
    }

    #[test]
    fn a_broken_connection_breaks_the_other() {
        let ((mut client, near), (far, server)) = (pair(), pair());
        let stop = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let relaying = thread::spawn(move || {
            let result = relay(&near, &far, stop.as_fd());
            drop((near, far));
            result
        });
        client.write_all(b"unread").unwrap();
        server.peek(&mut [0; 6]).unwrap();
        // Bytes that nobody read make the kernel reset the connection.
        drop(server);
        assert!(relaying.join().unwrap().is_err());
        assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
    }

    #[test]
    fn stopping_ends_a_connection_where_nobody_speaks() {
        let ((_client, near), (far, _server)) = (pair(), pair());
        let stop = eventfd(1, EventfdFlags::CLOEXEC).unwrap();
        relay(&near, &far, stop.as_fd()).unwrap();
    }
}
