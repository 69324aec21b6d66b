//! A client of the services that speaks HTTP by hand, so that it can also speak it wrongly.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use longshore_toolkit::cache::{CacheBounds, CacheScopes};
use longshore_toolkit::service::{Identity, JobGrant, Running, ServerOptions, ToolkitServer};
use serde_json::Value;

use crate::scene::{Scene, id};

/// A server with the scene's stores.
pub(crate) fn server(scene: &Scene, run: &str) -> Running {
    let now = scene.now;
    ToolkitServer::start(ServerOptions {
        run: id(run),
        address: "127.0.0.1".parse().unwrap(),
        advertised: None,
        artifacts: Arc::new(scene.artifacts()),
        caches: Arc::new(scene.caches(CacheBounds::default())),
        retention_days: 90,
        keys: scene.path("keys"),
        issuer: None,
        clock: Arc::new(move || now),
    })
    .unwrap()
}

/// What a job of `main` may do.
pub(crate) fn grant(job: &str) -> JobGrant {
    let caches = CacheScopes::of_ref("refs/heads/main", None, Some("main"), true);
    JobGrant { job: id(job), caches, identity: None }
}

pub(crate) fn identity() -> Identity {
    Identity {
        repository: "octo/repo".to_owned(),
        reference: "refs/heads/main".to_owned(),
        event: "push".to_owned(),
        environment: None,
        claims: vec![("sha".to_owned(), "abc".to_owned()), ("sub".to_owned(), "forged".to_owned())],
    }
}

/// A job's way to the services.
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) run: String,
    pub(crate) job: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Client {
    pub(crate) fn new(server: &Running, run: &str, grant: &JobGrant) -> Self {
        let environment = server.environment(grant);
        let token = environment.secrets[0].1.expose().clone();
        Self { address: server.address(), token, run: run.to_owned(), job: grant.job.to_string() }
    }

    /// Calls a service; adds the ids that every call has.
    pub(crate) fn call(&self, method: &str, mut message: Value) -> Answer {
        let fields = message.as_object_mut().unwrap();
        fields.entry("workflow_run_backend_id").or_insert(self.run.as_str().into());
        fields.entry("workflow_job_run_backend_id").or_insert(self.job.as_str().into());
        let path = format!("/twirp/github.actions.results.api.v1.{method}");
        let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", self.token);
        self.send("POST", &path, &headers, message.to_string().as_bytes())
    }

    /// Sends a request with a length, on a connection of its own.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}");
        let mut bytes = format!("{head}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend(body);
        self.raw(&bytes)
    }

    /// Sends bytes, and reads to the end.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // The server may answer and close before all is sent.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(answer.len());
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head, body: answer.get(end + 4..).unwrap_or_default().to_vec() }
    }
}

/// The path and query of an address.
pub(crate) fn path_of(address: &Value) -> String {
    let address = address.as_str().unwrap();
    let rest = address.strip_prefix("http://").unwrap();
    rest[rest.find('/').unwrap()..].to_owned()
}
