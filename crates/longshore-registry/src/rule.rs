//! Rules of the settings: where images of a registry or of a part of it come from, and how hosts are reached.
//!
//! The words follow `containers-registries.conf`: the rule with the longest matching prefix counts, its mirrors are
//! tried in their order before the registry itself, and `location` puts another name in the place of the prefix.

use std::path::PathBuf;

use longshore_oci::Reference;

use crate::address::{Zone, literal_zone};
use crate::transport::Trust;

/// What counts for images whose names begin with a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryRule {
    /// `host[:port]`, `host[:port]/path`, or `*.host` for all hosts below.
    pub prefix: String,
    /// What stands in the place of the prefix: `[http://|https://]host[:port][/path]`.
    pub location: Option<String>,
    /// Where to look first.
    pub mirrors: Vec<Mirror>,
    /// How the registry is reached.
    pub access: Access,
    /// Whether nothing may come from there or go there.
    pub blocked: bool,
}

/// A place that has copies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mirror {
    /// `[http://|https://]host[:port][/path]`; the path stands in the place of the rule's prefix.
    pub location: String,
    /// How it is reached.
    pub access: Access,
}

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// Whether plain HTTP and any certificate will do.
    pub insecure: bool,
    /// The only certificates to be trusted, in PEM.
    pub ca_file: Option<PathBuf>,
}

/// One place where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Whom to talk to.
    pub(crate) host: Host,
    /// The name of the repository there.
    pub(crate) repository: String,
}

/// A server and how to talk to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    /// `host[:port]`, as connected to.
    pub(crate) authority: String,
    /// The name under which credentials are kept.
    pub(crate) account: String,
    /// To be tried in this order.
    pub(crate) schemes: &'static [&'static str],
    /// Which certificates count.
    pub(crate) trust: Trust,
}

/// The domain of Docker Hub in names, and the host that serves it.
pub(crate) const HUB: &str = "docker.io";
const HUB_HOST: &str = "registry-1.docker.io";

impl Host {
    /// The host of a domain, which may have a scheme in front.
    pub(crate) fn new(location: &str, access: &Access) -> Self {
        let (scheme, domain) = match location.split_once("://") {
            Some((scheme, domain)) => (Some(scheme), domain),
            None => (None, location),
        };
        let authority = if domain == HUB { HUB_HOST } else { domain }.to_owned();
        let loopback = literal_zone(host_name(&authority)) == Some(Zone::Loopback);
        let schemes: &[&str] = match (scheme, access.insecure) {
            (Some("http"), _) => &["http"],
            // Nobody listens in between, and a plain server need not be puzzled with a handshake first.
            (None, _) if loopback => &["http", "https"],
            (None, true) => &["https", "http"],
            (Some(_), _) | (None, false) => &["https"],
        };
        let trust = match (&access.ca_file, access.insecure || loopback) {
            (Some(path), _) => Trust::File(path.clone()),
            (None, true) => Trust::Any,
            (None, false) => Trust::Usual,
        };
        Self { authority, account: domain.to_owned(), schemes, trust }
    }

    /// Whether the user agreed to plain HTTP.
    pub(crate) fn may_be_plain(&self) -> bool {
        self.schemes.contains(&"http")
    }
}

/// `host` of `host:port`; an IPv6 address keeps its brackets.
pub(crate) fn host_name(authority: &str) -> &str {
    match authority.rfind(']') {
        Some(end) => authority.get(..=end).unwrap_or(authority),
        None => authority.split(':').next().unwrap_or(authority),
    }
}

/// All rules.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<RegistryRule>);

impl Rules {
    pub(crate) fn new(rules: Vec<RegistryRule>) -> Self {
        Self(rules)
    }

    /// Whether a rule blocks this name.
    pub(crate) fn blocks(&self, reference: &Reference) -> bool {
        self.find(&reference.name()).is_some_and(|(rule, _)| rule.blocked)
    }

    /// The registry of a name, without mirrors.
    pub(crate) fn registry(&self, reference: &Reference) -> Endpoint {
        let name = reference.name();
        match self.find(&name) {
            Some((rule, rest)) => {
                let prefix = name.get(..name.len() - rest.len()).unwrap_or_default();
                endpoint(rule.location.as_deref().unwrap_or(prefix), rest, &rule.access)
            }
            None => endpoint(reference.domain(), &format!("/{}", reference.path()), &Access::default()),
        }
    }

