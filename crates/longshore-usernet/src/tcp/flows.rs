//! All TCP connections, by the ends that packets name.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::connection::{Connection, UNDER_WAY};
use super::flow::{Flow, Standing, refuse_segment};
use crate::context::{Context, Ends, GatewayPorts};
use crate::policy::{self, Destination};
use crate::poller::{News, Token};
use crate::slab::{Key, Slab};
use crate::wire::icmp::Unreachable;
use crate::wire::ipv4::{self, Packet, TCP};
use crate::wire::sequence::Sequence;
use crate::wire::tcp::{self, Flags, Header};

/// How many bytes may be under way, or held, over all connections, before each gets little.
const PLENTY: usize = 16 * 1024 * 1024;
/// What is little: enough to go on, so little that all connections together stay bounded.
const LITTLE: usize = 16 * 1024;
/// The farthest moment that is asked for.
const FARTHEST: Duration = Duration::from_mins(1);

/// All connections.
pub(crate) struct Flows {
    all: Slab<Flow>,
    keys: HashMap<Ends, Key>,
    /// Those that have something to do.
    queue: VecDeque<Key>,
    limit: usize,
    under_way: usize,
    held: usize,
    ports: GatewayPorts,
    secret: RandomState,
    count: u64,
}

impl Flows {
    /// No connections, and never more than `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            all: Slab::default(),
            keys: HashMap::new(),
            queue: VecDeque::new(),
            limit,
            under_way: 0,
            held: 0,
            ports: GatewayPorts::default(),
            secret: RandomState::new(),
            count: 0,
        }
    }

    /// Whether a flow has something to do.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes a segment of a container.
    pub(crate) fn receive(&mut self, port: Key, packet: &Packet<'_>, context: &mut Context) {
        let Some((header, payload)) = Header::read(packet.payload) else { return };
        let ends = Ends {
            port,
            container: SocketAddrV4::new(packet.route.source, header.source),
            remote: SocketAddrV4::new(packet.route.destination, header.destination),
        };
        if let Some(key) = self.keys.get(&ends).copied() {
            // When too much is held, what comes on top is lost, and comes again later.
            if self.held > PLENTY && !payload.is_empty() && self.holds_much(key) {
                return;
            }
            self.with(key, |flow| flow.receive(&header, payload, context));
            self.enqueue(key);
        } else if header.flags.has(Flags::SYN) && !header.flags.has(Flags::ACK) {
            self.begin(ends, &header, context);
        } else {
            refuse_segment(&mut context.link, ends, &header, payload.len());
        }
    }

    fn holds_much(&self, key: Key) -> bool {
        self.all.lookup(key).is_some_and(|flow| flow.connection.kept() > LITTLE)
    }

    /// Begins a connection that a container asks for.
    fn begin(&mut self, ends: Ends, syn: &Header, context: &mut Context) {
        let to = match policy::destination(context.link.spec(), ends.remote) {
            Destination::Host(address) => Some(address),
            Destination::Names => context.link.spec().resolvers.first().copied(),
            Destination::Gateway | Destination::Forbidden => None,
            Destination::Nobody => {
                let original = ends.quoted(TCP, syn.sequence.0.to_be_bytes());
                let asked = ends.outward(TCP);
                return context.link.send_unreachable(ends.port, Unreachable::Host, &original, asked);
            }
        };
        let Some(to) = to.filter(|_| self.all.len() < self.limit) else {
            return refuse_segment(&mut context.link, ends, syn, 0);
        };
        let connection = Connection::asked(syn, self.initial(&ends), own_segment(context));
        match open_host_socket(to) {
            Ok((host, refusal)) => {
                let key = self.add(Flow::new(ends, connection, host, false), context);
                if let (Some(key), Some(why)) = (key, refusal) {
                    self.with(key, |flow| flow.refuse(why, context));
                    self.enqueue(key);
                }
            }
            // No descriptors are left.
            Err(_) => refuse_segment(&mut context.link, ends, syn, 0),
        }
    }

    /// Begins a connection to a container for somebody outside.
    pub(crate) fn begin_inward(&mut self, port: Key, to: SocketAddrV4, host: OwnedFd, context: &mut Context) {
        if self.all.len() >= self.limit {
            return;
        }
        let gateway = context.link.spec().gateway;
        let Some(ends) = self.ports.ends(port, to, gateway, |ends| self.keys.contains_key(ends)) else {
            return;
        };
        let _ = sockopt::set_tcp_nodelay(&host, true);
        let connection = Connection::asking(self.initial(&ends), own_segment(context));
        let flow = Flow::new(ends, connection, host, true);
        if let Some(key) = self.add(flow, context) {
            self.with(key, |flow| flow.ask(context));
            self.enqueue(key);
        }
    }

    fn add(&mut self, flow: Flow, context: &mut Context) -> Option<Key> {
        let ends = flow.ends;
        let key = self.all.insert_with(|_| flow);
        let host = self.all.lookup(key)?.host();
        if context.poller.watch_changes(host, Token::Flow(key)).is_err() {
            let mut flow = self.all.remove(key)?;
            flow.break_off(context);
            return None;
        }
        self.keys.insert(ends, key);
        Some(key)
    }

    /// Where a connection's stream begins, such that outsiders cannot guess it (RFC 6528).
    fn initial(&mut self, ends: &Ends) -> Sequence {
        self.count += 1;
        Sequence(self.secret.hash_one((self.count, ends)) as u32)
    }

    /// Takes news of a flow's host socket.
    pub(crate) fn note(&mut self, key: Key, news: News) {
        self.with(key, |flow| flow.note(news.readable, news.writable));
        self.enqueue(key);
    }

    /// Does what is due for a flow.
    pub(crate) fn expire(&mut self, key: Key, context: &mut Context) {
        self.with(key, |flow| {
            flow.reminded = None;
            flow.expire(context);
        });
        self.enqueue(key);
    }

    fn enqueue(&mut self, key: Key) {
        if let Some(flow) = self.all.lookup_mut(key).filter(|flow| !flow.queued) {
            flow.queued = true;
            self.queue.push_back(key);
        }
    }

    /// Gives each flow that has something to do one turn.
    pub(crate) fn turn(&mut self, context: &mut Context) {
        for _ in 0..self.queue.len() {
            let Some(key) = self.queue.pop_front() else { return };
            let limit = if self.under_way > PLENTY { LITTLE } else { UNDER_WAY };
            let standing = self.with(key, |flow| {
                flow.queued = false;
                flow.turn(limit, context)
            });
            match standing {
                Some(Standing::Over) => self.remove(key),
                Some(Standing::Busy) => self.enqueue(key),
                Some(Standing::Waiting) | None => {}
            }
            self.remind(key, context);
        }
    }

    /// Sees to it that the poller reminds of a flow in time. A reminder that comes too early is asked for again.
    fn remind(&mut self, key: Key, context: &mut Context) {
        let Some(flow) = self.all.lookup_mut(key) else { return };
        let Some(due) = flow.connection.due() else { return };
        if flow.reminded.is_none_or(|reminded| reminded > due) {
            // Reminders of flows that are gone stay until their moment, so none is far away.
            let at = due.min(context.now + FARTHEST);
            flow.reminded = Some(at);
            context.poller.remind(at, Token::Flow(key));
        }
    }

    fn remove(&mut self, key: Key) {
        if let Some(flow) = self.all.remove(key) {
            self.under_way -= flow.connection.under_way();
            self.held -= flow.connection.kept();
            self.keys.remove(&flow.ends);
        }
    }

    /// Breaks off all connections of a container that is gone.
    pub(crate) fn unplug(&mut self, port: Key, context: &mut Context) {
        let gone: Vec<Key> =
            self.all.iter().filter(|(_, flow)| flow.ends.port == port).map(|(key, _)| key).collect();
        for key in gone {
            self.with(key, |flow| flow.break_off(context));
            self.remove(key);
        }
    }

    /// Does something with a flow and keeps the sums.
    fn with<T>(&mut self, key: Key, act: impl FnOnce(&mut Flow) -> T) -> Option<T> {
        let flow = self.all.lookup_mut(key)?;
        let before = (flow.connection.under_way(), flow.connection.kept());
        let answer = act(flow);
        self.under_way = self.under_way + flow.connection.under_way() - before.0;
        self.held = self.held + flow.connection.kept() - before.1;
        Some(answer)
    }
}

/// The largest payload that a container may send in one segment.
fn own_segment(context: &Context) -> u16 {
    context.link.spec().mtu.saturating_sub((ipv4::HEADER + tcp::HEADER) as u16)
}

/// A socket that is connecting to `to`, or what the kernel says against it at once.
fn open_host_socket(to: SocketAddr) -> Result<(OwnedFd, Option<Errno>), Errno> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    let _ = sockopt::set_tcp_nodelay(&socket, true);
    let _ = sockopt::set_socket_keepalive(&socket, true);
    match connect(&socket, &to) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok((socket, None)),
        Err(why) => Ok((socket, Some(why))),
    }
}
