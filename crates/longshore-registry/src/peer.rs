//! A server that we talk to, with what we have learned of it: its scheme, how near it is, whom it wants us to be.
//!
//! The first request goes out without credentials unless an earlier answer told what the server wants; a challenge
//! (`401`) is answered once. Credentials go to the origin that they belong to, and to the token service that this origin
//! names over a connection as secure as its own; never to where a redirect leads. Where the server leads must not be
//! nearer to us than the server itself ([`crate::address`]), and not less secure.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use ureq::http::header::{AUTHORIZATION, LOCATION, WWW_AUTHENTICATE};
use ureq::http::{HeaderName, Method, Uri};

use crate::address::{Guide, Zone, zone_of};
use crate::challenge::Challenge;
use crate::credential::{Credential, CredentialError, CredentialStore};
use crate::error::ExchangeProblem;
use crate::refusal::MAX_REFUSAL_BYTES;
use crate::rule::{Host, Rules};
use crate::shown::shown;
use crate::token::{Realm, Token, basic};
use crate::transport::{Answer, Outgoing, Payload, Transport, TransportError, Trust};
use crate::uri::{join, origin};

/// More redirects than this lead nowhere.
const MAX_REDIRECTS: u32 = 8;

/// What all conversations share.
pub(crate) struct Wire {
    pub(crate) transport: Arc<Transport>,
    pub(crate) credentials: CredentialStore,
    pub(crate) rules: Arc<Rules>,
}

/// A request to a server.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) target: Target<'a>,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) payload: Payload<'a>,
    /// What a token must allow, such as `repository:library/alpine:pull`.
    pub(crate) scopes: Vec<String>,
    pub(crate) patient: bool,
}

/// What a request is about.
pub(crate) enum Target<'a> {
    /// A path of the server, with its query.
    Path(&'a str),
    /// An address that the server has named.
    Address(&'a Uri),
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, target: Target<'a>, scopes: &[String]) -> Self {
        let scopes = scopes.to_vec();
        Self { method, target, headers: Vec::new(), payload: Payload::None, scopes, patient: false }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Why a request got no answer.
pub(crate) enum PeerError {
    Exchange(ExchangeProblem),
    Credential(CredentialError),
}

impl From<ExchangeProblem> for PeerError {
    fn from(problem: ExchangeProblem) -> Self {
        Self::Exchange(problem)
    }
}

impl From<TransportError> for PeerError {
    fn from(error: TransportError) -> Self {
        Self::Exchange(error.into())
    }
}

impl From<CredentialError> for PeerError {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error)
    }
}

/// What the server wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Demand {
    Basic,
    Bearer(Realm),
}

#[derive(Default)]
struct Access {
    demand: Option<Demand>,
    tokens: HashMap<Vec<String>, Token>,
}

/// A server.
pub(crate) struct Peer {
    pub(crate) host: Host,
    scheme: OnceLock<&'static str>,
    zone: OnceLock<Zone>,
    access: Mutex<Access>,
}

impl Peer {
    pub(crate) fn new(host: Host) -> Self {
        Self { host, scheme: OnceLock::new(), zone: OnceLock::new(), access: Mutex::default() }
    }

    /// Sends a request, answers a challenge, follows redirects. The status of the answer is the caller's business.
    pub(crate) fn send(&self, wire: &Wire, call: &Call<'_>) -> Result<Answer, PeerError> {
        let uri = match call.target {
            Target::Path(path) => self.address(wire, path)?,
            Target::Address(uri) => uri.clone(),
        };
        let own = self.is_own(&uri);
        let authorization = if own { self.authorization(wire, &call.scopes)? } else { None };
        let answer = self.exchange(wire, call, &uri, authorization.as_deref())?;
        // Elsewhere a challenge is not meant for who we are here.
        if answer.status != 401 || !self.is_own(&answer.uri) {
            return Ok(answer);
        }
        let asked = self.learn(&answer, &call.scopes, authorization.as_deref())?;
        let Some(asked) = asked else { return Ok(answer) };
        let Some(authorization) = self.authorization(wire, &asked)? else { return Ok(answer) };
        self.keep_as(&asked, &call.scopes);
        answer.discard(wire.transport.timeouts().document);
        let answer = self.exchange(wire, call, &uri, Some(&authorization))?;
        if matches!(answer.status, 401 | 403) {
            // Nobody was good enough here, so it matters if somebody cannot be found.
            wire.credentials.find(&self.host.account)?;
        }
        Ok(answer)
    }

