//! Where an address leads: to the open internet, or to places that a stranger must not send us to.
//!
//! A registry may answer with the address of somebody else: in a redirect, as the realm of tokens, as the place of an
//! upload. If it could name anything, it could have us talk to services that only this machine or its network reach,
//! such as the metadata service of a cloud. So whoever is farther away never sends us nearer: see [`Guide`].
//! What counts is the address that is connected to, not the name ([`GuardedResolver`]).

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How near an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Zone {
    /// Anywhere.
    Public,
    /// A network that is not routed on the internet.
    Private,
    /// This very link, where clouds have their metadata services; also everything that is no place at all.
    LinkLocal,
    /// This machine.
    Loopback,
}

/// Who named an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Guide {
    /// The user, who may name anything.
    User,
    /// A registry of this zone.
    Registry(Zone),
}

impl Guide {
    /// Whether one may be led there. Nobody has a reason to lead to link-local addresses but who has one.
    pub(crate) fn may_lead_to(self, zone: Zone) -> bool {
        match (self, zone) {
            (Self::User, _) => true,
            (Self::Registry(guide), Zone::LinkLocal) => guide == Zone::LinkLocal,
            (Self::Registry(guide), zone) => zone <= guide,
        }
    }
}

impl fmt::Display for Guide {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => formatter.write_str("user"),
            Self::Registry(zone) => write!(formatter, "{zone} registry"),
        }
    }
}

impl Zone {
    /// The zone of an address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [first, second, ..] = address.octets();
        match (first, second) {
            // To connect to 0.0.0.0 is to connect to this machine.
            (127 | 0, _) => Self::Loopback,
            (169, 254) | (224..=255, _) => Self::LinkLocal,
            (10, _) | (172, 16..=31) | (192, 168) | (100, 64..=127) | (198, 18..=19) => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if let Some(embedded) = embedded_v4(address) {
            return Self::of_v4(embedded);
        }
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Self::Loopback,
            [first, ..] if first & 0xffc0 == 0xfe80 || first & 0xff00 == 0xff00 => Self::LinkLocal,
            [first, ..] if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 => Self::Private,
            _ => Self::Public,
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Loopback => "loopback",
        })
    }
}

/// The address of version 4 that one of version 6 stands for: mapped, compatible, NAT64 and 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(join(high, low))
        }
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

/// The zone of a host that needs no asking: an address, or a name that means this machine.
pub(crate) fn literal_zone(host: &str) -> Option<Zone> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(Zone::of(address));
    }
    let name = bare.trim_end_matches('.').to_ascii_lowercase();
    (name == "localhost" || name.ends_with(".localhost")).then_some(Zone::Loopback)
}

/// The zone of a host: of its addresses the farthest, because that is all that is certain of it.
pub(crate) fn zone_of(host: &str, port: u16) -> Zone {
    let resolved = || Some((host, port).to_socket_addrs().ok()?.map(|each| Zone::of(each.ip())).min());
    literal_zone(host).or_else(|| resolved().flatten()).unwrap_or(Zone::Public)
}

/// An address was refused, or there is none. It travels inside of [`ureq::Error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// All addresses of the host are out of bounds for the one who named it.
    #[error("`{host}` has a {zone} address, to which a {guide} may not lead")]
    Forbidden { host: String, zone: Zone, guide: Guide },
    /// The host has no address.
    #[error("the name `{host}` cannot be resolved: {message}")]
    Unresolved { host: String, message: String },
}

/// Addresses by host and port, and when they were asked for.
type Known = HashMap<(String, u16), (Instant, Vec<SocketAddr>)>;

/// Resolves names and leaves out addresses of forbidden zones.
///
/// Answers are kept for a while: the HTTP library asks before each request, also if it has a connection.
#[derive(Debug)]
pub(crate) struct GuardedResolver {
    guide: Guide,
    system: DefaultResolver,
    known: Mutex<Known>,
}

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(30);

