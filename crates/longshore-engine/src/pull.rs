//! How an image is fetched.

use longshore_core::Secret;
use longshore_oci::Platform;

/// How an image is fetched.
#[derive(Debug, Clone, Default)]
pub struct PullSpec {
    /// Whether it is, if it is here.
    pub policy: PullPolicy,
    /// The platform to choose from an image of several; that of the engine, if absent.
    pub platform: Option<Platform>,
    /// Who asks; whom the engine knows for the registry, if absent.
    pub login: Option<Login>,
}

/// Who one is to the registry of an image, for one pull.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password, or a token in the place of one.
    pub password: Secret<String>,
}

/// Whether images are fetched before they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PullPolicy {
    /// If they are not here.
    #[default]
    Missing,
    /// Even if they are here: the name may mean something newer.
    Always,
    /// Never.
    Never,
}

impl From<PullPolicy> for PullSpec {
    fn from(policy: PullPolicy) -> Self {
        Self { policy, ..Self::default() }
    }
}
