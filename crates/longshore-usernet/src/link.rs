//! The cables to the containers: one packet socket each, and the switch between them.
//!
//! The switch learns nothing. Every port says when it is plugged in which address it has, its hardware address follows from
//! that, and frames that claim others are dropped. So a container that may send raw packets cannot pretend to be its
//! neighbour or the gateway, which a bridge would let it.

use std::collections::HashMap;
use std::io::IoSlice;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{self, Errno};

use crate::policy;
use crate::slab::{Key, Slab};
use crate::spec::UserNetworkSpec;
use crate::wire::ethernet::HardwareAddress;
use crate::wire::icmp::Unreachable;
use crate::wire::ipv4::{self, Packet, Route};
use crate::wire::offload::Offload;
use crate::wire::tcp::Header;
use crate::wire::udp::Sum;
use crate::wire::{arp, ethernet, fragment, icmp, offload, tcp, udp};

/// The end of a container's cable that the gateway holds.
///
/// The descriptor keeps the far end's namespace and with it the cable alive; when it is closed, the container's `eth0`
/// is gone.
#[derive(Debug)]
pub struct Port {
    socket: OwnedFd,
    address: Ipv4Addr,
}

impl Port {
    /// Takes a packet socket, as [`longshore_sys::packet_socket`] opens it, for the cable of the container with this
    /// address.
    pub fn new(socket: OwnedFd, address: Ipv4Addr) -> Self {
        Self { socket, address }
    }

    /// The container's address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The room that a frame with its header needs.
pub(crate) const LARGEST_FRAME: usize = offload::HEADER + ethernet::HEADER + 65536;

/// All ports, and the room to build frames in.
pub(crate) struct Link {
    spec: UserNetworkSpec,
    ports: Slab<Port>,
    owners: HashMap<HardwareAddress, Key>,
    frame: Vec<u8>,
    identification: u16,
}

/// What came for the gateway itself.
pub(crate) struct Arrival<'a> {
    pub(crate) packet: Packet<'a>,
    pub(crate) offload: Offload,
}

impl Link {
    pub(crate) fn new(spec: UserNetworkSpec) -> Self {
        Self {
            spec,
            ports: Slab::default(),
            owners: HashMap::new(),
            frame: Vec::with_capacity(256),
            identification: 0,
        }
    }

    pub(crate) fn spec(&self) -> &UserNetworkSpec {
        &self.spec
    }

    /// Plugs a port in, whose address nobody else may have.
    pub(crate) fn plug(&mut self, port: Port) -> Key {
        let hardware = HardwareAddress::of(port.address);
        let key = self.ports.insert_with(|_| port);
        self.owners.insert(hardware, key);
        key
    }

    /// Unplugs a port; the container's cable is cut if nobody else holds it.
    pub(crate) fn unplug(&mut self, key: Key) {
        if let Some(port) = self.ports.remove(key) {
            self.owners.remove(&HardwareAddress::of(port.address));
        }
    }

    /// The port of the container with this address.
    pub(crate) fn owner(&self, address: Ipv4Addr) -> Option<Key> {
        self.owners.get(&HardwareAddress::of(address)).copied()
    }

