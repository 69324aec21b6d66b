//! All exchanges of datagrams, by the ends that packets name.

use std::collections::HashMap;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::exchange::{Exchange, Failure, Kind, refuse};
use crate::context::{Context, Ends, GatewayPorts};
use crate::link::Arrival;
use crate::policy::{self, Destination};
use crate::poller::Token;
use crate::published::PublishedPorts;
use crate::slab::{Key, Slab};
use crate::spec::Names;
use crate::wire::fragment::Fragments;
use crate::wire::icmp::{Echo, Unreachable};
use crate::wire::ipv4::{ICMP, Route};
use crate::wire::udp::{self, Datagram};

/// All exchanges.
pub(crate) struct Exchanges {
    all: Slab<Exchange>,
    keys: HashMap<(Ends, Kind), Key>,
    /// Those that somebody outside began, by the published port and who it is.
    inward: HashMap<(Key, SocketAddr), Key>,
    fragments: Fragments,
    limit: usize,
    ports: GatewayPorts,
}

/// Who else takes part in an exchange.
pub(crate) struct Parties<'a> {
    pub(crate) names: &'a mut dyn Names,
    pub(crate) published: &'a PublishedPorts,
}

impl Exchanges {
    /// No exchanges, and never more than `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            all: Slab::default(),
            keys: HashMap::new(),
            inward: HashMap::new(),
            fragments: Fragments::default(),
            limit,
            ports: GatewayPorts::default(),
        }
    }

    /// Takes a packet of UDP.
    pub(crate) fn receive_udp(
        &mut self,
        port: Key,
        arrival: &Arrival<'_>,
        parties: &mut Parties<'_>,
        context: &mut Context,
    ) {
        let packet = &arrival.packet;
        let whole = if packet.is_fragment() { self.fragments.take(packet) } else { None };
        let bytes = match &whole {
            Some(whole) => whole.as_slice(),
            None if packet.is_fragment() => return,
            None => packet.payload,
        };
        // A run of datagrams may come as one; its header speaks of the whole run.
        if let Some(size) = arrival.offload.datagram {
            let Some((header, payload)) = bytes.split_first_chunk::<{ udp::HEADER }>() else { return };
            let [a, b, c, d, ..] = *header;
            let ports = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            for payload in payload.chunks(usize::from(size)) {
                let datagram = Datagram { source: ports.0, destination: ports.1, payload };
                self.take_datagram(port, packet.route, &datagram, parties, context);
            }
        } else if let Some(datagram) = Datagram::read(bytes) {
            self.take_datagram(port, packet.route, &datagram, parties, context);
        }
    }

    fn take_datagram(
        &mut self,
        port: Key,
        route: Route,
        datagram: &Datagram<'_>,
        parties: &mut Parties<'_>,
        context: &mut Context,
    ) {
        let ends = Ends {
            port,
            container: SocketAddrV4::new(route.source, datagram.source),
            remote: SocketAddrV4::new(route.destination, datagram.destination),
        };
        if let Some(key) = self.keys.get(&(ends, Kind::Udp)).copied() {
            self.send(key, datagram.payload, parties.published, context);
            return;
        }
        match policy::destination(context.link.spec(), ends.remote) {
            Destination::Host(to) => self.begin(ends, Kind::Udp, to, datagram.payload, context),
            Destination::Names => self.ask(ends, datagram.payload, parties.names, context),
            Destination::Gateway => refuse(ends, Kind::Udp, Unreachable::Port, context),
            Destination::Nobody => refuse(ends, Kind::Udp, Unreachable::Host, context),
            // Groups are not answered (RFC 1122, section 3.2.2).
            Destination::Forbidden => {}
        }
    }

    /// Takes a packet of ICMP. Only echo requests are understood.
    pub(crate) fn receive_icmp(&mut self, port: Key, arrival: &Arrival<'_>, context: &mut Context) {
        let packet = &arrival.packet;
        let whole = if packet.is_fragment() { self.fragments.take(packet) } else { None };
        let bytes = match &whole {
            Some(whole) => whole.as_slice(),
            None if packet.is_fragment() => return,
            None => packet.payload,
        };
        let Some(echo) = Echo::read_request(bytes) else { return };
        let ends = Ends {
            port,
            container: SocketAddrV4::new(packet.route.source, echo.identifier),
            remote: SocketAddrV4::new(packet.route.destination, 0),
        };
        if policy::is_gateway(context.link.spec(), *ends.remote.ip()) {
            context.link.send_echo_reply(port, ends.inward(ICMP), &echo);
            return;
        }
        let mut request = Vec::with_capacity(bytes.len());
        echo.write_request(&mut request);
        if let Some(key) = self.keys.get(&(ends, Kind::Echo)).copied() {
            self.send(key, &request, &PublishedPorts::default(), context);
            return;
        }
        match policy::destination(context.link.spec(), ends.remote) {
            Destination::Host(to) => self.begin(ends, Kind::Echo, to, &request, context),
            Destination::Forbidden => {}
            _ => refuse(ends, Kind::Echo, Unreachable::Host, context),
        }
    }

    /// Begins an exchange with the host's world.
    fn begin(&mut self, ends: Ends, kind: Kind, to: SocketAddr, payload: &[u8], context: &mut Context) {
        if self.all.len() >= self.limit {
            return;
        }
        match Exchange::outward(ends, kind, to, context.now) {
            Ok(exchange) => {
                if let Some(key) = self.add(exchange, context) {
                    self.send(key, payload, &PublishedPorts::default(), context);
                }
            }
            // Broadcast addresses of the host's networks, and pings where users may not send them.
            Err(Errno::ACCESS | Errno::PERM) => refuse(ends, kind, Unreachable::Prohibited, context),
            Err(Errno::NETUNREACH) => refuse(ends, kind, Unreachable::Network, context),
            Err(_) => refuse(ends, kind, Unreachable::Host, context),
        }
    }

    /// Answers a question for a name, or passes it on to the host's name servers.
    fn ask(&mut self, ends: Ends, question: &[u8], names: &mut dyn Names, context: &mut Context) {
        let answer = names.answer(question, *ends.container.ip());
        if let Some(answer) = answer {
            return send_answer(ends, &answer, context);
        }
        let begun = match context.link.spec().resolvers.first() {
            Some(resolver) if self.all.len() < self.limit => {
                Exchange::with_resolver(ends, *resolver, context.now).ok()
            }
            _ => None,
        };
        let key = begun.and_then(|exchange| self.add(exchange, context));
        match key.and_then(|key| self.all.lookup_mut(key)) {
            Some(exchange) => {
                exchange.ask(question, false, context);
            }
            None => {
                if let Some(failure) = server_failure(question) {
                    send_answer(ends, &failure, context);
                }
            }
        }
    }

    /// Takes a datagram that somebody outside sent to a published port.
    pub(crate) fn receive_published(
        &mut self,
        (published, peer): (Key, SocketAddr),
        (port, to): (Key, SocketAddrV4),
        payload: &[u8],
        context: &mut Context,
    ) {
        let known = self.inward.get(&(published, peer)).copied();
        let key = known.or_else(|| {
            let gateway = context.link.spec().gateway;
            let taken = |ends: &Ends| self.keys.contains_key(&(*ends, Kind::Udp));
            let ends = self.ports.ends(port, to, gateway, taken)?;
            if self.all.len() >= self.limit {
                return None;
            }
            self.add(Exchange::inward(ends, published, peer, context.now), context)
        });
        let Some(exchange) = key.and_then(|key| self.all.lookup_mut(key)) else { return };
        exchange.touch(context.now);
        let ends = exchange.ends;
        let ports = (ends.remote.port(), ends.container.port());
        context.link.send_udp(ends.port, ends.inward(crate::wire::ipv4::UDP), ports, payload);
    }

    fn add(&mut self, exchange: Exchange, context: &mut Context) -> Option<Key> {
        let (name, published, due) = ((exchange.ends, exchange.kind), exchange.published(), exchange.due());
        let key = self.all.insert_with(|_| exchange);
        if let Some(socket) = self.all.lookup(key).and_then(Exchange::socket)
            && context.poller.watch(socket, Token::Exchange(key)).is_err()
        {
            self.all.remove(key);
            return None;
        }
        if let Some(published) = published {
            self.inward.insert(published, key);
        }
        self.keys.insert(name, key);
        context.poller.remind(due, Token::Exchange(key));
        Some(key)
    }

    fn send(&mut self, key: Key, payload: &[u8], published: &PublishedPorts, context: &mut Context) {
        let Some(exchange) = self.all.lookup_mut(key) else { return };
        exchange.touch(context.now);
        if exchange.is_question() {
            if exchange.ask(payload, false, context).is_some() {
                self.watch_again(key, context);
            }
            return;
        }
        let socket: Option<&OwnedFd> = exchange.published().and_then(|(key, _)| published.socket(key));
        if let Err(Failure::Refused(why)) = exchange.send(payload, socket) {
            exchange.refuse(why, context);
        }
    }

    /// Takes news of an exchange's socket.
    pub(crate) fn relay(&mut self, key: Key, context: &mut Context) {
        let Some(exchange) = self.all.lookup_mut(key) else { return };
        if exchange.relay(context).is_some() {
            self.watch_again(key, context);
        }
    }

    fn watch_again(&mut self, key: Key, context: &mut Context) {
        if let Some(socket) = self.all.lookup(key).and_then(Exchange::socket)
            && context.poller.watch(socket, Token::Exchange(key)).is_err()
        {
            self.remove(key);
        }
    }

    /// Ends an exchange that was silent for too long.
    pub(crate) fn expire(&mut self, key: Key, context: &mut Context) {
        let Some(exchange) = self.all.lookup(key) else { return };
        let due = exchange.due();
        if due <= context.now {
            self.remove(key);
        } else {
            context.poller.remind(due, Token::Exchange(key));
        }
    }

    fn remove(&mut self, key: Key) {
        let Some(exchange) = self.all.remove(key) else { return };
        self.keys.remove(&(exchange.ends, exchange.kind));
        if let Some(published) = exchange.published() {
            self.inward.remove(&published);
        }
    }

    /// Ends all exchanges of a container that is gone.
    pub(crate) fn unplug(&mut self, port: Key) {
        let gone: Vec<Key> =
            self.all.iter().filter(|(_, exchange)| exchange.ends.port == port).map(|(key, _)| key).collect();
        for key in gone {
            self.remove(key);
        }
    }
}

fn send_answer(ends: Ends, answer: &[u8], context: &mut Context) {
    let ports = (ends.remote.port(), ends.container.port());
    context.link.send_udp(ends.port, ends.inward(crate::wire::ipv4::UDP), ports, answer);
}

/// The answer that nobody could be asked (RFC 1035, section 4.1.1), if it was a question.
fn server_failure(question: &[u8]) -> Option<Vec<u8>> {
    const RESPONSE: u8 = 0x80;
    const OPCODE_AND_RECURSION: u8 = 0x79;
    const AVAILABLE_AND_FAILED: u8 = 0x82;
    let [id, id2, flags, _, ..] = *question.first_chunk::<12>()?;
    if flags & RESPONSE != 0 {
        return None;
    }
    let flags = RESPONSE | flags & OPCODE_AND_RECURSION;
    Some(vec![id, id2, flags, AVAILABLE_AND_FAILED, 0, 0, 0, 0, 0, 0, 0, 0])
}
