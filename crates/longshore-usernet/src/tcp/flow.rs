//! One TCP connection: its end towards the container, and the host socket that it is joined to.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::{self, Errno};
use rustix::net::{SendFlags, Shutdown, send, shutdown, sockopt};

use super::connection::{Connection, Expired, UNDER_WAY};
use crate::context::{Context, Ends};
use crate::link::Link;
use crate::wire::icmp::Unreachable;
use crate::wire::ipv4::TCP;
use crate::wire::sequence::Sequence;
use crate::wire::tcp::{BLOCKS, Flags, Handshake, Header};

/// How many times a flow may read from its host socket before others have their turn.
const READS: usize = 4;

/// How a flow stands after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It waits for something.
    Waiting,
    /// It has more to do.
    Busy,
    /// It has ended.
    Over,
}

/// How far the host's side has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// It is being connected.
    Connecting,
    /// It is connected.
    Connected,
    /// It was told that the container has no more to say.
    Shut,
    /// The flow is broken off.
    Over,
}

/// One connection and its two ends.
pub(crate) struct Flow {
    pub(crate) ends: Ends,
    pub(crate) connection: Connection,
    host: OwnedFd,
    progress: Progress,
    readable: bool,
    writable: bool,
    /// Whether the flow waits for its turn already.
    pub(crate) queued: bool,
    /// The earliest moment that the poller was asked to remind of.
    pub(crate) reminded: Option<Instant>,
}

impl Flow {
    /// A flow over a host socket that may still be connecting.
    pub(crate) fn new(ends: Ends, connection: Connection, host: OwnedFd, connected: bool) -> Self {
        Self {
            ends,
            connection,
            host,
            progress: if connected { Progress::Connected } else { Progress::Connecting },
            readable: connected,
            writable: connected,
            queued: false,
            reminded: None,
        }
    }

    pub(crate) fn host(&self) -> &OwnedFd {
        &self.host
    }

    /// Takes a segment of the container.
    pub(crate) fn receive(&mut self, header: &Header, payload: &[u8], context: &mut Context) {
        let now = context.now;
        let received = {
            let mut transmit = transmitter(&mut context.link, self.ends, self.connection.segment());
            self.connection.receive(header, payload, now, &mut transmit)
        };
        if received.reset {
            self.break_off_host();
            return;
        }
        self.deliver(received.payload, context);
    }

