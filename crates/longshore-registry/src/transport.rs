//! One HTTP exchange: a request goes out, the head of the answer comes back.
//!
//! Redirects are not followed here, statuses are not judged, nothing is repeated. What is decided here: which
//! certificates count for which host, through which proxy to go, which addresses may be connected to
//! ([`crate::address`]), and how long an answer and its head may be. Content codings are neither asked for nor undone,
//! because digests are over the bytes as they are stored.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use ureq::tls::{Certificate, PemItem, TlsConfig, parse_pem};
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Body, Proxy, SendBody};

use crate::address::{AddressError, GuardedResolver, Guide, Zone, literal_zone};
use crate::encryption;
use crate::options::{Proxies, Timeouts};

/// How much is read of an answer that nobody needs.
const MAX_DISCARD: usize = 64 * 1024;

/// The longest head of an answer.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Which certificates count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) enum Trust {
    /// The usual ones.
    #[default]
    Usual,
    /// Only those that this file leads to.
    File(PathBuf),
    /// Any. The user has said so for this host.
    Any,
}

/// How many connections to one host are kept for later requests.
const MAX_IDLE: usize = 8;

/// A request.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a [(HeaderName, String)],
    pub(crate) payload: Payload<'a>,
    /// Whether the answer may take as long as the end of an upload.
    pub(crate) patient: bool,
}

