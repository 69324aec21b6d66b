//! Ports of the host that lead to containers.
//!
//! The host's side is an ordinary listening socket that somebody opened beforehand; the container sees the gateway as the
//! other end, as it does behind Docker's proxy.

use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketFlags, SocketType, accept_with, recvfrom, sockopt};

use crate::context::Context;
use crate::datagram::Exchanges;
use crate::poller::Token;
use crate::slab::{Key, Slab};
use crate::tcp::Flows;

/// How many connections, or datagrams, are taken in one turn.
const BATCH: usize = 64;

/// All published ports.
#[derive(Default)]
pub(crate) struct PublishedPorts {
    ports: Slab<PublishedPort>,
}

struct PublishedPort {
    socket: OwnedFd,
    kind: SocketType,
    to: SocketAddrV4,
}

impl PublishedPorts {
    /// Adds a listening TCP socket, or a bound UDP socket, that leads to `to`.
    pub(crate) fn add(&mut self, socket: OwnedFd, to: SocketAddrV4, context: &Context) -> Result<Key, Errno> {
        let kind = sockopt::socket_type(&socket)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        let key = self.ports.insert_with(|_| PublishedPort { socket, kind, to });
        if let Some(port) = self.ports.lookup(key)
            && let Err(failure) = context.poller.watch(&port.socket, Token::Published(key))
        {
            self.ports.remove(key);
            return Err(failure);
        }
        Ok(key)
    }

    /// The socket of a published port.
    pub(crate) fn socket(&self, key: Key) -> Option<&OwnedFd> {
        self.ports.lookup(key).map(|port| &port.socket)
    }

    /// Closes all ports that lead to a container.
    pub(crate) fn withdraw(&mut self, address: std::net::Ipv4Addr, context: &Context) {
        let gone: Vec<Key> =
            self.ports.iter().filter(|(_, port)| *port.to.ip() == address).map(|(key, _)| key).collect();
        for key in gone {
            if let Some(port) = self.ports.remove(key) {
                // Whoever opened the socket may still have it open.
                context.poller.forget(&port.socket);
            }
        }
    }

    /// Takes what came at a published port.
    pub(crate) fn serve(
        &self,
        key: Key,
        flows: &mut Flows,
        exchanges: &mut Exchanges,
        context: &mut Context,
    ) {
        let Some(published) = self.ports.lookup(key) else { return };
        for _ in 0..BATCH {
            let served = if published.kind == SocketType::STREAM {
                published.accept(flows, context)
            } else {
                published.relay(key, exchanges, context)
            };
            if !served {
                return;
            }
        }
    }
}

impl PublishedPort {
    /// Accepts a connection, if there is one.
    fn accept(&self, flows: &mut Flows, context: &mut Context) -> bool {
        match accept_with(&self.socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            Ok(host) => {
                // Without its container, the connection is closed again.
                if let Some(port) = context.link.owner(*self.to.ip()) {
                    flows.begin_inward(port, self.to, host, context);
                }
                true
            }
            Err(why) => matches!(why, Errno::INTR | Errno::CONNABORTED),
        }
    }

    /// Passes a datagram on, if there is one.
    fn relay(&self, key: Key, exchanges: &mut Exchanges, context: &mut Context) -> bool {
        let mut room = std::mem::take(&mut context.room);
        let received = recvfrom(&self.socket, room.as_mut_slice(), RecvFlags::DONTWAIT);
        let more = match received {
            Ok((length, _, peer)) => {
                let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                let port = context.link.owner(*self.to.ip());
                if let (Some(peer), Some(port), Some(payload)) = (peer, port, room.get(..length)) {
                    exchanges.receive_published((key, peer), (port, self.to), payload, context);
                }
                true
            }
            Err(why) => matches!(why, Errno::INTR | Errno::CONNREFUSED),
        };
        context.room = room;
        more
    }
}
