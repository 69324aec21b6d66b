//! Packets as they stand on the wire between container and gateway: Ethernet II, ARP (RFC 826), IPv4 (RFC 791), ICMP
//! (RFC 792), UDP (RFC 768) and TCP (RFC 9293). Sans-IO.
//!
//! Readers take what a hostile container sends: they answer `None` to everything that is cut short or lies about a length.
//! They ignore checksums, because the sender's kernel leaves them to a network card that does not exist. Writers leave the
//! checksums of TCP and UDP to the receiving kernel in the same way (`virtio_net_hdr`), and compute all others.

pub(crate) mod arp;
pub(crate) mod checksum;
pub(crate) mod ethernet;
pub(crate) mod fragment;
pub(crate) mod icmp;
pub(crate) mod ipv4;
pub(crate) mod offload;
pub(crate) mod sequence;
pub(crate) mod tcp;
pub(crate) mod udp;
