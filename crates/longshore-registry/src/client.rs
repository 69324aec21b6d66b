//! The client: what all operations with registries share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_event::{EventSink, ImageEvent};
use longshore_oci::Reference;

use crate::error::{Place, RegistryError};
use crate::options::{ClientOptions, Retries, Timeouts};
use crate::peer::{Call, Peer, PeerError, Wire};
use crate::refusal::{MAX_REFUSAL_BYTES, Refusal};
use crate::retry::{Backoff, retry_after};
use crate::rule::{Endpoint, Host, Rules};
use crate::transport::{Answer, Transport};

/// How often who waits looks whether it is still worth waiting.
const GLANCE: Duration = Duration::from_millis(50);

/// Talks to registries. Connections and tokens are kept for as long as it lives; it can be used from many threads.
pub struct RegistryClient {
    pub(crate) wire: Wire,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) parallelism: usize,
    retries: Retries,
    offline: bool,
    peers: Mutex<HashMap<Host, Arc<Peer>>>,
}

/// A repository at one of its places.
#[derive(Clone)]
pub(crate) struct Repository {
    pub(crate) peer: Arc<Peer>,
    /// Its name there.
    pub(crate) name: String,
    pub(crate) place: Arc<Place>,
}

impl RegistryClient {
    /// A client that tells `sink` what it does.
    pub fn new(options: ClientOptions, sink: Arc<dyn EventSink>) -> Self {
        let ClientOptions { credentials, rules, user_agent, timeouts, retries, .. } = options;
        let transport = Transport::new(timeouts, user_agent, options.root_certificates, options.proxies);
        Self {
            wire: Wire { transport: Arc::new(transport), credentials, rules: Arc::new(Rules::new(rules)) },
            sink,
            parallelism: options.parallelism.max(1),
            retries,
            offline: options.offline,
            peers: Mutex::default(),
        }
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        self.wire.transport.timeouts()
    }

    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(self.retries)
    }

    pub(crate) fn tell(&self, event: ImageEvent) {
        self.sink.image(event);
    }

    /// Where a name leads for reading: mirrors first, the registry last.
    pub(crate) fn repositories(&self, reference: &Reference) -> Result<Vec<Repository>, RegistryError> {
        self.check_name(reference)?;
        let places = self.wire.rules.places(reference);
        Ok(places.into_iter().map(|endpoint| self.repository(reference, endpoint)).collect())
    }

    /// Where a name leads for writing.
    pub(crate) fn registry(&self, reference: &Reference) -> Result<Repository, RegistryError> {
        self.check_name(reference)?;
        Ok(self.repository(reference, self.wire.rules.registry(reference)))
    }

    fn check_name(&self, reference: &Reference) -> Result<(), RegistryError> {
        if reference.domain().is_empty() {
            return Err(RegistryError::Name {
                name: reference.to_string(),
                problem: "it does not begin with the name of a registry",
            });
        }
        if self.wire.rules.blocks(reference) {
            return Err(RegistryError::Blocked { name: reference.to_string() });
        }
        Ok(())
    }

    fn repository(&self, reference: &Reference, endpoint: Endpoint) -> Repository {
        let registry = reference.domain().to_owned();
        let told = endpoint.host.account == registry;
        let place = Place {
            registry,
            repository: reference.path().to_owned(),
            host: (!told).then(|| endpoint.host.authority.clone()),
        };
        Repository { peer: self.peer(endpoint.host), name: endpoint.repository, place: Arc::new(place) }
    }

    /// A registry as a whole.
    pub(crate) fn whole(&self, domain: &str) -> Repository {
        let place = Place { registry: domain.to_owned(), repository: String::new(), host: None };
        Repository {
            peer: self.peer(self.wire.rules.host(domain)),
            name: String::new(),
            place: Arc::new(place),
        }
    }

    /// The server of a host, with what was learned of it.
    fn peer(&self, host: Host) -> Arc<Peer> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(peers.entry(host.clone()).or_insert_with(|| Arc::new(Peer::new(host))))
    }

    pub(crate) fn check_online(&self, attempt: &str, repository: &Repository) -> Result<(), RegistryError> {
        let (attempt, place) = (attempt.to_owned(), repository.place.clone());
        if self.offline { Err(RegistryError::Offline { attempt, place }) } else { Ok(()) }
    }

    /// Sends one request. The status is the caller's business.
    pub(crate) fn send(
        &self,
        repository: &Repository,
        attempt: &str,
        call: &Call<'_>,
    ) -> Result<Answer, RegistryError> {
        let place = || repository.place.clone();
        self.check_online(attempt, repository)?;
        repository.peer.send(&self.wire, call).map_err(|error| match error {
            PeerError::Exchange(problem) => RegistryError::Exchange {
                attempt: attempt.to_owned(),
                place: place(),
                source: problem.into(),
            },
            PeerError::Credential(source) => {
                RegistryError::Credential { registry: repository.peer.host.account.clone(), source }
            }
        })
    }

    /// Sends one request, and makes an error of every status but these.
    pub(crate) fn request(
        &self,
        repository: &Repository,
        attempt: &str,
        call: &Call<'_>,
        expected: &[u16],
    ) -> Result<Answer, RegistryError> {
        let answer = self.send(repository, attempt, call)?;
        if expected.contains(&answer.status) {
            return Ok(answer);
        }
        Err(self.refused(repository, attempt, answer))
    }

    /// Makes an error of an answer.
    pub(crate) fn refused(
        &self,
        repository: &Repository,
        attempt: &str,
        mut answer: Answer,
    ) -> RegistryError {
        let (attempt, place) = (attempt.to_owned(), repository.place.clone());
        if answer.status < 400 {
            let problem = format!("the registry answered {}, which makes no sense here", answer.status);
            return RegistryError::Protocol { attempt, place, problem };
        }
        let retry_after = retry_after(&answer);
        // The status says enough if the words do not come.
        let words = answer.read_document(MAX_REFUSAL_BYTES, self.timeouts().document).unwrap_or_default();
        let refusal = Refusal::read(answer.status, &words);
        RegistryError::Refused { attempt, place, refusal, retry_after }
    }

    /// Does something until it succeeds or there is no hope.
    pub(crate) fn retrying<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let mut backoff = self.backoff();
        loop {
            match attempt() {
                Ok(done) => return Ok(done),
                Err(error) => {
                    let wait = backoff.next(error.hope(), error.retry_after());
                    let Some(wait) = wait else { return Err(error) };
                    self.wait(&error, wait);
                }
            }
        }
    }

    /// Tells of a failure and waits.
    pub(crate) fn wait(&self, error: &RegistryError, wait: Duration) {
        self.wait_unless(error, wait, &AtomicBool::new(false));
    }

    /// Tells of a failure and waits, but not for what has been given up.
    pub(crate) fn wait_unless(&self, error: &RegistryError, wait: Duration, given_up: &AtomicBool) {
        let mut cause = String::new();
        let mut source = std::error::Error::source(error);
        while let Some(each) = source {
            if !cause.is_empty() {
                cause.push_str(": ");
            }
            cause.push_str(&each.to_string());
            source = each.source();
        }
        self.tell(ImageEvent::Retried { attempt: error.to_string(), cause });
        let until = Instant::now() + wait;
        while !given_up.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(GLANCE));
        }
    }
}

impl Repository {
    /// A path below the repository.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.name)
    }

    /// The scope of a token that allows these actions.
    pub(crate) fn scope(&self, actions: &str) -> Vec<String> {
        vec![format!("repository:{}:{actions}", self.name)]
    }
}

impl std::fmt::Debug for RegistryClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RegistryClient").field("offline", &self.offline).finish_non_exhaustive()
    }
}
