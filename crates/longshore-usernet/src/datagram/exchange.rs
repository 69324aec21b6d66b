//! One exchange of datagrams: those between two ends, over one host socket.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, ipproto, recv, send,
};
use rustix::net::{sendto, socket_with};

use crate::context::{Context, Ends};
use crate::slab::Key;
use crate::wire::icmp::{Echo, Unreachable};
use crate::wire::ipv4::{ICMP, UDP};

/// How long an exchange stays without a datagram, once both sides have spoken.
const SILENCE: Duration = Duration::from_mins(2);
/// The same, before that, and for exchanges of one question and one answer.
const SHORT_SILENCE: Duration = Duration::from_secs(30);
/// How long a name server may take before the next is asked.
const NEXT_RESOLVER: Duration = Duration::from_millis(900);
/// How many datagrams are read in one turn.
const READS: usize = 32;

/// What is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Udp,
    /// Pings; the container's port number is the identifier.
    Echo,
}

/// What carries the datagrams outside.
enum Carrier {
    /// A socket of its own, connected.
    Own(OwnedFd),
    /// A published port; the peer is who sent the first.
    Published { key: Key, peer: SocketAddr },
    /// A socket connected to one of the name servers.
    Resolver { socket: OwnedFd, place: usize, asked: Option<(Instant, Vec<u8>)> },
}

/// One exchange.
pub(crate) struct Exchange {
    pub(crate) ends: Ends,
    pub(crate) kind: Kind,
    carrier: Carrier,
    used: Instant,
    answered: bool,
}

/// Why nothing could be sent.
pub(crate) enum Failure {
    /// The kernel says so about the destination.
    Refused(Errno),
    /// There is no socket to send it with.
    NoSocket,
}

impl Exchange {
    /// An exchange with an address of the host's world.
    pub(crate) fn outward(ends: Ends, kind: Kind, to: SocketAddr, now: Instant) -> Result<Self, Errno> {
        let socket = open(kind, to)?;
        Ok(Self { ends, kind, carrier: Carrier::Own(socket), used: now, answered: false })
    }

    /// An exchange with the host's name servers.
    pub(crate) fn with_resolver(ends: Ends, resolver: SocketAddr, now: Instant) -> Result<Self, Errno> {
        let carrier = Carrier::Resolver { socket: open(Kind::Udp, resolver)?, place: 0, asked: None };
        Ok(Self { ends, kind: Kind::Udp, carrier, used: now, answered: false })
    }

    /// An exchange that somebody outside began at a published port.
    pub(crate) fn inward(ends: Ends, key: Key, peer: SocketAddr, now: Instant) -> Self {
        Self { ends, kind: Kind::Udp, carrier: Carrier::Published { key, peer }, used: now, answered: false }
    }

    /// The socket that is the exchange's own.
    pub(crate) fn socket(&self) -> Option<&OwnedFd> {
        match &self.carrier {
            Carrier::Own(socket) | Carrier::Resolver { socket, .. } => Some(socket),
            Carrier::Published { .. } => None,
        }
    }

    /// Who is on the other side of which published port.
    pub(crate) fn published(&self) -> Option<(Key, SocketAddr)> {
        match self.carrier {
            Carrier::Published { key, peer } => Some((key, peer)),
            _ => None,
        }
    }

    /// When the exchange ends if nothing more is sent.
    pub(crate) fn due(&self) -> Instant {
        let question = self.is_question() || self.kind == Kind::Echo;
        self.used + if self.answered && !question { SILENCE } else { SHORT_SILENCE }
    }

    /// Whether it is with the host's name servers.
    pub(crate) fn is_question(&self) -> bool {
        matches!(self.carrier, Carrier::Resolver { .. })
    }

    /// Notes that somebody sent something.
    pub(crate) fn touch(&mut self, now: Instant) {
        self.used = now;
    }

