//! The services that published actions speak to: artifacts, caches, identities.
//!
//! One server for a run, on this machine's loopback; it starts when the first action that may use it does. A job reaches it at
//! the same port of its own loopback: a forwarder in its network leads to a socket in a directory of the job, and from there
//! a [`Relay`] leads to the server. Actions are told where it is and get a token, and scripts are told where identities are
//! had, as on GitHub.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};

use longshore_oci::Digest;
use longshore_toolkit::BackendId;
use longshore_toolkit::service::{Identity, JobGrant, Running, ServerOptions, ToolkitServer};
use longshore_workflow::model::Access;

use super::forwarder::{Forwarder, Rule, Target};
use super::relay::Relay;
use super::{JobRun, Place, Specification, chain};
use crate::dispatch::RunFacts;
use crate::request::RunRequest;
use crate::runner::Runner;
use crate::voice::StepVoice;

/// Where sockets are inside, if the forwarder is.
pub(super) const SERVICES: &str = "/run/longshore/services";
/// The name of the server's socket.
const SOCKET: &str = "actions";
/// For how many days artifacts are kept, as on GitHub.
const RETENTION_DAYS: u32 = 90;

/// The server of a run.
#[derive(Debug, Default)]
pub(crate) struct RunServices {
    server: OnceLock<Result<Running, String>>,
}

/// What a job has of the server.
#[derive(Default)]
pub(crate) struct JobServices {
    bridge: OnceLock<Option<Bridge>>,
}

/// The way from a job to the server. Parts end in this order.
struct Bridge {
    _forwarder: Forwarder,
    _relay: Relay,
    _grant: Grant,
    variables: Vec<(String, String)>,
}

/// What the server lets a job do, until it is dropped.
struct Grant {
    facts: Arc<RunFacts>,
    job: BackendId,
}

impl Drop for Grant {
    fn drop(&mut self) {
        if let Some(Ok(server)) = self.facts.services.server.get() {
            server.revoke(&self.job);
        }
    }
}

impl RunServices {
    fn server(&self, runner: &Runner, request: &RunRequest) -> Result<&Running, &String> {
        self.server.get_or_init(|| start(runner, request)).as_ref()
    }
}

fn start(runner: &Runner, request: &RunRequest) -> Result<Running, String> {
    let clock = runner.clock;
    let now =
        move || i64::try_from(clock().0).ok().and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    let options = ServerOptions {
        run: request.id.to_string().parse().map_err(|_| format!("`{}` is no id of a run", request.id))?,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        advertised: None,
        artifacts: runner.stores.artifacts().map_err(|error| chain(&error))?,
        caches: runner.stores.caches(&request.project).map_err(|error| chain(&error))?,
        retention_days: RETENTION_DAYS,
        keys: runner.keys.clone(),
        issuer: None,
        clock: Arc::new(move || now().unwrap_or_default()),
    };
    ToolkitServer::start(options).map_err(|error| chain(&error))
}

impl JobServices {
    /// The variables by which an action finds the services. The first call of a job makes the way to them.
    pub(crate) fn variables(
        &self,
        run: &JobRun<'_>,
        place: &Place,
        specification: &Specification,
        voice: &StepVoice,
    ) -> &[(String, String)] {
        let bridge = self.bridge.get_or_init(|| match Bridge::make(run, place, specification) {
            Ok(bridge) => Some(bridge),
            Err(error) => {
                voice.warning(&format!("steps cannot use artifacts, caches and identities: {error}"));
                None
            }
        });
        bridge.as_ref().map_or(&[], |bridge| &bridge.variables)
    }

    /// The variables by which a script asks for identities; none if its job may not.
    pub(crate) fn identity_variables(
        &self,
        run: &JobRun<'_>,
        place: &Place,
        specification: &Specification,
        voice: &StepVoice,
    ) -> impl Iterator<Item = &(String, String)> {
        let all = if is_identified(run) { self.variables(run, place, specification, voice) } else { &[] };
        all.iter().filter(|(name, _)| name.starts_with("ACTIONS_ID_TOKEN_"))
    }
}

impl Bridge {
    fn make(run: &JobRun<'_>, place: &Place, specification: &Specification) -> Result<Self, String> {
        let facts = &run.task.facts;
        let server = facts.services.server(run.runner, &facts.request).map_err(Clone::clone)?;
        let port = server.address().port();
        let relay = Relay::start(&place.paths.services(), SOCKET, port)
            .map_err(|error| format!("failed to make a socket for the job: {error}"))?;
        let forwarder = Forwarder::start(place, &[Rule { listen: port, target: Target::Socket(SOCKET) }])?;
        let job = job_id(run)?;
        let grant = JobGrant {
            job: job.clone(),
            caches: facts.request.cache_scopes(),
            identity: is_identified(run).then(|| identity(run, specification)),
        };
        let environment = server.environment(&grant);
        let own = |(name, value): (&str, String)| (name.to_owned(), value);
        let mut variables: Vec<(String, String)> = environment.variables.into_iter().map(own).collect();
        for (name, secret) in &environment.secrets {
            facts.masker.add([secret.expose().as_str()]);
            variables.push(own((name, secret.expose().clone())));
        }
        let grant = Grant { facts: Arc::clone(facts), job };
        Ok(Self { _forwarder: forwarder, _relay: relay, _grant: grant, variables })
    }
}

/// The job's key as an id: its readable part, and what tells it from all others.
fn job_id(run: &JobRun<'_>) -> Result<BackendId, String> {
    let key = run.task.voice.job.as_str();
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || "-_".contains(*character);
    let readable: String = key.chars().filter(is_plain).take(80).collect();
    let hash = Digest::of(key.as_bytes());
    let id = format!("{readable}-{}", hash.encoded().get(..8).unwrap_or_default());
    id.parse().map_err(|_| format!("`{key}` is no key of a job"))
}

/// Whether the job may ask for identities: only if its workflow says so, and never for a fork.
pub(super) fn is_identified(run: &JobRun<'_>) -> bool {
    let permissions = run.task.job.permissions.as_ref().or(run.task.workflow.permissions.as_ref());
    let may = permissions.is_some_and(|permissions| permissions.access("id-token") == Access::Write);
    may && !run.task.facts.request.event.is_fork
}

fn identity(run: &JobRun<'_>, specification: &Specification) -> Identity {
    let scope = &run.task.scope;
    let text = |key: &str| scope.text("github", key).unwrap_or_default();
    let same = [
        "sha",
        "workflow",
        "actor",
        "actor_id",
        "run_id",
        "run_number",
        "run_attempt",
        "head_ref",
        "base_ref",
        "ref_type",
        "ref_protected",
        "workflow_ref",
        "workflow_sha",
        "repository_id",
        "repository_owner_id",
        "repository_visibility",
    ];
    let mut claims: Vec<(String, String)> = same.into_iter().map(|key| (key.to_owned(), text(key))).collect();
    claims.push(("job_workflow_ref".to_owned(), text("workflow_ref")));
    claims.push(("job_workflow_sha".to_owned(), text("workflow_sha")));
    claims.push(("runner_environment".to_owned(), "self-hosted".to_owned()));
    claims.retain(|(_, value)| !value.is_empty());
    Identity {
        repository: text("repository"),
        reference: text("ref"),
        event: text("event_name"),
        environment: specification.environment.clone(),
        claims,
    }
}
