//! The server of a run, from its start to its end.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use longshore_core::Secret;

use super::listener::{self, Bell};
use super::options::{Environment, JobGrant, ServerOptions};
use super::state::Shared;
use super::token::{Purpose, Signer};
use super::{connection, identity};
use crate::BackendId;

/// The server of a run cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("failed to listen on `{address}` for the run's actions")]
    Listen {
        /// The address.
        address: IpAddr,
        /// What the system answered.
        source: io::Error,
    },
    /// The system gives no thread or descriptor.
    #[error("failed to prepare the server for the run's actions")]
    Prepare(#[source] io::Error),
    /// The system gives no randomness.
    #[error("failed to make a key for the tokens of the run's jobs")]
    Randomness,
}

/// Starts servers.
#[derive(Debug)]
pub struct ToolkitServer;

/// A server that runs. When it is dropped, it ends its connections and threads.
pub struct Running {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl ToolkitServer {
    /// Starts the server of a run.
    pub fn start(options: ServerOptions) -> Result<Running, StartError> {
        let failed = |source| StartError::Listen { address: options.address, source };
        let listener = TcpListener::bind((options.address, 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(StartError::Prepare)?;
        let host = match &options.advertised {
            Some(host) => SocketOrName::Name(host),
            None => SocketOrName::Address(options.address),
        };
        let origin = host.origin(address.port());
        let signer = Signer::new().ok_or(StartError::Randomness)?;
        let bell = Bell::new().map_err(StartError::Prepare)?;
        let shared = Arc::new(Shared::new(options, origin, signer, bell));
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("toolkit-server".to_owned())
            .spawn(move || {
                listener::run(&listener, &served.bell, |stream| connection::serve(&served, stream));
            })
            .map_err(StartError::Prepare)?;
        Ok(Running { shared, address, thread: Some(thread) })
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets a job in; gives what its steps need to find and use the services.
    ///
    /// `ACTIONS_CACHE_SERVICE_V2` is obeyed only where `GITHUB_SERVER_URL` is one of GitHub's own.
    pub fn environment(&self, grant: &JobGrant) -> Environment {
        let shared = &self.shared;
        shared.grant(grant.clone());
        let token =
            |purpose| Secret::new(shared.signer.token(&shared.options.run, grant, purpose, shared.now()));
        let base = format!("{}/", shared.origin);
        let mut variables = vec![
            ("ACTIONS_RESULTS_URL", base.clone()),
            ("ACTIONS_RUNTIME_URL", base.clone()),
            ("ACTIONS_CACHE_URL", base),
            ("ACTIONS_CACHE_SERVICE_V2", "true".to_owned()),
        ];
        let mut secrets = vec![("ACTIONS_RUNTIME_TOKEN", token(Purpose::Runtime))];
        if grant.identity.is_some() {
            let path = identity::TOKEN;
            variables
                .push(("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}{path}?api-version=2.0", shared.origin)));
            secrets.push(("ACTIONS_ID_TOKEN_REQUEST_TOKEN", token(Purpose::Identity)));
        }
        Environment { variables, secrets }
    }

    /// Shuts a job out that has ended: its tokens are worth nothing from now on, and its uploads are gone.
    pub fn revoke(&self, job: &BackendId) {
        self.shared.revoke(job);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.bell.stop();
        if let Some(thread) = self.thread.take() {
            // A connection that panicked has said so; the server ends all the same.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

/// By what jobs reach the server.
enum SocketOrName<'o> {
    Name(&'o str),
    Address(IpAddr),
}

impl SocketOrName<'_> {
    fn origin(&self, port: u16) -> String {
        match self {
            Self::Name(name) if name.contains(':') => format!("http://[{name}]:{port}"),
            Self::Name(name) => format!("http://{name}:{port}"),
            Self::Address(address) => format!("http://{}", SocketAddr::new(*address, port)),
        }
    }
}