    /// The whole address of a path.
    pub(crate) fn address(&self, wire: &Wire, path: &str) -> Result<Uri, ExchangeProblem> {
        let scheme = self.scheme(wire)?;
        self.at(scheme, path)
    }

    fn at(&self, scheme: &str, path: &str) -> Result<Uri, ExchangeProblem> {
        let text = format!("{scheme}://{}{path}", self.host.authority);
        text.parse()
            .map_err(|_| TransportError::Malformed(format!("`{}` is no address", shown(&text))).into())
    }

    /// The scheme that the server speaks. If there is a choice, it is asked once: a server that expects encryption
    /// answers a plain request with a hint, or with something that is no HTTP.
    fn scheme(&self, wire: &Wire) -> Result<&'static str, ExchangeProblem> {
        if let Some(scheme) = self.scheme.get() {
            return Ok(scheme);
        }
        let (last, before) = match self.host.schemes.split_last() {
            Some((last, before)) => (*last, before),
            None => ("https", [].as_slice()),
        };
        for scheme in before {
            let uri = self.at(scheme, "/v2/")?;
            let ping =
                Outgoing { method: &Method::GET, headers: &[], payload: Payload::None, patient: false };
            match wire.transport.send(&uri, &ping, &self.host.trust, Guide::User) {
                Ok(answer) => {
                    let fits = *scheme == "https" || !wants_encryption(wire, answer);
                    if fits {
                        return Ok(self.scheme.get_or_init(|| scheme));
                    }
                }
                // Nobody listens, whatever the language; or somebody does and says nothing.
                Err(error @ (TransportError::Address(_) | TransportError::Timeout(_))) => {
                    return Err(error.into());
                }
                Err(TransportError::Connection(error))
                    if *scheme == "http" && error.kind() == std::io::ErrorKind::ConnectionRefused =>
                {
                    return Err(TransportError::Connection(error).into());
                }
                _ => {}
            }
        }
        Ok(self.scheme.get_or_init(|| last))
    }

    /// Whether an address is of this very server.
    fn is_own(&self, uri: &Uri) -> bool {
        let own = |scheme: &&&str| self.at(scheme, "/").is_ok_and(|own| origin(&own) == origin(uri));
        self.scheme.get().iter().any(own)
    }

    /// How near the server is, which bounds where it may lead.
    fn zone(&self) -> Zone {
        *self.zone.get_or_init(|| {
            let uri = self.at(self.scheme.get().unwrap_or(&"https"), "/");
            uri.map_or(Zone::Public, |uri| {
                let (_, host, port) = origin(&uri);
                zone_of(&host, port)
            })
        })
    }

    /// Sends a request and follows where it leads.
    fn exchange(
        &self,
        wire: &Wire,
        call: &Call<'_>,
        uri: &Uri,
        authorization: Option<&str>,
    ) -> Result<Answer, ExchangeProblem> {
        let mut headers = call.headers.clone();
        headers.extend(authorization.map(|value| (AUTHORIZATION, value.to_owned())));
        let outgoing = Outgoing {
            method: &call.method,
            headers: &headers,
            payload: call.payload,
            patient: call.patient,
        };
        self.follow(wire, uri, &outgoing)
    }

    /// Sends a request, and again to wherever redirects lead. Credentials are left behind at the first other origin.
    fn follow(&self, wire: &Wire, uri: &Uri, outgoing: &Outgoing<'_>) -> Result<Answer, ExchangeProblem> {
        let first = origin(uri);
        let mut uri = uri.clone();
        let mut headers = outgoing.headers.to_vec();
        for _ in 0..=MAX_REDIRECTS {
            self.check(&uri)?;
            if origin(&uri) != first {
                headers.retain(|(name, _)| name != AUTHORIZATION);
            }
            let (trust, guide) = self.bounds(wire, &uri);
            let answer =
                wire.transport.send(&uri, &Outgoing { headers: &headers, ..*outgoing }, &trust, guide)?;
            let repeatable = matches!(*outgoing.method, Method::GET | Method::HEAD);
            let redirects = match answer.status {
                301..=303 => repeatable,
                307 | 308 => true,
                _ => false,
            };
            if !redirects {
                return Ok(answer);
            }
            let location = answer.header(&LOCATION).unwrap_or_default();
            uri = join(&answer.uri, location)
                .filter(|_| !location.is_empty())
                .ok_or_else(|| ExchangeProblem::Lead { to: shown(location), problem: "is no address" })?;
            answer.discard(wire.transport.timeouts().document);
        }
        Err(ExchangeProblem::Redirects(MAX_REDIRECTS))
    }

    /// Refuses an address that is less secure than the server itself.
    fn check(&self, uri: &Uri) -> Result<(), ExchangeProblem> {
        let plain = uri.scheme_str() != Some("https");
        if plain && self.scheme.get() == Some(&"https") && !self.host.may_be_plain() {
            let to = shown(uri.authority().map_or("", |authority| authority.as_str()));
            return Err(ExchangeProblem::Lead { to, problem: "does not encrypt while the registry does" });
        }
        Ok(())
    }

    /// Which certificates count for an address, and who has named it.
    fn bounds(&self, wire: &Wire, uri: &Uri) -> (Trust, Guide) {
        if self.is_own(uri) {
            return (self.host.trust.clone(), Guide::User);
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let known = wire.rules.names_host(authority);
        let guide = if known { Guide::User } else { Guide::Registry(self.zone()) };
        (wire.rules.host(authority).trust, guide)
    }

    /// Learns from a challenge what the server wants: the scopes to ask for, or nothing if there is nothing to try.
    fn learn(
        &self,
        answer: &Answer,
        scopes: &[String],
        sent: Option<&str>,
    ) -> Result<Option<Vec<String>>, ExchangeProblem> {
        let headers = answer.headers.get_all(WWW_AUTHENTICATE).iter().take(8);
        let challenges: Vec<Challenge> =
            headers.filter_map(|value| value.to_str().ok()).flat_map(Challenge::parse_all).collect();
        let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
        if let Some((bearer, realm)) = of("bearer").and_then(|each| Some((each, each.parameter("realm")?))) {
            let bad =
                || ExchangeProblem::Lead { to: shown(realm), problem: "is no address of a token service" };
            let uri = join(&answer.uri, realm).filter(|_| !realm.is_empty()).ok_or_else(bad)?;
            self.check(&uri)?;
            let service = bearer.parameter("service").map(str::to_owned);
            let mut asked = scopes.to_vec();
            let wanted =
                bearer.parameter("scope").unwrap_or_default().split(' ').filter(|each| !each.is_empty());
            wanted.for_each(|scope| {
                if !asked.iter().any(|each| each == scope) {
                    asked.push(scope.to_owned());
                }
            });
            access.demand = Some(Demand::Bearer(Realm { uri, service }));
            // The token that was sent did not do. Another thread may have fetched a better one meanwhile.
            access.tokens.retain(|_, token| sent != Some(&bearer_of(token)));
            return Ok(Some(asked));
        }
        if of("basic").is_some() && !(sent.is_some() && access.demand == Some(Demand::Basic)) {
            access.demand = Some(Demand::Basic);
            return Ok(Some(scopes.to_vec()));
        }
        Ok(None)
    }

    /// Uses the token for some scopes for others too: the server said that it wants just these.
    fn keep_as(&self, asked: &[String], scopes: &[String]) {
        let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = access.tokens.get(asked).cloned() {
            access.tokens.insert(scopes.to_vec(), token);
        }
    }

    /// The value of `Authorization` for some scopes, as far as is known what the server wants.
    ///
    /// The lock is held while a token is fetched, so that parallel transfers fetch one.
    fn authorization(&self, wire: &Wire, scopes: &[String]) -> Result<Option<String>, PeerError> {
        let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(demand) = access.demand.clone() else { return Ok(None) };
        let realm = match demand {
            Demand::Bearer(realm) => realm,
            Demand::Basic => {
                return Ok(match wire.credentials.find(&self.host.account)? {
                    Some(Credential::Password { user, password }) => Some(basic(&user, &password)),
                    Some(Credential::RegistryToken(token)) => Some(format!("Bearer {}", token.expose())),
                    _ => None,
                });
            }
        };
        if let Some(token) = access.tokens.get(scopes).filter(|token| token.until > Instant::now()) {
            return Ok(Some(bearer_of(token)));
        }
        // A helper that is gone must not keep anybody from what everybody may have.
        let credential = wire.credentials.find(&self.host.account);
        let known = credential.as_ref().ok().and_then(Option::as_ref);
        let time = wire.transport.timeouts().document;
        let send = |uri: &Uri, outgoing: &Outgoing<'_>| self.follow(wire, uri, outgoing);
        let token = match (realm.token(scopes, known, time, &send), credential) {
            (Ok(token), _) => token,
            (Err(ExchangeProblem::NoToken { .. }), Err(broken)) => return Err(broken.into()),
            (Err(problem), _) => return Err(problem.into()),
        };
        let authorization = bearer_of(&token);
        access.tokens.insert(scopes.to_vec(), token);
        Ok(Some(authorization))
    }
}

