//! Expressions of `nf_tables` rules: small steps that load, compare and decide.
//!
//! Numbers are those of `linux/netfilter/nf_tables.h`. Values that are compared with what the kernel loads from its own
//! structures (states, kinds of addresses, names) are in native byte order, parts of packets in network byte order.

use std::net::Ipv4Addr;

use crate::Subnet;
use crate::netlink::message::Message;

/// The register that everything is loaded into.
const REGISTER: u32 = 1;
/// The second register, for a port beside an address.
const SECOND: u32 = 2;
const IFNAMSIZ: usize = 16;

/// `NF_ACCEPT`.
const ACCEPT: u32 = 1;
/// `NF_DROP`.
const DROP: u32 = 0;

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Protocol {
    /// Its number in packets.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }

    /// Its name, as in `80/tcp`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One condition or decision of a rule, in the words of the `nft` program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    /// `iifname NAME`.
    From(String),
    /// `iifname != NAME`.
    NotFrom(String),
    /// `oifname NAME`.
    Towards(String),
    /// `oifname != NAME`.
    NotTowards(String),
    /// `ip saddr SUBNET`.
    Source(Subnet),
    /// `ip daddr SUBNET`.
    Destination(Subnet),
    /// `fib daddr type local`.
    ToThisHost,
    /// `ct state established,related`.
    Established,
    /// `ct status dnat`.
    Redirected,
    /// `meta l4proto PROTOCOL th dport PORT`.
    Port(Protocol, u16),
    /// `counter`.
    Counter,
    /// `accept`.
    Accept,
    /// `drop`.
    Drop,
    /// `masquerade`.
    Masquerade,
    /// `dnat to ADDRESS:PORT`.
    Redirect(Ipv4Addr, u16),
}

impl Expression {
    /// Writes the steps of this expression into a list of expressions.
    pub(super) fn encode(&self, list: Message) -> Message {
        match self {
            Self::From(name) => compare(meta(list, 6), true, &interface(name)),
            Self::NotFrom(name) => compare(meta(list, 6), false, &interface(name)),
            Self::Towards(name) => compare(meta(list, 7), true, &interface(name)),
            Self::NotTowards(name) => compare(meta(list, 7), false, &interface(name)),
            Self::Source(subnet) => within(list, 12, *subnet),
            Self::Destination(subnet) => within(list, 16, *subnet),
            // NFT_FIB_RESULT_ADDRTYPE of NFTA_FIB_F_DADDR is RTN_LOCAL.
            Self::ToThisHost => {
                let list = step(list, "fib", |data| data.big(1, REGISTER).big(2, 3).big(3, 2));
                compare(list, true, &2_u32.to_ne_bytes())
            }
            // NFT_CT_STATE: the bits of established and related.
            Self::Established => any_bit(ct(list, 0), 2 | 4),
            // NFT_CT_STATUS: IPS_DST_NAT.
            Self::Redirected => any_bit(ct(list, 2), 1 << 5),
            Self::Port(protocol, port) => {
                let list = compare(meta(list, 16), true, &[protocol.number()]);
                compare(payload(list, 2, 2, 2), true, &port.to_be_bytes())
            }
            Self::Counter => step(list, "counter", |data| {
                data.bytes(1, &0_u64.to_be_bytes()).bytes(2, &0_u64.to_be_bytes())
            }),
            Self::Accept => verdict(list, ACCEPT),
            Self::Drop => verdict(list, DROP),
            Self::Masquerade => step(list, "masq", |data| data),
            Self::Redirect(address, port) => {
                let list = immediate(list, REGISTER, &address.octets());
                let list = immediate(list, SECOND, &port.to_be_bytes());
                // NFT_NAT_DNAT of NFPROTO_IPV4.
                step(list, "nat", |data| data.big(1, 1).big(2, 2).big(3, REGISTER).big(5, SECOND))
            }
        }
    }
}

fn step(list: Message, name: &str, fill: impl FnOnce(Message) -> Message) -> Message {
    list.nest(1, |element| element.text(1, name).nest(2, fill))
}

fn meta(list: Message, key: u32) -> Message {
    step(list, "meta", |data| data.big(1, REGISTER).big(2, key))
}

fn ct(list: Message, key: u32) -> Message {
    step(list, "ct", |data| data.big(1, REGISTER).big(2, key))
}

/// Loads a part of the packet. Base 1 is the network header, 2 the transport header.
fn payload(list: Message, base: u32, offset: u32, length: u32) -> Message {
    step(list, "payload", |data| data.big(1, REGISTER).big(2, base).big(3, offset).big(4, length))
}

fn compare(list: Message, equal: bool, value: &[u8]) -> Message {
    step(list, "cmp", |data| {
        data.big(1, REGISTER).big(2, u32::from(!equal)).nest(3, |inner| inner.bytes(1, value))
    })
}

fn bitwise(list: Message, mask: [u8; 4]) -> Message {
    step(list, "bitwise", |data| {
        data.big(1, REGISTER)
            .big(2, REGISTER)
            .big(3, 4)
            .nest(4, |inner| inner.bytes(1, &mask))
            .nest(5, |inner| inner.bytes(1, &[0; 4]))
    })
}

fn any_bit(list: Message, bits: u32) -> Message {
    compare(bitwise(list, bits.to_ne_bytes()), false, &[0; 4])
}

/// Compares the address at an offset of the IPv4 header with a subnet.
fn within(list: Message, offset: u32, subnet: Subnet) -> Message {
    let list = bitwise(payload(list, 1, offset, 4), subnet.mask().octets());
    compare(list, true, &subnet.first().octets())
}

fn immediate(list: Message, register: u32, value: &[u8]) -> Message {
    step(list, "immediate", |data| data.big(1, register).nest(2, |inner| inner.bytes(1, value)))
}

fn verdict(list: Message, code: u32) -> Message {
    step(list, "immediate", |data| {
        data.big(1, 0).nest(2, |inner| inner.nest(2, |verdict| verdict.big(1, code)))
    })
}

/// A name of an interface as the kernel keeps it.
fn interface(name: &str) -> [u8; IFNAMSIZ] {
    let mut padded = [0; IFNAMSIZ];
    for (room, byte) in padded.iter_mut().take(IFNAMSIZ - 1).zip(name.bytes()) {
        *room = byte;
    }
    padded
}
