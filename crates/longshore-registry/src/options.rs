//! What a client is made with. The caller reads files of settings and the environment; this crate reads neither.

use std::path::PathBuf;
use std::time::Duration;

use longshore_core::Secret;

use crate::{CredentialStore, RegistryRule};

/// Everything that a [`crate::RegistryClient`] must know.
#[derive(Debug)]
pub struct ClientOptions {
    /// Who we are to registries.
    pub credentials: CredentialStore,
    /// Mirrors, other names, and how hosts are reached.
    pub rules: Vec<RegistryRule>,
    /// How we introduce ourselves.
    pub user_agent: String,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often to try.
    pub retries: Retries,
    /// How many transfers go at once.
    pub parallelism: usize,
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// The file of trusted certificates in PEM; without it, those of Mozilla that are built in count.
    pub root_certificates: Option<PathBuf>,
    /// Through which proxies to go.
    pub proxies: Proxies,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection, with its encryption.
    pub connect: Duration,
    /// For the whole head of an answer, so that one who sends it byte by byte gains nothing.
    pub response: Duration,
    /// For the next byte of a body. Over a longer while, bodies must also come at a pace that leads to an end.
    pub stall: Duration,
    /// For a whole document, such as a manifest or token.
    pub document: Duration,
    /// For the answer to the end of an upload, which some registries copy elsewhere before they answer.
    pub commit: Duration,
}

/// How often to try again, and how long to wait before.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// How often a request is repeated that failed for a reason that may pass.
    pub attempts: u32,
    /// The wait before the first repetition; it doubles each time and varies by a quarter.
    pub delay: Duration,
    /// The longest wait, also if a registry asks for more.
    pub longest: Duration,
}

/// The proxies of requests, as the usual variables of the environment give them.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// For `http` addresses; a URL, perhaps with a password.
    pub http: Option<Secret<String>>,
    /// For `https` addresses.
    pub https: Option<Secret<String>>,
    /// Hosts that are reached without a proxy, as `NO_PROXY` has them. Loopback addresses always are.
    pub except: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            credentials: CredentialStore::default(),
            rules: Vec::new(),
            user_agent: concat!("longshore/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            parallelism: 4,
            offline: false,
            root_certificates: None,
            proxies: Proxies::default(),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            response: Duration::from_secs(30),
            stall: Duration::from_secs(20),
            document: Duration::from_mins(1),
            commit: Duration::from_mins(10),
        }
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 4, delay: Duration::from_millis(250), longest: Duration::from_mins(1) }
    }
}