/// The value of `Authorization` for a token.
fn bearer_of(token: &Token) -> String {
    format!("Bearer {}", token.value.expose())
}

/// Whether this is what servers say to a plain request that should have been encrypted.
fn wants_encryption(wire: &Wire, mut answer: Answer) -> bool {
    let words = answer.read_document(MAX_REFUSAL_BYTES, wire.transport.timeouts().document);
    let words = words.map(|words| String::from_utf8_lossy(&words).to_lowercase());
    answer.status == 400 && words.is_ok_and(|words| words.contains("https"))
}

/// Where the server wants the next request to go (`Location` of uploads, `Link` of lists).
pub(crate) fn lead(answer: &Answer, location: &str) -> Result<Uri, ExchangeProblem> {
    let bad = |problem| ExchangeProblem::Lead { to: shown(location), problem };
    let uri = join(&answer.uri, location).ok_or_else(|| bad("is no address"))?;
    // Servers behind a proxy that encrypts often do not know that they are.
    let same_host = uri.host() == answer.uri.host();
    if same_host && uri.scheme_str() == Some("http") && answer.uri.scheme_str() == Some("https") {
        let text = uri.to_string().replacen("http://", "https://", 1);
        return text.parse().map_err(|_| bad("is no address"));
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    use ureq::http::Method;

    use super::{Call, ExchangeProblem, Peer, PeerError, Target, TransportError, Wire, Zone};
    use crate::address::AddressError;
    use crate::credential::CredentialStore;
    use crate::options::{ClientOptions, Proxies, Timeouts};
    use crate::rule::{Access, Host, Rules};
    use crate::transport::Transport;

    /// Answers one request after another with the same head, and no body.
    fn server(head: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                drop(lines.map(Result::unwrap).take_while(|line| !line.is_empty()).last());
                let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        authority
    }

    /// Sends a request to a registry that counts as one of the open internet.
    fn ask(head: &'static str) -> Result<u16, PeerError> {
        let peer = Peer::new(Host::new(&format!("http://{}", server(head)), &Access::default()));
        peer.zone.set(Zone::Public).unwrap();
        let agent = ClientOptions::default().user_agent;
        let wire = Wire {
            transport: Arc::new(Transport::new(Timeouts::default(), agent, None, Proxies::default())),
            credentials: CredentialStore::default(),
            rules: Arc::new(Rules::default()),
        };
        peer.send(&wire, &Call::new(Method::GET, Target::Path("/v2/"), &[])).map(|answer| answer.status)
    }

    #[test]
    fn who_is_far_away_does_not_lead_to_what_is_near() {
        assert!(matches!(ask("200 OK"), Ok(200)), "what the user named may be anywhere");
        for head in [
            "307 X\r\nLocation: http://127.0.0.1:1/x",
            "302 X\r\nLocation: http://localhost:1/x",
            "302 X\r\nLocation: //169.254.169.254/latest/meta-data/",
            "308 X\r\nLocation: https://10.0.0.1/",
            "302 X\r\nLocation: http://[::ffff:127.0.0.1]:1/",
            "302 X\r\nLocation: http://2130706433/",
            "302 X\r\nLocation: http://0x7f.1/",
            "401 X\r\nWWW-Authenticate: Bearer realm=\"http://127.0.0.1:1/token\"",
        ] {
            let Err(PeerError::Exchange(problem)) = ask(head) else { panic!("{head} is followed") };
            let (ExchangeProblem::Transport(error) | ExchangeProblem::TokenService { source: error, .. }) =
                &problem
            else {
                panic!("{head}: {problem}")
            };
            assert!(
                matches!(error, TransportError::Address(AddressError::Forbidden { .. })),
                "{head}: {error}"
            );
        }
    }
}
