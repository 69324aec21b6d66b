//! HTTP for git's smart protocol.
//!
//! The git library speaks the protocol (git documentation: "gitprotocol-http"); this moves its bytes through `ureq`,
//! which is synchronous and brings TLS without a system library. A request body is collected and sent when the answer
//! is first read. Answers are bounded in size and time.

use std::io::{self, BufReader, Cursor, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use ureq::ResponseExt;
use ureq::http::{Method, Request, Response};
use ureq::tls::TlsConfig;

/// No action is near this size.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024 * 1024;
/// Requests for a depth-1 fetch are a few hundred bytes.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// One connection's worth of HTTP.
pub(crate) struct Client {
    agent: ureq::Agent,
    /// Where a redirect of the first request led.
    effective_base: Option<String>,
}

impl Client {
    /// A client that, once on https, never leaves it.
    pub(crate) fn new(https_only: bool, tls: TlsConfig) -> Self {
        let config = ureq::Agent::config_builder()
            .https_only(https_only)
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(Duration::from_mins(1)))
            .timeout_global(Some(Duration::from_mins(10)))
            .user_agent("")
            .build();
        Self { agent: config.new_agent(), effective_base: None }
    }

    fn url(&self, url: &str, base_url: &str) -> String {
        let tail = url.strip_prefix(base_url).unwrap_or_default();
        self.effective_base.as_ref().map_or_else(|| url.to_owned(), |base| format!("{base}{tail}"))
    }
}

type Part = BufReader<Answer>;

impl Http for Client {
    type Headers = Part;
    type ResponseBody = Part;
    type PostBody = Upload;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let request = Pending::new(Method::GET, self.url(url, base_url), headers);
        let exchange = Exchange::new(self.agent.clone(), request);
        let reached = exchange.reached().map_err(gix::Error::from_error)?;
        let tail = url.strip_prefix(base_url).unwrap_or_default();
        self.effective_base = reached.strip_suffix(tail).map(str::to_owned);
        Ok(GetResponse { headers: exchange.headers(), body: exchange.body() })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let request = Pending::new(Method::POST, self.url(url, base_url), headers);
        let exchange = Exchange::new(self.agent.clone(), request);
        let post_body = Upload { exchange: exchange.clone() };
        Ok(PostResponse { post_body, headers: exchange.headers(), body: exchange.body() })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.effective_base.clone()
    }
}

/// A request that is not sent yet.
struct Pending {
    method: Method,
    url: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Pending {
    fn new(method: Method, url: String, headers: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let headers = headers.into_iter().map(|header| header.as_ref().to_owned()).collect();
        Self { method, url, headers, body: Vec::new() }
    }

    fn send(self, agent: &ureq::Agent) -> io::Result<Response<ureq::Body>> {
        let mut request = Request::builder().method(self.method).uri(self.url);
        for header in &self.headers {
            let (name, value) = header.split_once(':').unwrap_or((header, ""));
            request = request.header(name.trim(), value.trim());
        }
        let response = request
            .body(self.body)
            .map_err(io::Error::other)
            .and_then(|request| agent.run(request).map_err(ureq::Error::into_io))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let kind = match status.as_u16() {
            401 | 403 => io::ErrorKind::PermissionDenied,
            404 => io::ErrorKind::NotFound,
            _ => io::ErrorKind::Other,
        };
        Err(io::Error::new(kind, format!("the server answered {status}")))
    }
}

/// A request and its answer, shared by the three handles that the git library takes.
#[derive(Clone)]
struct Exchange {
    agent: ureq::Agent,
    state: Arc<Mutex<State>>,
}

enum State {
    Pending(Pending),
    Answered { url: String, headers: Cursor<Vec<u8>>, body: Box<dyn Read + Send> },
    Failed(io::ErrorKind, String),
}

impl Exchange {
    fn new(agent: ureq::Agent, request: Pending) -> Self {
        Self { agent, state: Arc::new(Mutex::new(State::Pending(request))) }
    }

    fn headers(&self) -> Part {
        BufReader::new(Answer { exchange: self.clone(), is_body: false })
    }

    fn body(&self) -> Part {
        BufReader::new(Answer { exchange: self.clone(), is_body: true })
    }

    /// The URL that answered, after redirects.
    fn reached(&self) -> io::Result<String> {
        self.with_answer(|url, _, _| Ok(url.to_owned()))
    }

    /// Sends the request if that was not done yet, and gives access to the answer.
    fn with_answer<T>(
        &self,
        take: impl FnOnce(&str, &mut Cursor<Vec<u8>>, &mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Pending(_) = *state {
            let unsent = State::Failed(io::ErrorKind::Other, "the request was not sent".to_owned());
            if let State::Pending(request) = std::mem::replace(&mut *state, unsent) {
                *state = match request.send(&self.agent) {
                    Ok(response) => answered(response),
                    Err(error) => State::Failed(error.kind(), error.to_string()),
                };
            }
        }
        match &mut *state {
            State::Answered { url, headers, body } => take(url, headers, body),
            State::Failed(kind, message) => Err(io::Error::new(*kind, message.clone())),
            State::Pending(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

fn answered(response: Response<ureq::Body>) -> State {
    let mut headers = Vec::new();
    for (name, value) in response.headers() {
        headers.extend_from_slice(name.as_str().as_bytes());
        headers.extend_from_slice(b": ");
        headers.extend_from_slice(value.as_bytes());
        headers.push(b'\n');
    }
    let url = response.get_uri().to_string();
    let body = response.into_body().into_with_config().limit(MAX_ANSWER_BYTES).reader();
    State::Answered { url, headers: Cursor::new(headers), body: Box::new(body) }
}

/// Headers or body of an answer, as they are read.
pub(crate) struct Answer {
    exchange: Exchange,
    is_body: bool,
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_body = self.is_body;
        self.exchange
            .with_answer(|_, headers, body| if is_body { body.read(buffer) } else { headers.read(buffer) })
    }
}

/// A request body that is being written.
pub(crate) struct Upload {
    exchange: Exchange,
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.exchange.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Pending(request) if request.body.len() + bytes.len() <= MAX_REQUEST_BYTES => {
                request.body.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
