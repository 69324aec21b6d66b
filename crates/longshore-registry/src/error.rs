//! What can go wrong between us and a registry.
//!
//! Every error names the place and what was attempted there. [`RegistryError::fault`] tells who can mend it, and
//! [`RegistryError::help`] what to do next. What a registry said is shown without control characters and in bounded
//! length; no secret is ever part of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use longshore_oci::{Digest, DocumentError};

use crate::address::AddressError;
use crate::credential::CredentialError;
use crate::refusal::Refusal;
use crate::transport::{Hope, TransportError};

/// Where something was attempted: the repository as the user named it, and the host if it is another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The registry of the name.
    pub registry: String,
    /// The repository; empty if the registry as a whole is meant.
    pub repository: String,
    /// The host that was talked to, if the name does not say it: a mirror, or another location.
    pub host: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.repository.as_str() {
            "" => write!(formatter, "`{}`", self.registry)?,
            repository => write!(formatter, "`{}/{repository}`", self.registry)?,
        }
        self.host.as_ref().map_or(Ok(()), |host| write!(formatter, " (at `{host}`)"))
    }
}

/// Who can mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Whoever asked for it: the name is wrong, or access is not granted.
    User,
    /// Whoever keeps the configuration.
    Config,
    /// This machine.
    Environment,
    /// The registry or the network to it.
    Remote,
}

/// A request got no good answer, seen from inside of it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ExchangeError(Box<ExchangeProblem>);

