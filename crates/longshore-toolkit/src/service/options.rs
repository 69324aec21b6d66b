//! What a server is given, and what a job is given of it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use longshore_core::Secret;

use crate::cache::CacheScopes;
use crate::{ArtifactStore, BackendId, CacheStore};

/// What tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a server needs.
#[derive(Clone)]
pub struct ServerOptions {
    /// The run whose artifacts it serves.
    pub run: BackendId,
    /// Where it listens; the port is the system's choice.
    pub address: IpAddr,
    /// The name or address by which jobs reach it, if that is another one.
    pub advertised: Option<String>,
    /// The artifacts of all runs.
    pub artifacts: Arc<ArtifactStore>,
    /// The caches of the repository.
    pub caches: Arc<CacheStore>,
    /// For how many days artifacts are kept that say nothing, and at most.
    pub retention_days: u32,
    /// Where the installation keeps the key that identities are signed with. It is made when it is first needed.
    pub keys: PathBuf,
    /// Who issues identities; the server itself if nothing is given.
    pub issuer: Option<String>,
    /// The time.
    pub clock: Clock,
}

/// What a job may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobGrant {
    /// The job.
    pub job: BackendId,
    /// Whose cache entries it reads and writes. Without a scope for writing it saves none.
    pub caches: CacheScopes,
    /// Who it is to others, if it may ask for identities (`id-token: write`).
    pub identity: Option<Identity>,
}

/// Who a job is to others: what GitHub puts into its OIDC tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `owner/name`.
    pub repository: String,
    /// The full ref.
    pub reference: String,
    /// The name of the event.
    pub event: String,
    /// The environment that the job deploys to.
    pub environment: Option<String>,
    /// Further claims by GitHub's names: `sha`, `workflow`, `actor`, `run_id`, `job_workflow_ref`, …
    pub claims: Vec<(String, String)>,
}

/// Variables for the steps of a job that run actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// What may be seen.
    pub variables: Vec<(&'static str, String)>,
    /// What must be masked.
    pub secrets: Vec<(&'static str, Secret<String>)>,
}

impl Identity {
    /// The subject, as GitHub composes it by default.
    pub fn subject(&self) -> String {
        let repository = &self.repository;
        match &self.environment {
            // A colon would end the environment's part.
            Some(environment) => format!("repo:{repository}:environment:{}", environment.replace(':', "%3A")),
            None if self.event == "pull_request" => format!("repo:{repository}:pull_request"),
            None => format!("repo:{repository}:ref:{}", self.reference),
        }
    }

    /// The owner of the repository.
    pub(super) fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServerOptions")
            .field("run", &self.run)
            .field("address", &self.address)
            .field("advertised", &self.advertised)
            .finish_non_exhaustive()
    }
}