    pub(crate) fn socket(&self, key: Key) -> Option<BorrowedFd<'_>> {
        self.ports.lookup(key).map(AsFd::as_fd)
    }

    /// Reads a frame of a port into `buffer`; nothing if there is none.
    pub(crate) fn read<'a>(&self, key: Key, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        let port = self.ports.lookup(key)?;
        loop {
            match io::read(&port.socket, &mut *buffer) {
                Ok(length) => return buffer.get(..length),
                // A frame that the header cannot describe is gone with this answer, and a device that went down says so
                // once; the next read tells whether there is more.
                Err(Errno::INTR | Errno::INVAL | Errno::NETDOWN) => {}
                Err(_) => return None,
            }
        }
    }

    /// Switches a frame that came from `from`; what is left is for the gateway.
    pub(crate) fn switch<'a>(&mut self, from: Key, bytes: &'a [u8]) -> Option<Arrival<'a>> {
        let (offload, frame) = Offload::read(bytes)?;
        let frame = ethernet::Frame::read(frame)?;
        let address = self.ports.lookup(from)?.address;
        if frame.source != HardwareAddress::of(address) {
            return None;
        }
        match frame.kind {
            ethernet::ARP => {
                let request = arp::Request::read(frame.payload)?;
                // Which of its addresses the asker names does not matter: nobody learns from questions.
                if request.asker == frame.source {
                    self.answer_arp(from, &request);
                }
                None
            }
            ethernet::IPV4 => {
                let packet = Packet::read(frame.payload)?;
                if packet.route.source != address {
                    return None;
                }
                if frame.destination == HardwareAddress::of(self.spec.gateway) {
                    return Some(Arrival { packet, offload });
                }
                self.pass_on(from, frame.destination, bytes);
                None
            }
            _ => None,
        }
    }

    fn answer_arp(&mut self, from: Key, request: &arp::Request) {
        // The asker's own address is asked for to find out whether somebody else has it.
        if request.wanted == request.asker_address {
            return;
        }
        let owner = if policy::is_gateway(&self.spec, request.wanted) {
            HardwareAddress::of(self.spec.gateway)
        } else if self.owner(request.wanted).is_some() {
            HardwareAddress::of(request.wanted)
        } else {
            return;
        };
        self.frame.clear();
        offload::write_complete(&mut self.frame);
        ethernet::write(&mut self.frame, request.asker, owner, ethernet::ARP);
        request.answer(&mut self.frame, owner);
        self.transmit(from, [&[], &[]]);
    }

    /// Gives a frame as it is to the port, or the ports, that it is for.
    fn pass_on(&self, from: Key, to: HardwareAddress, bytes: &[u8]) {
        if to.is_group() {
            for (key, port) in self.ports.iter() {
                if key != from {
                    let _ = io::write(&port.socket, bytes);
                }
            }
        } else if let Some(port) = self.owners.get(&to).and_then(|key| self.ports.lookup(*key)) {
            // A full queue loses frames, as switches do; those who sent them notice.
            let _ = io::write(&port.socket, bytes);
        }
    }

    /// Sends a TCP segment, to be cut every `segment` bytes.
    pub(crate) fn send_tcp(
        &mut self,
        to: Key,
        route: Route,
        header: &Header,
        segment: u16,
        payload: [&[u8]; 2],
    ) {
        let length = payload[0].len() + payload[1].len();
        let cut = (length > usize::from(segment)).then_some(segment);
        self.frame.clear();
        offload::write_partial(&mut self.frame, header.length(), tcp::CHECKSUM, cut);
        self.write_ethernet(route.destination);
        route.write(&mut self.frame, header.length() + length);
        header.write(&mut self.frame, &route, length);
        self.transmit(to, payload);
    }

    /// Sends a UDP datagram, in fragments if it is larger than the link takes.
    pub(crate) fn send_udp(&mut self, to: Key, route: Route, ports: (u16, u16), payload: &[u8]) {
        let length = udp::HEADER + payload.len();
        if ipv4::HEADER + length > usize::from(self.spec.mtu) {
            let mut datagram = Vec::with_capacity(length);
            udp::write(&mut datagram, &route, ports, payload, Sum::Whole);
            datagram.extend_from_slice(payload);
            self.send_fragments(to, route, &datagram);
            return;
        }
        self.frame.clear();
        offload::write_partial(&mut self.frame, udp::HEADER, udp::CHECKSUM, None);
        self.write_ethernet(route.destination);
        route.write(&mut self.frame, length);
        udp::write(&mut self.frame, &route, ports, payload, Sum::Pseudo);
        self.transmit(to, [payload, &[]]);
    }

    fn send_fragments(&mut self, to: Key, route: Route, datagram: &[u8]) {
        self.identification = self.identification.wrapping_add(1);
        for (part, piece) in fragment::split(self.identification, datagram, usize::from(self.spec.mtu)) {
            self.frame.clear();
            offload::write_complete(&mut self.frame);
            self.write_ethernet(route.destination);
            route.write_part(&mut self.frame, piece.len(), part);
            self.transmit(to, [piece, &[]]);
        }
    }

    /// Sends the reply to an echo request.
    pub(crate) fn send_echo_reply(&mut self, to: Key, route: Route, echo: &icmp::Echo<'_>) {
        let mut message = Vec::with_capacity(icmp::HEADER + echo.payload.len());
        echo.write_reply(&mut message);
        self.send_icmp(to, route, &message);
    }

    /// Tells a container that what `original` begins did not reach its destination.
    pub(crate) fn send_unreachable(&mut self, to: Key, why: Unreachable, original: &[u8], asked: Route) {
        let mut message = Vec::with_capacity(64);
        why.write(&mut message, original);
        let back = Route { source: self.spec.gateway, destination: asked.source, protocol: ipv4::ICMP };
        self.send_icmp(to, back, &message);
    }

    fn send_icmp(&mut self, to: Key, route: Route, message: &[u8]) {
        if ipv4::HEADER + message.len() > usize::from(self.spec.mtu) {
            self.send_fragments(to, route, message);
            return;
        }
        self.frame.clear();
        offload::write_complete(&mut self.frame);
        self.write_ethernet(route.destination);
        route.write(&mut self.frame, message.len());
        self.transmit(to, [message, &[]]);
    }

    fn write_ethernet(&mut self, destination: Ipv4Addr) {
        let gateway = HardwareAddress::of(self.spec.gateway);
        ethernet::write(&mut self.frame, HardwareAddress::of(destination), gateway, ethernet::IPV4);
    }

    fn transmit(&self, to: Key, payload: [&[u8]; 2]) {
        let Some(port) = self.ports.lookup(to) else { return };
        let pieces = [IoSlice::new(&self.frame), IoSlice::new(payload[0]), IoSlice::new(payload[1])];
        // What does not fit is lost, and is sent again by those whom it concerns.
        while io::writev(&port.socket, &pieces) == Err(Errno::INTR) {}
    }
}
