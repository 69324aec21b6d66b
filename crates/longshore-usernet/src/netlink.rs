//! Setting up network devices, addresses and routes (`rtnetlink(7)`): as much of the protocol as a container's cable needs.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

use crate::wire::ethernet::HardwareAddress;

const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
const ERROR: u16 = 2;

const REQUEST: u16 = 0x1;
const ACKNOWLEDGE: u16 = 0x4;
const EXCLUSIVE: u16 = 0x200;
const CREATE: u16 = 0x400;

const LINK_ADDRESS: u16 = 1;
const LINK_NAME: u16 = 3;
const LINK_MTU: u16 = 4;
const LINK_KIND_AND_DETAILS: u16 = 18;
const LINK_BY_FAMILY: u16 = 26;
const LINK_NAMESPACE: u16 = 28;
const KIND: u16 = 1;
const DETAILS: u16 = 2;
const VETH_PEER: u16 = 1;
const INET6_ADDRESS_GENERATION: u16 = 8;
const NO_ADDRESSES: u8 = 1;

const ADDRESS_LOCAL: u16 = 2;
const ADDRESS: u16 = 1;
const ADDRESS_BROADCAST: u16 = 4;

const ROUTE_GATEWAY: u16 = 5;
const ROUTE_DEVICE: u16 = 4;
const TABLE_MAIN: u8 = 254;
const PROTOCOL_STATIC: u8 = 4;
const UNICAST: u8 = 1;

const UP: u32 = 1;
const HEADER: usize = 16;

/// A message that is being written.
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(REQUEST | ACKNOWLEDGE | flags).to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        Self(bytes)
    }

    /// `struct ifinfomsg`.
    fn device(mut self, index: u32, flags: u32) -> Self {
        self.0.extend_from_slice(&[0; 4]);
        for word in [index, flags, flags] {
            self.0.extend_from_slice(&word.to_ne_bytes());
        }
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        self.0.extend_from_slice(&((value.len() + 4) as u16).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.pad()
    }

    fn nested(mut self, kind: u16, write: impl FnOnce(Self) -> Self) -> Self {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 2]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        let mut written = write(self);
        let length = (written.0.len() - start) as u16;
        if let Some(place) = written.0.get_mut(start..start + 2) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
        written.pad()
    }

    fn pad(mut self) -> Self {
        let length = self.0.len().next_multiple_of(4);
        self.0.resize(length, 0);
        self
    }

    fn finish(mut self) -> Vec<u8> {
        let length = self.0.len() as u32;
        if let Some(place) = self.0.first_chunk_mut::<4>() {
            *place = length.to_ne_bytes();
        }
        self.0
    }
}

/// One end of a cable.
pub(crate) struct End<'a> {
    pub(crate) name: &'a str,
    pub(crate) hardware: Option<HardwareAddress>,
    pub(crate) mtu: u16,
}

/// A connection to the kernel's routing of one network namespace: that of the thread that opened it.
pub(crate) struct Netlink(OwnedFd);

impl Netlink {
    pub(crate) fn open() -> Result<Self, Errno> {
        // No protocol is protocol 0, which is that of routing.
        socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None).map(Self)
    }

    /// The index of a device.
    pub(crate) fn index(&self, name: &str) -> Result<u32, Errno> {
        name_to_index(self.0.as_fd(), name)
    }

    /// Makes a cable with one end here and the other in another namespace.
    pub(crate) fn add_cable(
        &self,
        here: &End<'_>,
        there: &End<'_>,
        namespace: BorrowedFd<'_>,
    ) -> Result<(), Errno> {
        let namespace = namespace.as_raw_fd().cast_unsigned();
        let message = Message::new(NEW_LINK, CREATE | EXCLUSIVE).device(0, 0);
        let message = end(message, here).nested(LINK_KIND_AND_DETAILS, |message| {
            message.attribute(KIND, b"veth\0").nested(DETAILS, |message| {
                message.nested(VETH_PEER, |message| {
                    end(message.device(0, 0), there).attribute(LINK_NAMESPACE, &namespace.to_ne_bytes())
                })
            })
        });
        self.ask(message)
    }

    /// Keeps the kernel from giving a device IPv6 addresses of its own.
    pub(crate) fn forgo_ipv6(&self, index: u32) -> Result<(), Errno> {
        let family = AddressFamily::INET6.as_raw();
        let message = Message::new(NEW_LINK, 0).device(index, 0).nested(LINK_BY_FAMILY, |message| {
            message.nested(family, |message| message.attribute(INET6_ADDRESS_GENERATION, &[NO_ADDRESSES]))
        });
        match self.ask(message) {
            // A kernel without IPv6 gives none.
            Err(Errno::AFNOSUPPORT | Errno::OPNOTSUPP | Errno::INVAL) => Ok(()),
            answer => answer,
        }
    }

    pub(crate) fn set_up(&self, index: u32) -> Result<(), Errno> {
        self.ask(Message::new(NEW_LINK, 0).device(index, UP))
    }

    pub(crate) fn add_address(
        &self,
        index: u32,
        address: Ipv4Addr,
        prefix_length: u8,
        broadcast: Ipv4Addr,
    ) -> Result<(), Errno> {
        let family = AddressFamily::INET.as_raw() as u8;
        let message = Message::new(NEW_ADDRESS, CREATE | EXCLUSIVE)
            .bytes(&[family, prefix_length, 0, 0])
            .bytes(&index.to_ne_bytes())
            .attribute(ADDRESS_LOCAL, &address.octets())
            .attribute(ADDRESS, &address.octets())
            .attribute(ADDRESS_BROADCAST, &broadcast.octets());
        self.ask(message)
    }

    pub(crate) fn add_default_route(&self, index: u32, gateway: Ipv4Addr) -> Result<(), Errno> {
        let family = AddressFamily::INET.as_raw() as u8;
        let message = Message::new(NEW_ROUTE, CREATE | EXCLUSIVE)
            .bytes(&[family, 0, 0, 0, TABLE_MAIN, PROTOCOL_STATIC, 0, UNICAST, 0, 0, 0, 0])
            .attribute(ROUTE_GATEWAY, &gateway.octets())
            .attribute(ROUTE_DEVICE, &index.to_ne_bytes());
        self.ask(message)
    }

    /// Sends a message and takes the kernel's answer.
    fn ask(&self, message: Message) -> Result<(), Errno> {
        send(&self.0, &message.finish(), SendFlags::empty())?;
        let mut answer = [0_u8; 4096];
        let (length, _) = recv(&self.0, &mut answer[..], RecvFlags::empty())?;
        let answer = answer.get(..length).unwrap_or_default();
        let kind = answer.get(4..6).and_then(|bytes| bytes.first_chunk());
        let code = answer.get(HEADER..).and_then(|bytes| bytes.first_chunk());
        match (kind.map(|bytes| u16::from_ne_bytes(*bytes)), code.map(|bytes| i32::from_ne_bytes(*bytes))) {
            (Some(ERROR), Some(0)) => Ok(()),
            (Some(ERROR), Some(code)) => Err(Errno::from_raw_os_error(-code)),
            _ => Err(Errno::PROTO),
        }
    }
}

fn end(message: Message, end: &End<'_>) -> Message {
    let name: Vec<u8> = end.name.bytes().chain([0]).collect();
    let message = message.attribute(LINK_NAME, &name).attribute(LINK_MTU, &u32::from(end.mtu).to_ne_bytes());
    match end.hardware {
        Some(hardware) => message.attribute(LINK_ADDRESS, &hardware.0),
        None => message,
    }
}
