//! The loop that everything happens in: one thread, asleep while nothing happens.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::context::Context;
use crate::datagram::{Exchanges, Parties};
use crate::door::{Door, Request, Visit};
use crate::link::{LARGEST_FRAME, Link, Port};
use crate::poller::{News, Poller, Token};
use crate::published::PublishedPorts;
use crate::slab::Key;
use crate::spec::{Names, UserNetworkSpec};
use crate::tcp::Flows;
use crate::wire::ipv4::{ICMP, TCP, UDP};

/// How many frames of one port are taken before others have their turn.
const FRAMES: usize = 64;
/// The most connections, and the most exchanges of datagrams.
const FLOWS: u64 = 4096;
/// Descriptors that are left to the rest of the process.
const SPARE: u64 = 64;

/// Why a network could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The set of descriptors to wait for could not be made, or waiting failed.
    #[error("failed to {attempt} for a user-space network")]
    Wait {
        /// What was attempted.
        attempt: &'static str,
        /// The kernel's answer.
        source: Errno,
    },
}

/// A network of containers whose gateway is this process.
///
/// Traffic between its containers is switched; traffic to anywhere else leaves through ordinary sockets of the namespace
/// that [`Self::run`] is called in.
pub struct UserNetwork {
    context: Context,
    flows: Flows,
    exchanges: Exchanges,
    published: PublishedPorts,
    names: Box<dyn Names>,
    door: Door,
    frame: Vec<u8>,
}

impl UserNetwork {
    /// A network without containers.
    ///
    /// The number of connections is bounded by the limit of open descriptors that the process has now; a monitor should
    /// raise its own to the hard limit first.
    ///
    /// # Errors
    ///
    /// If no more descriptors can be opened.
    pub fn new(spec: UserNetworkSpec, names: Box<dyn Names>) -> Result<Self, RunError> {
        let poller = Poller::new().map_err(|source| RunError::Wait { attempt: "prepare to wait", source })?;
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let limit = (descriptors.saturating_sub(SPARE) / 2).clamp(1, FLOWS) as usize;
        let context = Context { link: Link::new(spec), poller, now: Instant::now(), room: vec![0; 65536] };
        Ok(Self {
            context,
            flows: Flows::new(limit),
            exchanges: Exchanges::new(limit),
            published: PublishedPorts::default(),
            names,
            door: Door::default(),
            frame: vec![0; LARGEST_FRAME],
        })
    }

    /// Plugs a container in. One that has the same address is unplugged.
    ///
    /// # Errors
    ///
    /// If the kernel refuses to wait for the port.
    pub fn plug(&mut self, port: Port) -> Result<(), RunError> {
        self.unplug(port.address());
        let key = self.context.link.plug(port);
        let Some(socket) = self.context.link.socket(key) else { return Ok(()) };
        let watched = self.context.poller.watch(socket, Token::Port(key));
        watched.map_err(|source| RunError::Wait { attempt: "wait for a container", source })
    }

    /// Unplugs the container with this address, if it is plugged in: its connections are reset, and the ports that lead to
    /// it are closed.
    pub fn unplug(&mut self, address: Ipv4Addr) {
        self.published.withdraw(address, &self.context);
        let Some(key) = self.context.link.owner(address) else { return };
        self.flows.unplug(key, &mut self.context);
        self.exchanges.unplug(key);
        if let Some(socket) = self.context.link.socket(key) {
            self.context.poller.forget(socket);
        }
        self.context.link.unplug(key);
    }

    /// Leads a port of the host to a container: connections of a listening TCP socket, or datagrams of a bound UDP socket.
    ///
    /// # Errors
    ///
    /// If it is no such socket, or the kernel refuses to wait for it.
    pub fn publish(&mut self, socket: OwnedFd, to: SocketAddrV4) -> Result<(), RunError> {
        let added = self.published.add(socket, to, &self.context);
        added.map(drop).map_err(|source| RunError::Wait { attempt: "wait for a published port", source })
    }

    /// Runs the network until `stop` becomes readable.
    ///
    /// # Errors
    ///
    /// If the kernel refuses to wait.
    pub fn run(mut self, stop: impl AsFd) -> Result<(), RunError> {
        self.run_borrowed(stop)
    }

    /// Lets other monitors hand over their containers at a listening socket.
    pub(crate) fn open_door(&mut self, listener: OwnedFd) -> Result<(), RunError> {
        let opened = self.door.open(listener, &self.context.poller);
        opened.map_err(|source| RunError::Wait { attempt: "wait for other monitors", source })
    }

    pub(crate) fn run_borrowed(&mut self, stop: impl AsFd) -> Result<(), RunError> {
        let wait = |source| RunError::Wait { attempt: "wait", source };
        self.context.poller.watch(&stop, Token::Stop).map_err(wait)?;
        let mut news = Vec::new();
        loop {
            self.context.poller.wait(self.flows.has_work(), &mut news).map_err(wait)?;
            self.context.now = Instant::now();
            for one in news.drain(..) {
                if one.token == Token::Stop {
                    return Ok(());
                }
                self.take(one);
            }
            self.keep_time();
            self.flows.turn(&mut self.context);
        }
    }

    fn take(&mut self, news: News) {
        match news.token {
            Token::Port(key) => self.take_frames(key),
            Token::Flow(key) => self.flows.note(key, news),
            Token::Exchange(key) => self.exchanges.relay(key, &mut self.context),
            Token::Published(key) => {
                self.published.serve(key, &mut self.flows, &mut self.exchanges, &mut self.context);
            }
            Token::Door => self.door.admit(&self.context.poller),
            Token::Member(key) => self.receive_member(key),
            Token::Stop => {}
        }
    }

    /// Does what another monitor asks for.
    fn receive_member(&mut self, key: Key) {
        match self.door.visit(key) {
            Visit::Asks(Request::Plug(address), socket) => {
                self.door.displace(address);
                let done = self.plug(Port::new(socket, address)).is_ok();
                self.door.answer(key, Some(address), done);
            }
            Visit::Asks(Request::Lead(to), socket) => {
                // Members speak for their own containers.
                let own = self.door.address(key) == Some(*to.ip());
                let done = own && self.publish(socket, to).is_ok();
                self.door.answer(key, None, done);
            }
            Visit::Left(Some(address)) => self.unplug(address),
            Visit::Left(None) | Visit::Nothing => {}
        }
    }

    fn take_frames(&mut self, key: Key) {
        let mut room = std::mem::take(&mut self.frame);
        for _ in 0..FRAMES {
            let Some(bytes) = self.context.link.read(key, &mut room) else { break };
            let Some(arrival) = self.context.link.switch(key, bytes) else { continue };
            match arrival.packet.route.protocol {
                TCP if !arrival.packet.is_fragment() => {
                    self.flows.receive(key, &arrival.packet, &mut self.context);
                }
                UDP => {
                    let mut parties = Parties { names: &mut *self.names, published: &self.published };
                    self.exchanges.receive_udp(key, &arrival, &mut parties, &mut self.context);
                }
                ICMP => self.exchanges.receive_icmp(key, &arrival, &mut self.context),
                _ => {}
            }
        }
        self.frame = room;
    }

    fn keep_time(&mut self) {
        while let Some(token) = self.context.poller.next_moment(self.context.now) {
            match token {
                Token::Flow(key) => self.flows.expire(key, &mut self.context),
                Token::Exchange(key) => self.exchanges.expire(key, &mut self.context),
                _ => {}
            }
        }
    }
}
