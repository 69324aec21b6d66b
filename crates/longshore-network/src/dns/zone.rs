//! Which names a container can look up: those of the containers on its networks.
//!
//! The files of the networks are the zone. They are read again when their directory has changed, so a container that
//! comes, goes or gets another name is known at once, and nobody has to tell the name servers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::time::{ClockId, clock_gettime};

use super::query::{Reaction, Transport, react};
use crate::network::{Network, NetworkId};
use crate::state::Directory;
use crate::{Endpoint, Networks};

/// Names and addresses.
pub(crate) trait Lookup: Send + Sync {
    /// The addresses of a name, which is in lower case and has no dot at its end.
    fn addresses(&self, name: &str) -> Vec<Ipv4Addr>;
    /// The name of an address.
    fn name(&self, address: IpAddr) -> Option<String>;
    /// Whether other names are looked up elsewhere.
    fn leads_outside(&self) -> bool;
}

/// What one container can look up.
///
/// [`crate::NameServer`] has one of its own; who carries a container's packets itself asks this.
#[derive(Debug)]
pub struct Zone {
    directory: Directory,
    container: String,
    known: Mutex<Known>,
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct Known {
    networks: Watched<Vec<Network>>,
    endpoints: BTreeMap<NetworkId, Watched<Vec<Endpoint>>>,
}

/// When something in a directory changed last: seconds and nanoseconds.
type Stamp = (i64, i64);

/// What was read from a directory, and the state of the directory that it is of.
#[derive(Debug, Default)]
struct Watched<T> {
    stamp: Option<Stamp>,
    value: T,
}

impl<T> Watched<T> {
    /// Reads again if the directory has changed. What cannot be read stays as it was.
    fn refresh(&mut self, directory: &Path, read: impl FnOnce() -> Option<T>) {
        let stamp = changed(directory);
        if stamp.is_some() && stamp == self.stamp {
            return;
        }
        // The clock that files are stamped by is coarse. What was changed within its current tick may change again
        // without another stamp, so it is read anew until the tick has passed.
        let now = clock_gettime(ClockId::RealtimeCoarse);
        let settled = stamp.is_some_and(|stamp| stamp < (now.tv_sec, now.tv_nsec));
        if let Some(value) = read() {
            self.value = value;
            self.stamp = stamp.filter(|_| settled);
        }
    }
}

fn changed(directory: &Path) -> Option<Stamp> {
    let status = rustix::fs::stat(directory).ok()?;
    Some((status.st_ctime, i64::try_from(status.st_ctime_nsec).ok()?))
}

impl Zone {
    /// What a container on some of these networks can look up.
    pub fn new(networks: &Networks, container: &str) -> Self {
        Self {
            directory: networks.directory().clone(),
            container: container.to_owned(),
            known: Mutex::default(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The answer to a query that came in a datagram, or nothing if other resolvers are to be asked, or nobody.
    pub fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        match react(query, Transport::Datagram, self) {
            Reaction::Reply(reply) => Some(reply),
            Reaction::Forward | Reaction::Ignore => None,
        }
    }

    /// Shows the networks that the container is on, with the endpoints there.
    fn with_networks<T>(&self, look: impl FnOnce(&[(&Network, &[Endpoint])]) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Known { networks, endpoints } = &mut *known;
        networks.refresh(self.directory.path(), || {
            self.directory.networks().ok().map(|mut all| {
                all.retain(|network| network.bridge.is_some());
                all
            })
        });
        endpoints.retain(|id, _| networks.value.iter().any(|network| network.id == *id));
        for network in &networks.value {
            let there = endpoints.entry(network.id.clone()).or_default();
            there.refresh(&self.directory.leases_of(&network.id), || self.neighbours(&network.id));
        }
        let own: Vec<(&Network, &[Endpoint])> = networks
            .value
            .iter()
            .filter_map(|network| Some((network, endpoints.get(&network.id)?.value.as_slice())))
            .filter(|(_, there)| !there.is_empty())
            .collect();
        look(&own)
    }

    /// The endpoints of a network if the container is on it, else none.
    fn neighbours(&self, id: &NetworkId) -> Option<Vec<Endpoint>> {
        let leases = self.directory.leases(id).ok()?;
        if leases.iter().all(|lease| lease.container != self.container) {
            return Some(Vec::new());
        }
        // A file that went away or is damaged is no reason to forget the others.
        Some(leases.iter().filter_map(|lease| self.directory.endpoint(id, lease).ok().flatten()).collect())
    }
}

impl Lookup for Zone {
    fn addresses(&self, name: &str) -> Vec<Ipv4Addr> {
        let mut addresses = self.with_networks(|networks| {
            let mut addresses = Vec::new();
            for (network, endpoints) in networks {
                let short = name
                    .strip_suffix(&network.name.to_ascii_lowercase())
                    .and_then(|rest| rest.strip_suffix('.'));
                let called = |endpoint: &&Endpoint| {
                    endpoint.names.iter().any(|known| {
                        known.eq_ignore_ascii_case(name)
                            || short.is_some_and(|short| known.eq_ignore_ascii_case(short))
                    })
                };
                addresses.extend(endpoints.iter().filter(called).map(|endpoint| endpoint.address));
            }
            addresses
        });
        if addresses.len() > 1 {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % addresses.len();
            addresses.rotate_left(turn);
        }
        addresses
    }

    fn name(&self, address: IpAddr) -> Option<String> {
        self.with_networks(|networks| {
            networks.iter().find_map(|(network, endpoints)| {
                let endpoint = endpoints.iter().find(|endpoint| IpAddr::V4(endpoint.address) == address)?;
                Some(format!("{}.{}", endpoint.names.first()?, network.name))
            })
        })
    }

    fn leads_outside(&self) -> bool {
        self.with_networks(|networks| networks.iter().any(|(network, _)| !network.internal))
    }
}
