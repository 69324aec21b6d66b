//! Which destination of a container leads where. Sans-IO.
//!
//! A bridge would let a container reach what the host's own addresses serve, but never what listens on the host's loopback
//! alone. Host sockets are not bound by that, so it is decided here, by the address and by nothing else.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use crate::spec::UserNetworkSpec;

/// Where a connection or datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Out, to this address of the host's world.
    Host(SocketAddr),
    /// To the host's name servers.
    Names,
    /// To the gateway, where nothing listens.
    Gateway,
    /// To an address of the network that nobody has.
    Nobody,
    /// To what may not be reached.
    Forbidden,
}

/// The port of name servers.
pub(crate) const DOMAIN: u16 = 53;

/// Decides about a destination.
pub(crate) fn destination(spec: &UserNetworkSpec, to: SocketAddrV4) -> Destination {
    let address = *to.ip();
    if address == spec.dns && to.port() == DOMAIN {
        return Destination::Names;
    }
    if spec.host_loopback == Some(address) {
        return Destination::Host(SocketAddr::from((Ipv4Addr::LOCALHOST, to.port())));
    }
    if is_gateway(spec, address) {
        return Destination::Gateway;
    }
    if is_forbidden(address) {
        return Destination::Forbidden;
    }
    if spec.contains(address) {
        return Destination::Nobody;
    }
    Destination::Host(SocketAddr::V4(to))
}

/// Whether an address is one of those that the gateway answers for.
pub(crate) fn is_gateway(spec: &UserNetworkSpec, address: Ipv4Addr) -> bool {
    address == spec.gateway || address == spec.dns || spec.host_loopback == Some(address)
}

/// Loopback by every spelling (`0.0.0.0` is one for Linux), groups, and what is reserved.
fn is_forbidden(address: Ipv4Addr) -> bool {
    matches!(address.octets()[0], 0 | 127 | 224..=255)
}

#[cfg(test)]
mod tests {
    use super::{Destination, destination};
    use crate::spec::UserNetworkSpec;
    use std::net::SocketAddrV4;

    #[test]
    fn destinations_lead_where_they_should() {
        let plain = UserNetworkSpec::default();
        let open = UserNetworkSpec { host_loopback: Some([10, 0, 2, 2].into()), ..plain.clone() };
        let host = |text: &str| Destination::Host(text.parse().expect("an address"));
        for (spec, to, leads) in [
            (&plain, "10.0.2.2:80", Destination::Gateway),
            (&plain, "10.0.2.3:80", Destination::Gateway),
            (&plain, "10.0.2.3:53", Destination::Names),
            (&plain, "10.0.2.9:80", Destination::Nobody),
            (&plain, "127.0.0.1:80", Destination::Forbidden),
            (&plain, "127.9.9.9:80", Destination::Forbidden),
            (&plain, "0.0.0.0:80", Destination::Forbidden),
            (&plain, "0.1.2.3:80", Destination::Forbidden),
            (&plain, "224.0.0.1:80", Destination::Forbidden),
            (&plain, "255.255.255.255:80", Destination::Forbidden),
            (&plain, "192.0.2.2:80", host("192.0.2.2:80")),
            (&open, "10.0.2.2:80", host("127.0.0.1:80")),
            (&open, "127.0.0.1:80", Destination::Forbidden),
        ] {
            let to: SocketAddrV4 = to.parse().expect("an address");
            assert_eq!(destination(spec, to), leads, "{to}");
        }
    }
}