/// What a request carries. It can be sent more than once.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    None,
    Bytes(&'a [u8]),
    Stream { length: u64, source: &'a dyn Source },
}

/// Content that can be read more than once.
pub(crate) trait Source: Sync {
    /// Opens it at its beginning.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>>;
}

/// The head of an answer, and its body to be read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// What was asked.
    pub(crate) uri: Uri,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// The connection failed or broke.
    #[error("the connection failed")]
    Connection(#[source] io::Error),
    /// Something took too long.
    #[error("no answer within the time limit for {0}")]
    Timeout(&'static str),
    /// The host has no address, or none that may be connected to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The peer is not who it should be, or does not speak TLS.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// What came back is no HTTP.
    #[error("the answer does not follow HTTP: {0}")]
    Malformed(String),
    /// The head of the answer is too long.
    #[error("the headers of the answer are longer than {MAX_HEAD_BYTES} bytes")]
    LongHead,
    /// A file of certificates is of no use.
    #[error("failed to read the certificates in `{path}`: {message}")]
    Certificates { path: PathBuf, message: String },
    /// The proxy's address is of no use, or the proxy refused.
    #[error("the proxy cannot be used: {0}")]
    Proxy(String),
    /// An answer is too long.
    #[error("the answer is longer than the {0} bytes that are allowed")]
    LongBody(usize),
    /// What is to be sent cannot be read.
    #[error("failed to read what is to be sent")]
    Source(#[source] io::Error),
}

impl TransportError {
    /// How likely it is that the same request succeeds a little later.
    pub(crate) fn hope(&self) -> Hope {
        match self {
            Self::Connection(error) if error.kind() == io::ErrorKind::ConnectionRefused => Hope::Faint,
            Self::Connection(_) => Hope::Good,
            Self::Timeout(_) => Hope::Slow,
            Self::Malformed(_) => Hope::Faint,
            _ => Hope::None,
        }
    }
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hope {
    /// It would fail again.
    None,
    /// Each attempt takes long, so there is only one more.
    Slow,
    /// It might be a restart of the other side: try a few times.
    Faint,
    /// Such failures pass.
    Good,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct AgentKey {
    trust: Trust,
    guide: Guide,
    proxy: Option<&'static str>,
}

/// Sends requests. Agents, which hold connections, are made when they are first needed.
pub(crate) struct Transport {
    agents: Mutex<HashMap<AgentKey, Agent>>,
    timeouts: Timeouts,
    user_agent: String,
    roots: Option<PathBuf>,
    proxies: Proxies,
}

impl Transport {
    pub(crate) fn new(
        timeouts: Timeouts,
        user_agent: String,
        roots: Option<PathBuf>,
        proxies: Proxies,
    ) -> Self {
        Self { agents: Mutex::default(), timeouts, user_agent, roots, proxies }
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Sends one request to an address that `guide` has named.
    pub(crate) fn send(
        &self,
        uri: &Uri,
        outgoing: &Outgoing<'_>,
        trust: &Trust,
        guide: Guide,
    ) -> Result<Answer, TransportError> {
        let agent = self.agent(uri, trust, guide)?;
        let mut request = Request::new(());
        *request.method_mut() = outgoing.method.clone();
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in outgoing.headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| TransportError::Malformed(format!("`{name}` cannot have this value")))?;
            headers.append(name.clone(), value);
        }
        let patience = outgoing.patient.then_some(self.timeouts.commit);
        let response = match outgoing.payload {
            Payload::None => run(&agent, request, SendBody::none(), patience),
            Payload::Bytes(bytes) => {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                run(&agent, request, SendBody::from_reader(&mut &*bytes), patience)
            }
            Payload::Stream { length, source } => {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
                let mut source = source.open().map_err(TransportError::Source)?.take(length);
                run(&agent, request, SendBody::from_reader(&mut source), patience)
            }
        };
        let (head, body) = response?.into_parts();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, uri: uri.clone() })
    }

    /// The agent for such connections.
    fn agent(&self, uri: &Uri, trust: &Trust, guide: Guide) -> Result<Agent, TransportError> {
        let host = uri.host().unwrap_or_default();
        let proxy = self.proxy(uri)?;
        if proxy.is_some() {
            // The proxy looks the name up, so only what can be seen here can be refused.
            if let Some(zone) = literal_zone(host).filter(|zone| !guide.may_lead_to(*zone)) {
                return Err(AddressError::Forbidden { host: host.to_owned(), zone, guide }.into());
            }
        }
        let secure = uri.scheme_str() == Some("https");
        let proxied = proxy.is_some().then_some(if secure { "https" } else { "http" });
        // Certificates do not matter in the clear, and reading them takes time.
        let trust = if secure { trust.clone() } else { Trust::Any };
        let key = AgentKey { trust, guide, proxy: proxied };
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(self.user_agent.as_str())
            .timeout_connect(Some(self.timeouts.connect))
            .timeout_recv_response(Some(self.timeouts.response))
            .timeout_per_read(Some(self.timeouts.stall))
            .timeout_per_write(Some(self.timeouts.stall))
            .max_response_header_size(MAX_HEAD_BYTES)
            .input_buffer_size(256 * 1024)
            .output_buffer_size(256 * 1024)
            .max_idle_connections_per_host(MAX_IDLE)
            .proxy(proxy)
            .tls_config(TlsConfig::builder().disable_verification(key.trust == Trust::Any).build())
            .build();
        let resolver = GuardedResolver::new(guide);
        let agent = match self.certificates(&key.trust) {
            None => Agent::with_parts(config, DefaultConnector::new(), resolver),
            Some(path) => Agent::with_parts(config, connector(path)?, resolver),
        };
        agents.insert(key, agent.clone());
        Ok(agent)
    }

    fn proxy(&self, uri: &Uri) -> Result<Option<Proxy>, TransportError> {
        let host = uri.host().unwrap_or_default();
        let proxy = if uri.scheme_str() == Some("https") { &self.proxies.https } else { &self.proxies.http };
        let Some(address) = proxy.as_ref().filter(|_| literal_zone(host) != Some(Zone::Loopback)) else {
            return Ok(None);
        };
        if is_excepted(host, &self.proxies.except) {
            return Ok(None);
        }
        // The address may hold a password, so it is not shown.
        let refuse = |_| TransportError::Proxy("its address is not a URL".to_owned());
        Proxy::new(address.expose()).map(Some).map_err(refuse)
    }

    /// The file of certificates that count; nothing where it is those that are built in, or any.
    fn certificates<'a>(&'a self, trust: &'a Trust) -> Option<&'a Path> {
        match trust {
            Trust::Any => None,
            Trust::File(path) => Some(path),
            Trust::Usual => self.roots.as_deref(),
        }
    }
}

/// What opens connections to whom the certificates of a file lead to.
fn connector(path: &Path) -> Result<impl Connector, TransportError> {
    encryption::connector(&read_certificates(path)?)
        .map_err(|message| TransportError::Certificates { path: path.to_owned(), message })
}

/// Whether a host is reached without a proxy: `*`, a name, or the end of a name.
fn is_excepted(host: &str, except: &str) -> bool {
    let host = host.to_ascii_lowercase();
    except.split(',').map(|each| each.trim().to_ascii_lowercase()).filter(|each| !each.is_empty()).any(
        |each| {
            let name = each.trim_start_matches('*').trim_start_matches('.');
            each == "*" || host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
        },
    )
}

fn run(
    agent: &Agent,
    request: Request<()>,
    body: SendBody<'_>,
    patience: Option<Duration>,
) -> Result<ureq::http::Response<Body>, TransportError> {
    let (head, ()) = request.into_parts();
    let request = Request::from_parts(head, body);
    let request = match patience {
        None => request,
        Some(limit) => agent
            .configure_request(request)
            .timeout_recv_response(Some(limit))
            .timeout_per_read(Some(limit))
            .build(),
    };
    agent.run(request).map_err(TransportError::from)
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate<'static>>, TransportError> {
    let failed = |message: String| TransportError::Certificates { path: path.to_owned(), message };
    let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let certificates: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(error) => Some(Err(failed(error.to_string()))),
        })
        .collect::<Result<_, _>>()?;
    if certificates.is_empty() { Err(failed("it holds none in PEM".to_owned())) } else { Ok(certificates) }
}