    /// Sends a container's datagram on. `published` is the socket of the published port, if it goes through one.
    pub(crate) fn send(&mut self, payload: &[u8], published: Option<&OwnedFd>) -> Result<(), Failure> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let sent = match &self.carrier {
            Carrier::Own(socket) | Carrier::Resolver { socket, .. } => send(socket, payload, flags),
            Carrier::Published { peer, .. } => {
                let socket = published.ok_or(Failure::NoSocket)?;
                sendto(socket, payload, flags, peer)
            }
        };
        match sent {
            // A full queue loses datagrams, and a socket tells of an earlier one's fate once.
            Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS | Errno::INTR) => Ok(()),
            Err(why) => Err(Failure::Refused(why)),
        }
    }

    /// Sends a question to a name server, to the next one if the last was silent or has refused.
    pub(crate) fn ask(&mut self, question: &[u8], refused: bool, context: &Context) -> Option<SocketChange> {
        let Carrier::Resolver { socket, place, asked } = &mut self.carrier else { return None };
        let silent =
            asked.as_ref().is_some_and(|(when, _)| context.now.duration_since(*when) > NEXT_RESOLVER);
        let resolvers = &context.link.spec().resolvers;
        let mut change = None;
        if (silent || refused) && resolvers.len() > 1 {
            let next = (*place + 1) % resolvers.len();
            // After a refusal, each server is asked once.
            if refused && next == 0 {
                return None;
            }
            let fresh = resolvers.get(next).and_then(|resolver| open(Kind::Udp, *resolver).ok())?;
            *socket = fresh;
            *place = next;
            change = Some(SocketChange);
        } else if refused {
            return None;
        }
        let _ = send(&*socket, question, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        *asked = Some((context.now, question.to_vec()));
        change
    }

    /// The question that waits for an answer.
    fn question(&self) -> Option<Vec<u8>> {
        match &self.carrier {
            Carrier::Resolver { asked, .. } => asked.as_ref().map(|(_, question)| question.clone()),
            _ => None,
        }
    }

    /// Reads what came from outside and sends it to the container.
    pub(crate) fn relay(&mut self, context: &mut Context) -> Option<SocketChange> {
        for _ in 0..READS {
            let socket = self.socket()?;
            match recv(socket, context.room.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    self.used = context.now;
                    self.answered = true;
                    if let Carrier::Resolver { asked, .. } = &mut self.carrier {
                        *asked = None;
                    }
                    self.send_inward(length, context);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return None,
                Err(why) => {
                    if let Some(question) = self.question() {
                        return self.ask(&question, true, context);
                    }
                    self.refuse(why, context);
                }
            }
        }
        None
    }

    /// Sends the first bytes of the room to the container.
    fn send_inward(&self, length: usize, context: &mut Context) {
        let Some(payload) = context.room.get(..length) else { return };
        match self.kind {
            Kind::Udp => {
                let ports = (self.ends.remote.port(), self.ends.container.port());
                context.link.send_udp(self.ends.port, self.ends.inward(UDP), ports, payload);
            }
            Kind::Echo => {
                let Some(reply) = Echo::read_reply(payload) else { return };
                // The kernel put an identifier of its own in place of the container's.
                let reply = Echo { identifier: self.ends.container.port(), ..reply };
                context.link.send_echo_reply(self.ends.port, self.ends.inward(ICMP), &reply);
            }
        }
    }

    /// Tells the container why its datagram did not get through.
    pub(crate) fn refuse(&self, why: Errno, context: &mut Context) {
        let why = match why {
            Errno::CONNREFUSED => Unreachable::Port,
            Errno::NETUNREACH | Errno::NETDOWN => Unreachable::Network,
            Errno::ACCESS | Errno::PERM => Unreachable::Prohibited,
            Errno::HOSTUNREACH | Errno::HOSTDOWN | Errno::TIMEDOUT => Unreachable::Host,
            _ => return,
        };
        refuse(self.ends, self.kind, why, context);
    }
}

/// The exchange has another socket now, which is to be watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketChange;

/// Tells a container that what it sent does not get through.
pub(crate) fn refuse(ends: Ends, kind: Kind, why: Unreachable, context: &mut Context) {
    let (protocol, original) = match kind {
        Kind::Udp => (UDP, ends.quoted(UDP, [0, 8, 0, 0])),
        Kind::Echo => {
            let mut original = Vec::with_capacity(28);
            ends.outward(ICMP).write(&mut original, 8);
            let echo = Echo { identifier: ends.container.port(), sequence: 0, payload: &[] };
            echo.write_request(&mut original);
            (ICMP, original)
        }
    };
    context.link.send_unreachable(ends.port, why, &original, ends.outward(protocol));
}

fn open(kind: Kind, to: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let protocol = match kind {
        Kind::Udp => None,
        Kind::Echo => Some(ipproto::ICMP),
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::DGRAM, flags, protocol)?;
    connect(&socket, &to)?;
    Ok(socket)
}