impl GuardedResolver {
    /// A resolver that gives the addresses to which `guide` may lead.
    pub(crate) fn new(guide: Guide) -> Self {
        Self { guide, system: DefaultResolver::default(), known: Mutex::default() }
    }

    fn lookup(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<Vec<SocketAddr>, ureq::Error> {
        let host = uri.host().unwrap_or_default().to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let key = (host, port);
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, addresses)) = known.get(&key).filter(|(asked, _)| asked.elapsed() < KEPT) {
                return Ok(addresses.clone());
            }
        }
        let found = self.system.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(_) | ureq::Error::HostNotFound => {
                let message = match error {
                    ureq::Error::Io(error) => error.to_string(),
                    _ => "there is no such name".to_owned(),
                };
                ureq::Error::Other(Box::new(AddressError::Unresolved { host: key.0.clone(), message }))
            }
            other => other,
        })?;
        let addresses: Vec<SocketAddr> = found.iter().copied().collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, (Instant::now(), addresses.clone()));
        Ok(addresses)
    }
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let addresses = self.lookup(uri, config, timeout)?;
        let mut allowed = self.empty();
        let permitted = addresses.iter().filter(|address| self.guide.may_lead_to(Zone::of(address.ip())));
        permitted.take(16).for_each(|address| allowed.push(*address));
        if allowed.is_empty() {
            let zone =
                addresses.iter().map(|address| Zone::of(address.ip())).min().unwrap_or(Zone::LinkLocal);
            let host = uri.host().unwrap_or_default().to_owned();
            let error = AddressError::Forbidden { host, zone, guide: self.guide };
            return Err(ureq::Error::Other(Box::new(error)));
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Guide, Zone, literal_zone};

    #[test]
    fn nobody_leads_to_what_is_nearer() {
        let zones = [Zone::Public, Zone::Private, Zone::LinkLocal, Zone::Loopback];
        let allowed = |guide: Guide| zones.map(|zone| guide.may_lead_to(zone));
        assert_eq!(allowed(Guide::User), [true; 4]);
        assert_eq!(allowed(Guide::Registry(Zone::Public)), [true, false, false, false]);
        assert_eq!(allowed(Guide::Registry(Zone::Private)), [true, true, false, false]);
        assert_eq!(allowed(Guide::Registry(Zone::LinkLocal)), [true, true, true, false]);
        assert_eq!(allowed(Guide::Registry(Zone::Loopback)), [true, true, false, true]);
    }

    #[test]
    fn addresses_have_zones_however_they_are_written() {
        for (text, zone) in [
            ("8.8.8.8", Zone::Public),
            ("2606:4700::1111", Zone::Public),
            ("10.1.2.3", Zone::Private),
            ("172.16.0.1", Zone::Private),
            ("172.32.0.1", Zone::Public),
            ("192.168.1.1", Zone::Private),
            ("100.64.0.1", Zone::Private),
            ("fd00::1", Zone::Private),
            ("169.254.169.254", Zone::LinkLocal),
            ("fe80::1", Zone::LinkLocal),
            ("224.0.0.1", Zone::LinkLocal),
            ("ff02::1", Zone::LinkLocal),
            ("127.0.0.1", Zone::Loopback),
            ("127.9.9.9", Zone::Loopback),
            ("0.0.0.0", Zone::Loopback),
            ("::", Zone::Loopback),
            ("::1", Zone::Loopback),
            ("::ffff:127.0.0.1", Zone::Loopback),
            ("::127.0.0.1", Zone::Loopback),
            ("::ffff:169.254.169.254", Zone::LinkLocal),
            ("64:ff9b::7f00:1", Zone::Loopback),
            ("2002:a9fe:a9fe::", Zone::LinkLocal),
        ] {
            assert_eq!(literal_zone(text), Some(zone), "{text}");
        }
        assert_eq!(literal_zone("[::1]"), Some(Zone::Loopback));
        assert_eq!(literal_zone("LOCALHOST."), Some(Zone::Loopback));
        assert_eq!(literal_zone("localhost.example.com"), None);
    }
}