impl From<ureq::Error> for TransportError {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Io(error) => Self::from(error),
            ureq::Error::Timeout(which) => Self::Timeout(match which {
                ureq::Timeout::Connect | ureq::Timeout::Resolve => "connecting",
                ureq::Timeout::PerRead => "the next byte",
                ureq::Timeout::PerWrite | ureq::Timeout::SendBody | ureq::Timeout::SendRequest => "sending",
                _ => "an answer",
            }),
            ureq::Error::LargeResponseHeader(..) => Self::LongHead,
            ureq::Error::Other(inner) => match inner.downcast::<AddressError>() {
                Ok(error) => Self::Address(*error),
                Err(inner) => Self::Malformed(inner.to_string()),
            },
            ureq::Error::Tls(message) => Self::Tls(message.to_owned()),
            ureq::Error::Rustls(error) => Self::Tls(error.to_string()),
            ureq::Error::TlsRequired => Self::Tls("the connection is not encrypted".to_owned()),
            ureq::Error::ConnectProxyFailed(message) => Self::Proxy(crate::shown::shown(&message)),
            ureq::Error::InvalidProxyUrl => Self::Proxy("its address is not a URL".to_owned()),
            ureq::Error::ConnectionFailed => Self::Connection(io::ErrorKind::NotConnected.into()),
            other => Self::Malformed(crate::shown::shown(&other.to_string())),
        }
    }
}

impl From<io::Error> for TransportError {
    /// Errors of bodies come wrapped, and errors of TLS twice.
    fn from(error: io::Error) -> Self {
        let error = match error.downcast::<ureq::Error>() {
            Ok(inner) => return Self::from(inner),
            Err(error) => error,
        };
        let description = error.to_string();
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::Timeout("the next byte"),
            // rustls reports what is wrong with a peer as invalid data.
            io::ErrorKind::InvalidData => Self::Tls(crate::shown::shown(&description)),
            _ => Self::Connection(error),
        }
    }
}

impl Answer {
    /// A header, if it is text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the rest of an answer that nobody needs, so that the connection can be used again. If there is much of it,
    /// another connection is cheaper.
    pub(crate) fn discard(mut self, time: Duration) {
        let _ = self.read_document(MAX_DISCARD, time);
    }

    /// Reads the whole body, which must not be longer than `limit` and not take longer than `time`.
    pub(crate) fn read_document(&mut self, limit: usize, time: Duration) -> Result<Vec<u8>, TransportError> {
        let began = Instant::now();
        let mut bytes = Vec::new();
        let mut reader = self.body.as_reader();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => return Ok(bytes),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
            if bytes.len() > limit {
                return Err(TransportError::LongBody(limit));
            }
            if began.elapsed() > time {
                return Err(TransportError::Timeout("a whole document"));
            }
        }
    }
}
