//! A netlink socket: requests, acknowledgements, dumps.
//!
//! The kernel answers netlink requests before `send` returns, so nothing here ever waits: an answer that is not there
//! is an error, and no fault can make a command hang.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::message::{DUMP, Message};

/// `NLMSG_ERROR`, which is also the acknowledgement.
const ERROR: u16 = 2;
/// `NLMSG_DONE`.
const DONE: u16 = 3;
/// The size of the header of a message.
const HEADER: usize = 16;
/// More than the largest piece of a dump.
const BUFFER: usize = 64 * 1024;

/// A socket of one netlink protocol, in the network namespace of the thread that opened it.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

/// What an answer to a request means for who reads it.
enum Step {
    Continue,
    Finished,
}

impl Socket {
    /// Opens a socket. Links and routes are the protocol without a number.
    pub(crate) fn open(protocol: Option<Protocol>) -> Result<Self, Errno> {
        let fd = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            protocol,
        )?;
        rustix::net::bind(&fd, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self { fd, sequence: 0, buffer: vec![0; BUFFER] })
    }

    /// Sends messages together and waits for the acknowledgement of each. The first refusal is the result.
    pub(crate) fn send(&mut self, messages: impl IntoIterator<Item = Message>) -> Result<(), Errno> {
        let first = self.sequence + 1;
        let mut bytes = Vec::with_capacity(1024);
        for message in messages {
            self.sequence += 1;
            bytes.extend_from_slice(&message.finish(self.sequence));
        }
        let last = self.sequence;
        self.transmit(&bytes)?;
        let mut refusal = None;
        self.receive(|kind, sequence, payload| {
            if kind == ERROR && (first..=last).contains(&sequence) {
                if let Some(errno) = refused(payload) {
                    refusal.get_or_insert(errno);
                }
                if sequence == last {
                    return Step::Finished;
                }
            }
            Step::Continue
        })?;
        refusal.map_or(Ok(()), Err)
    }

    /// Sends one request and gives the answer's payload.
    pub(crate) fn ask(&mut self, message: Message) -> Result<Vec<u8>, Errno> {
        self.sequence += 1;
        let expected = self.sequence;
        self.transmit(&message.finish(expected))?;
        let mut answer = Err(Errno::PROTO);
        self.receive(|kind, sequence, payload| {
            if sequence != expected {
                return Step::Continue;
            }
            answer = if kind == ERROR {
                Err(refused(payload).unwrap_or(Errno::PROTO))
            } else {
                Ok(payload.to_vec())
            };
            Step::Finished
        })?;
        answer
    }

    /// Asks for everything of a kind and shows each message's payload.
    pub(crate) fn dump(
        &mut self,
        kind: u16,
        fixed: &[u8],
        mut visit: impl FnMut(&[u8]),
    ) -> Result<(), Errno> {
        self.dump_message(Message::new(kind, DUMP).fixed(fixed), &mut visit)
    }

    /// The same with a request that has attributes.
    pub(crate) fn dump_message(
        &mut self,
        message: Message,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Errno> {
        self.sequence += 1;
        let expected = self.sequence;
        self.transmit(&message.finish(expected))?;
        let mut refusal = None;
        self.receive(|kind, sequence, payload| {
            if sequence != expected {
                return Step::Continue;
            }
            match kind {
                DONE => return Step::Finished,
                ERROR => {
                    refusal = refused(payload);
                    return Step::Finished;
                }
                _ => visit(payload),
            }
            Step::Continue
        })?;
        refusal.map_or(Ok(()), Err)
    }

    /// Sends a batch of `nf_tables`: what `begin` and `end` enclose happens as a whole or not at all.
    pub(crate) fn send_batch(
        &mut self,
        begin: Message,
        changes: Vec<Message>,
        end: Message,
    ) -> Result<(), Errno> {
        let mut bytes = Vec::with_capacity(4096);
        self.sequence += 1;
        bytes.extend_from_slice(&begin.finish(self.sequence));
        for change in changes {
            self.sequence += 1;
            bytes.extend_from_slice(&change.finish(self.sequence));
        }
        let last = self.sequence;
        self.sequence += 1;
        bytes.extend_from_slice(&end.finish(self.sequence));
        self.transmit(&bytes)?;
        let mut refusal = None;
        self.receive(|kind, sequence, payload| {
            if kind == ERROR {
                if let Some(errno) = refused(payload) {
                    refusal.get_or_insert(errno);
                    return Step::Finished;
                }
                if sequence == last {
                    return Step::Finished;
                }
            }
            Step::Continue
        })?;
        self.drain();
        refusal.map_or(Ok(()), Err)
    }

    fn transmit(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        if bytes.len() > 128 * 1024 {
            // The default buffer of a socket is smaller; a failure shows in `send`.
            let _ = rustix::net::sockopt::set_socket_send_buffer_size_force(&self.fd, bytes.len() * 2);
        }
        rustix::io::retry_on_intr(|| rustix::net::send(&self.fd, bytes, SendFlags::empty())).map(drop)
    }

    fn receive(&mut self, mut step: impl FnMut(u16, u32, &[u8]) -> Step) -> Result<(), Errno> {
        loop {
            let (length, _) = rustix::io::retry_on_intr(|| {
                rustix::net::recv(&self.fd, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT)
            })?;
            let mut rest = self.buffer.get(..length).unwrap_or_default();
            while let Some((kind, sequence, payload, after)) = split(rest) {
                if let Step::Finished = step(kind, sequence, payload) {
                    return Ok(());
                }
                rest = after;
            }
        }
    }

    /// Throws away answers that nobody waits for.
    fn drain(&mut self) {
        while rustix::net::recv(&self.fd, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT).is_ok() {}
    }
}

/// The first message: type, sequence number, payload, and what comes after it.
fn split(bytes: &[u8]) -> Option<(u16, u32, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let sequence = u32::from_ne_bytes(bytes.get(8..12)?.try_into().ok()?);
    let payload = bytes.get(HEADER..length)?;
    let after = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, sequence, payload, after))
}

/// The error in an `NLMSG_ERROR`; none if it is an acknowledgement.
fn refused(payload: &[u8]) -> Option<Errno> {
    let code = i32::from_ne_bytes(payload.get(..4)?.try_into().ok()?);
    (code != 0).then(|| Errno::from_raw_os_error(code.saturating_neg()))
}