impl From<ExchangeProblem> for ExchangeError {
    fn from(problem: ExchangeProblem) -> Self {
        Self(Box::new(problem))
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeProblem {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the token service `{realm}` cannot be asked")]
    TokenService {
        realm: String,
        #[source]
        source: TransportError,
    },
    #[error("the token service `{realm}` gives no token: {refusal}")]
    NoToken { realm: String, refusal: Refusal },
    #[error("the token service `{realm}` gives no token: {problem}")]
    BadToken { realm: String, problem: &'static str },
    #[error("the registry leads to `{to}`, which {problem}")]
    Lead { to: String, problem: &'static str },
    #[error("the registry redirects more than {0} times")]
    Redirects(u32),
}

impl ExchangeError {
    /// Whether the registry led to where it must not.
    fn is_forbidden(&self) -> bool {
        let (ExchangeProblem::Transport(source) | ExchangeProblem::TokenService { source, .. }) = &*self.0
        else {
            return false;
        };
        matches!(source, TransportError::Address(AddressError::Forbidden { .. }))
    }

    /// Whether nobody answered.
    fn is_out_of_reach(&self) -> bool {
        let (ExchangeProblem::Transport(source) | ExchangeProblem::TokenService { source, .. }) = &*self.0
        else {
            return false;
        };
        matches!(
            source,
            TransportError::Connection(_)
                | TransportError::Timeout(_)
                | TransportError::Address(AddressError::Unresolved { .. })
        )
    }

    fn hope(&self) -> Hope {
        match &*self.0 {
            ExchangeProblem::Transport(source) | ExchangeProblem::TokenService { source, .. } => {
                source.hope()
            }
            ExchangeProblem::NoToken { refusal, .. } => hope_of_status(refusal.status),
            _ => Hope::None,
        }
    }
}

/// Content is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentProblem {
    /// Its digest is another one.
    #[error("it has the digest `{actual}`")]
    Digest {
        /// The digest of what came.
        actual: Digest,
    },
    /// Its digest is another one, which the store does not tell.
    #[error("it has another digest")]
    OtherDigest,
    /// It goes on after its end.
    #[error("it is longer than the {size} bytes that it should have")]
    TooLong {
        /// How long it should be.
        size: u64,
    },
    /// The registry announces another length.
    #[error("the registry announces {announced} bytes in place of {size}")]
    Length {
        /// How long it should be.
        size: u64,
        /// What the registry says.
        announced: u64,
    },
    /// A digest that cannot be computed.
    #[error("its digest has an algorithm that is not supported")]
    Unverifiable,
    /// A size that no manifest may have.
    #[error("it should have {size} bytes, which is too much for a document")]
    LargeDocument {
        /// The size that a descriptor states.
        size: u64,
    },
}

/// Why something with a registry failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A rule of the settings forbids it.
    #[error("a rule in the settings blocks `{name}`")]
    Blocked {
        /// The name.
        name: String,
    },
    /// The network may not be used.
    #[error("cannot {attempt} at {place}: the network is switched off")]
    Offline {
        /// What was attempted.
        attempt: String,
        /// Where.
        place: Arc<Place>,
    },
    /// The name does not say which registry is meant, or has neither tag nor digest where one is needed.
    #[error("`{name}` cannot be used here: {problem}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// There was no answer.
    #[error("failed to {attempt} at {place}")]
    Exchange {
        /// What was attempted.
        attempt: String,
        /// Where.
        place: Arc<Place>,
        /// Why.
        #[source]
        source: ExchangeError,
    },
    /// The registry said no.
    #[error("failed to {attempt} at {place}: {refusal}")]
    Refused {
        /// What was attempted.
        attempt: String,
        /// Where.
        place: Arc<Place>,
        /// The registry's words.
        refusal: Refusal,
        /// How long it wants us to wait.
        retry_after: Option<Duration>,
    },
    /// The answer makes no sense.
    #[error("failed to {attempt} at {place}: {problem}")]
    Protocol {
        /// What was attempted.
        attempt: String,
        /// Where.
        place: Arc<Place>,
        /// What is wrong with the answer.
        problem: String,
    },
    /// Content stopped coming, or came in no reasonable time.
    #[error("`{digest}` from {place} ended after {received} of {size} bytes")]
    Incomplete {
        /// The content.
        digest: Digest,
        /// Where from.
        place: Arc<Place>,
        /// How much there is now.
        received: u64,
        /// How much there should be.
        size: u64,
        /// What broke, if the connection did.
        #[source]
        source: Option<ExchangeError>,
    },
    /// Content is not what was asked for.
    #[error("`{digest}` from {place} is refused: {problem}")]
    Content {
        /// What was asked for.
        digest: Digest,
        /// Where from.
        place: Arc<Place>,
        /// What is wrong.
        problem: ContentProblem,
    },
    /// A document cannot be read.
    #[error("`{digest}` from {place} is refused")]
    Document {
        /// The document.
        digest: Digest,
        /// Where from.
        place: Arc<Place>,
        /// What is wrong.
        #[source]
        source: Box<DocumentError>,
    },
    /// The document is of a kind that is not known here.
    #[error("`{reference}` at {place} is {kind}, which is not supported")]
    Kind {
        /// What was asked for.
        reference: String,
        /// Where from.
        place: Arc<Place>,
        /// What it is.
        kind: String,
    },
    /// The image is not made for the platform.
    #[error("`{reference}` has no image for `{platform}`, but for {offered}")]
    Platform {
        /// What was asked for.
        reference: String,
        /// The platform.
        platform: String,
        /// Which ones there are.
        offered: String,
    },
    /// Indexes lead to indexes and so on, or back to themselves.
    #[error("the indexes of `{reference}` {problem}")]
    Nesting {
        /// What was asked for.
        reference: String,
        /// In what way.
        problem: &'static str,
    },
    /// Content that is to be pushed is not here.
    #[error("the store has no `{digest}`, which `{parent}` needs")]
    Missing {
        /// The content.
        digest: Digest,
        /// What needs it.
        parent: String,
    },
    /// The store failed.
    #[error("failed to {action} `{digest}` in the store")]
    Store {
        /// What was attempted.
        action: &'static str,
        /// The content.
        digest: Digest,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Whoever takes a layer's bytes while they arrive took no more.
    #[error("failed to pass on the layer `{digest}`")]
    Tap {
        /// The layer.
        digest: Digest,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another part of the same transfer failed, so this one was given up.
    #[error("the transfer of `{digest}` was given up")]
    GivenUp {
        /// The content.
        digest: Digest,
    },
    /// Credentials cannot be had or kept.
    #[error("failed to find the credentials for `{registry}`")]
    Credential {
        /// The registry.
        registry: String,
        /// Why.
        #[source]
        source: CredentialError,
    },
    /// The registry does not accept a login.
    #[error("`{registry}` does not accept the user name and password: {refusal}")]
    Login {
        /// The registry.
        registry: String,
        /// Its words.
        refusal: Refusal,
    },
}

fn hope_of_status(status: u16) -> Hope {
    match status {
        408 | 425 | 429 | 500 | 502 | 503 | 504 => Hope::Good,
        _ => Hope::None,
    }
}

impl RegistryError {
    /// How likely it is that trying again helps.
    pub(crate) fn hope(&self) -> Hope {
        match self {
            Self::Exchange { source, .. } => source.hope(),
            Self::Refused { refusal, .. } => hope_of_status(refusal.status),
            Self::Incomplete { source, .. } => source.as_ref().map_or(Hope::Good, ExchangeError::hope),
            _ => Hope::None,
        }
    }

    /// How long the registry wants us to wait before.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        if let Self::Refused { retry_after, .. } = self { *retry_after } else { None }
    }

    /// Whether another place may have what is missing here. It may not have what nobody can use, or what fails on our
    /// own side.
    pub(crate) fn concerns_place(&self) -> bool {
        matches!(
            self,
            Self::Exchange { .. }
                | Self::Refused { .. }
                | Self::Protocol { .. }
                | Self::Credential { .. }
                | Self::Incomplete { .. }
                | Self::Content { .. }
                | Self::Document { .. }
        )
    }

    /// Who can mend it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Blocked { .. } | Self::Credential { .. } => Fault::Config,
            Self::Offline { .. } | Self::Store { .. } | Self::Tap { .. } | Self::GivenUp { .. } => {
                Fault::Environment
            }
            Self::Name { .. } | Self::Platform { .. } | Self::Missing { .. } | Self::Login { .. } => {
                Fault::User
            }
            Self::Refused { refusal, .. } => fault_of_status(refusal.status),
            Self::Exchange { source, .. } => match &*source.0 {
                ExchangeProblem::NoToken { refusal, .. } => fault_of_status(refusal.status),
                ExchangeProblem::Transport(
                    TransportError::Certificates { .. } | TransportError::Proxy(_),
                ) => Fault::Config,
                ExchangeProblem::Transport(TransportError::Source(_)) => Fault::Environment,
                _ => Fault::Remote,
            },
            _ => Fault::Remote,
        }
    }

    /// Whether the registry wants to know who we are, or does not let us with what it knows.
    pub fn is_denial(&self) -> bool {
        let status = match self {
            Self::Refused { refusal, .. } => refusal.status,
            Self::Exchange { source, .. } => match &*source.0 {
                ExchangeProblem::NoToken { refusal, .. } => refusal.status,
                _ => return false,
            },
            _ => return false,
        };
        matches!(status, 401 | 403)
    }

    /// Whether the registry has no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. } if refusal.status == 404)
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        let place = match self {
            Self::Refused { place, .. } | Self::Exchange { place, .. } => place,
            Self::Login { registry, .. } => {
                return Some(format!(
                    "check user name and password; `{registry}` may want a token as password"
                ));
            }
            Self::Offline { .. } => {
                return Some("leave out `--offline`, or load the image from a file".to_owned());
            }
            Self::Credential { registry, .. } => {
                return Some(format!("mend or remove the file, and run `longshore login {registry}`"));
            }
            _ => return None,
        };
        let login = format!("run `longshore login {}` as a user who may do this", place.registry);
        match self {
            _ if self.is_denial() => Some(login),
            _ if self.is_not_found() => {
                Some(format!("check the name; if the repository is private, {login}"))
            }
            Self::Refused { refusal, .. } if refusal.status == 429 => {
                Some(format!("wait a while, or {login}, as registries let known users do more"))
            }
            Self::Exchange { source, .. } if source.is_forbidden() => {
                Some("if you trust that host, name it in a rule of its own in the settings".to_owned())
            }
            Self::Exchange { source, .. }
                if matches!(*source.0, ExchangeProblem::Transport(TransportError::Tls(_))) =>
            {
                Some(format!(
                    "if `{0}`, or a proxy before it, has a certificate of your own, name its file as `ca` below \
                     `[registries.\"{0}\"]` in longshore.toml; if it speaks plain HTTP, set `insecure = true` there",
                    place.registry
                ))
            }
            Self::Exchange { source, .. } if source.is_out_of_reach() => Some(
                "check the network and `HTTPS_PROXY`; without a way to the registry, name a mirror below `[registries]` in \
                 longshore.toml, or bring the image in a file for `longshore image load`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

fn fault_of_status(status: u16) -> Fault {
    match status {
        408 | 425 | 429 | 500.. => Fault::Remote,
        _ => Fault::User,
    }
}
