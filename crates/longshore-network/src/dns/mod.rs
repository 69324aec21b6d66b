//! Names: a name server for each container, and the files that make the container ask it.

mod hosts_file;
mod query;
mod resolv_conf;
mod server;
mod upstream;
mod zone;

#[cfg(test)]
mod tests;

pub use hosts_file::{AddedHost, AddedHostError, HostAddress, HostsFile};
pub use resolv_conf::{DnsFlags, ResolvConf};
pub use server::{NAME_SERVER, NameServer, NameServerError};
pub use upstream::Resolvers;
pub use zone::Zone;