    /// The places to look for a name, mirrors first.
    pub(crate) fn places(&self, reference: &Reference) -> Vec<Endpoint> {
        let name = reference.name();
        let mirrors = self.find(&name).into_iter().flat_map(|(rule, rest)| {
            rule.mirrors.iter().map(move |mirror| endpoint(&mirror.location, rest, &mirror.access))
        });
        let mut places: Vec<Endpoint> = mirrors.collect();
        let registry = self.registry(reference);
        places.retain(|place| *place != registry);
        places.push(registry);
        places
    }

    /// The host of a domain by itself, for `login` and catalogues.
    pub(crate) fn host(&self, domain: &str) -> Host {
        let access = self.find(domain).map(|(rule, _)| rule.access.clone()).unwrap_or_default();
        Host::new(domain, &access)
    }

    /// Whether the user knows of a host, and so may be led there by others.
    pub(crate) fn names_host(&self, authority: &str) -> bool {
        self.find(authority).is_some()
    }

    /// The rule with the longest prefix of a name, and what follows the prefix.
    fn find<'a>(&'a self, name: &'a str) -> Option<(&'a RegistryRule, &'a str)> {
        let matching = self.0.iter().filter_map(|rule| Some((rule, rest_after(&rule.prefix, name)?)));
        // Of equals, the first in the settings wins.
        matching.min_by_key(|(rule, rest)| (rest.len(), rule.prefix.starts_with('*')))
    }
}

/// What follows a prefix in a name: nothing, or a path that begins with a slash.
fn rest_after<'a>(prefix: &str, name: &'a str) -> Option<&'a str> {
    if let Some(suffix) = prefix.strip_prefix('*') {
        let domain = name.split('/').next().unwrap_or(name);
        let below = suffix.starts_with('.') && domain.len() > suffix.len() && domain.ends_with(suffix);
        return name.get(domain.len()..).filter(|_| below);
    }
    let rest = name.strip_prefix(prefix.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn endpoint(location: &str, rest: &str, access: &Access) -> Endpoint {
    let after_scheme = location.find("://").map_or(0, |at| at + 3);
    let slash = location.get(after_scheme..).and_then(|text| text.find('/'));
    let (domain, path) = location.split_at(slash.map_or(location.len(), |at| at + after_scheme));
    let repository = format!("{}{rest}", path.trim_end_matches('/'));
    Endpoint { host: Host::new(domain, access), repository: repository.trim_matches('/').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Access, Mirror, RegistryRule, Rules, host_name};
    use longshore_oci::Reference;

    fn rules() -> Rules {
        let mirror = |location: &str| Mirror { location: location.to_owned(), access: Access::default() };
        Rules::new(vec![
            RegistryRule {
                prefix: "docker.io".to_owned(),
                mirrors: vec![mirror("http://mirror.corp:5000"), mirror("cache.corp/hub")],
                ..RegistryRule::default()
            },
            RegistryRule {
                prefix: "docker.io/acme".to_owned(),
                location: Some("reg.acme.test/team".to_owned()),
                ..RegistryRule::default()
            },
            RegistryRule { prefix: "*.bad.test".to_owned(), blocked: true, ..RegistryRule::default() },
        ])
    }

    fn places(name: &str) -> Vec<String> {
        let reference = Reference::parse(name).unwrap();
        let shown = rules().places(&reference);
        shown
            .iter()
            .map(|at| format!("{} {} {}", at.host.schemes.join("|"), at.host.authority, at.repository))
            .collect()
    }

    #[test]
    fn names_lead_to_places() {
        assert_eq!(
            places("alpine"),
            [
                "http mirror.corp:5000 library/alpine",
                "https cache.corp hub/library/alpine",
                "https registry-1.docker.io library/alpine"
            ]
        );
        assert_eq!(places("acme/app:1"), ["https reg.acme.test team/app"]);
        assert_eq!(places("acmes/app:1").len(), 3);
        assert_eq!(places("localhost:5000/a/b"), ["http|https localhost:5000 a/b"]);
        assert_eq!(places("127.0.0.2/a/b"), ["http|https 127.0.0.2 a/b"]);
        assert_eq!(places("[::1]:5000/b"), ["http|https [::1]:5000 b"]);
        assert_eq!(places("quay.io/a/b"), ["https quay.io a/b"]);
        assert!(rules().blocks(&Reference::parse("x.bad.test/a").unwrap()));
        assert!(!rules().blocks(&Reference::parse("bad.test/a").unwrap()));
    }

    #[test]
    fn hosts_lose_their_ports() {
        for (authority, host) in [("a:1", "a"), ("a", "a"), ("[::1]:5", "[::1]"), ("[::1]", "[::1]")] {
            assert_eq!(host_name(authority), host);
        }
    }
}
