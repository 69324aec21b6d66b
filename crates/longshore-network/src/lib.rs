//! Networks of containers: bridges, addresses, names, published ports.
//!
//! There is no daemon and no external program. A network is a file; its bridge and its rules come with its first
//! container, set by netlink. What changes is done in short calls by whoever runs a command; what must last (the name
//! server, the forwarding of published ports) runs in threads of the monitor of each container.

#![forbid(unsafe_code)]

mod blame;
mod dns;
mod endpoint;
mod ipam;
mod link;
mod namespace;
mod netlink;
mod network;
mod networks;
mod nft;
mod port;
mod random;
mod ruleset;
mod state;
mod subnet;
#[cfg(test)]
mod tests;

pub use blame::Blame;
pub use dns::{
    AddedHost, AddedHostError, DnsFlags, HostAddress, HostsFile, NAME_SERVER, NameServer, NameServerError,
    ResolvConf, Resolvers, Zone,
};
pub use endpoint::{Endpoint, EndpointSpec, MacAddress, MacAddressError, PublishedPort};
pub use ipam::AddressError;
pub use netlink::KernelError;
pub use network::{BridgeConfig, DEFAULT, Driver, HOST, NONE, Network, NetworkId, NetworkSpec};
pub use networks::{
    AttachError, Attachment, BringUpError, CreateError, Departure, DetachError, LookupError, Networks,
    PublishError, ReapError, Reaped, RemoveError, RulesError, Warning,
};
pub use nft::{Protocol, foreign_firewall_drops};
pub use port::{
    Dialer, ForwardError, Forwarding, Holder, OverBridge, PortBinding, PortBindingError, Ports, ReserveError,
};
pub use state::StateError;
pub use subnet::{Subnet, SubnetError};