    /// Writes what the container sent to the host.
    fn deliver(&mut self, mut payload: &[u8], context: &mut Context) {
        while !payload.is_empty() {
            if !self.writable || self.connection.held_length() > 0 {
                self.connection.hold(payload);
                return;
            }
            match send(&self.host, payload, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) => payload = payload.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.writable = false,
                Err(_) => {
                    self.break_off(context);
                    return;
                }
            }
        }
    }

    /// Asks the container for the connection that the host's side has already.
    pub(crate) fn ask(&mut self, context: &mut Context) {
        let now = context.now;
        let mut transmit = transmitter(&mut context.link, self.ends, self.connection.segment());
        self.connection.open(now, &mut transmit);
    }

    /// Notes that the host socket has news.
    pub(crate) fn note(&mut self, readable: bool, writable: bool) {
        self.readable |= readable;
        self.writable |= writable;
    }

    /// Does what can be done now.
    pub(crate) fn turn(&mut self, limit: usize, context: &mut Context) -> Standing {
        if self.progress == Progress::Connecting && self.writable {
            self.answer(context);
        }
        if matches!(self.progress, Progress::Connected | Progress::Shut) {
            self.drain(context);
        }
        let mut more = false;
        if self.progress != Progress::Over && self.connection.is_open() {
            more = self.fill(limit, context);
        }
        if self.progress == Progress::Over || self.connection.is_over() {
            return Standing::Over;
        }
        let mut transmit = transmitter(&mut context.link, self.ends, self.connection.segment());
        self.connection.settle(&mut transmit);
        if more { Standing::Busy } else { Standing::Waiting }
    }

    /// Tells the container whether the host's side could be connected.
    fn answer(&mut self, context: &mut Context) {
        match sockopt::socket_error(&self.host) {
            Ok(Ok(())) => {
                self.progress = Progress::Connected;
                let now = context.now;
                let mut transmit = transmitter(&mut context.link, self.ends, self.connection.segment());
                self.connection.open(now, &mut transmit);
            }
            Ok(Err(why)) | Err(why) => self.refuse(why, context),
        }
    }

    /// Answers the container's SYN with what the host said.
    pub(crate) fn refuse(&mut self, why: Errno, context: &mut Context) {
        let unreachable = match why {
            Errno::HOSTUNREACH | Errno::TIMEDOUT | Errno::HOSTDOWN => Unreachable::Host,
            Errno::NETUNREACH | Errno::NETDOWN => Unreachable::Network,
            Errno::ACCESS | Errno::PERM => Unreachable::Prohibited,
            _ => {
                self.break_off(context);
                return;
            }
        };
        let original = self.ends.quoted(TCP, self.connection.asked_at().0.to_be_bytes());
        let asked = self.ends.outward(TCP);
        context.link.send_unreachable(self.ends.port, unreachable, &original, asked);
        self.progress = Progress::Over;
    }

    /// Writes what is held to the host, and ends that direction if the container has.
    fn drain(&mut self, context: &mut Context) {
        while self.writable && self.connection.held_length() > 0 {
            match send(&self.host, self.connection.held(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) => self.connection.release(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.writable = false,
                Err(_) => return self.break_off(context),
            }
        }
        if self.connection.is_drained() && self.progress == Progress::Connected {
            self.progress = Progress::Shut;
            // A host that has gone in the meantime says so when it is read.
            let _ = shutdown(&self.host, Shutdown::Write);
        }
    }

    /// Reads from the host and sends to the container; says whether there is more.
    fn fill(&mut self, limit: usize, context: &mut Context) -> bool {
        for _ in 0..READS {
            let room = self.connection.sendable(limit.min(UNDER_WAY));
            if !self.readable {
                return false;
            }
            if room == 0 {
                self.connection.await_window(context.now);
                return false;
            }
            let room = room.min(context.room.len());
            let Some(into) = context.room.get_mut(..room) else { return false };
            match io::read(&self.host, into) {
                Ok(0) => {
                    let mut transmit = transmitter(&mut context.link, self.ends, self.connection.segment());
                    self.connection.finish(context.now, &mut transmit);
                    return false;
                }
                Ok(count) => {
                    let mut transmit = transmitter(&mut context.link, self.ends, self.connection.segment());
                    let bytes = context.room.get(..count).unwrap_or_default();
                    self.connection.send(bytes, context.now, &mut transmit);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.readable = false,
                Err(_) => {
                    self.break_off(context);
                    return false;
                }
            }
        }
        self.readable
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, context: &mut Context) {
        let now = context.now;
        let mut transmit = transmitter(&mut context.link, self.ends, self.connection.segment());
        if self.connection.expire(now, &mut transmit) == Expired::GaveUp {
            self.connection.reset(&mut transmit);
            self.break_off_host();
        }
    }

    /// Resets the connection on both sides.
    pub(crate) fn break_off(&mut self, context: &mut Context) {
        let mut transmit = transmitter(&mut context.link, self.ends, self.connection.segment());
        self.connection.reset(&mut transmit);
        self.break_off_host();
    }

    /// Resets the host's side, as the container did.
    fn break_off_host(&mut self) {
        let _ = sockopt::set_socket_linger(&self.host, Some(Duration::ZERO));
        self.progress = Progress::Over;
    }
}

/// What sends segments of a flow to its container.
fn transmitter(link: &mut Link, ends: Ends, segment: u16) -> impl FnMut(&Header, [&[u8]; 2]) {
    move |header, payload| {
        let header = Header { source: ends.remote.port(), destination: ends.container.port(), ..*header };
        link.send_tcp(ends.port, ends.inward(TCP), &header, segment, payload);
    }
}

/// Answers a segment that belongs to no connection (RFC 9293, section 3.10.7.1).
pub(crate) fn refuse_segment(link: &mut Link, ends: Ends, header: &Header, length: usize) {
    if header.flags.has(Flags::RST) {
        return;
    }
    let mut refusal = Header {
        source: ends.remote.port(),
        destination: ends.container.port(),
        sequence: Sequence(0),
        acknowledged: Sequence(0),
        flags: Flags::RST,
        window: 0,
        handshake: Handshake::default(),
        report: [None; BLOCKS],
    };
    if header.flags.has(Flags::ACK) {
        refusal.sequence = header.acknowledged;
    } else {
        let mut length = length;
        length += usize::from(header.flags.has(Flags::SYN)) + usize::from(header.flags.has(Flags::FIN));
        refusal.flags = Flags::RST.and(Flags::ACK);
        refusal.acknowledged = header.sequence.plus(length);
    }
    link.send_tcp(ends.port, ends.inward(TCP), &refusal, u16::MAX, [&[], &[]]);
}
