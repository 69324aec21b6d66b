//! Tokens that this server makes and believes, and signatures of addresses.
//!
//! The key is random and never leaves the process, so tokens end with the run. A token is a JSON Web Token (RFC 7519)
//! because the packages read the ids of run and job from its `scp` claim.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde_json::{Value, json};

use super::options::JobGrant;
use crate::BackendId;

/// For how long tokens are good. No run takes longer on GitHub.
const VALID: SignedDuration = SignedDuration::from_hours(35 * 24);
/// For how long an address is good.
const ADDRESS_VALID: i64 = 6 * 60 * 60;
/// GitHub's number for the right to read a cache scope; that to write is 2.
const READ: u8 = 1;
const WRITE: u8 = 2;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Artifacts and caches.
    Runtime,
    /// Asking for identities.
    Identity,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Identity => "identity",
        }
    }
}

/// The key of a server.
pub(super) struct Signer(hmac::Key);

impl Signer {
    pub(super) fn new() -> Option<Self> {
        hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new()).ok().map(Self)
    }

    /// A token for a job.
    pub(super) fn token(
        &self,
        run: &BackendId,
        grant: &JobGrant,
        purpose: Purpose,
        now: Timestamp,
    ) -> String {
        let expires = now.saturating_add(VALID).unwrap_or(Timestamp::MAX);
        let access: Vec<_> = grant
            .caches
            .read
            .iter()
            .map(|scope| {
                let writes = grant.caches.write.as_ref() == Some(scope);
                json!({"Scope": scope, "Permission": if writes { READ | WRITE } else { READ }})
            })
            .collect();
        let claims = json!({
            "scp": format!("Actions.Results:{run}:{}", grant.job),
            "ac": Value::Array(access).to_string(),
            "use": purpose.name(),
            "iss": "longshore",
            "nbf": now.as_second(),
            "iat": now.as_second(),
            "exp": expires.as_second(),
        });
        let head = encode(json!({"typ": "JWT", "alg": "HS256"}).to_string());
        let text = format!("{head}.{}", encode(claims.to_string()));
        let signature = encode(hmac::sign(&self.0, text.as_bytes()));
        format!("{text}.{signature}")
    }

    /// The job that a token was made for; `None` if it is not ours, not for this, or too old.
    pub(super) fn job(
        &self,
        token: &str,
        run: &BackendId,
        purpose: Purpose,
        now: Timestamp,
    ) -> Option<BackendId> {
        let (text, signature) = token.rsplit_once('.')?;
        hmac::verify(&self.0, text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(text.split_once('.')?.1).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let fits =
            claims.get("use")?.as_str()? == purpose.name() && claims.get("exp")?.as_i64()? > now.as_second();
        let scope = claims.get("scp")?.as_str()?.strip_prefix("Actions.Results:")?;
        let (known, job) = scope.split_once(':')?;
        (fits && known == run.as_str()).then(|| job.parse().ok()).flatten()
    }

    /// The query of an address that lets whoever has it do one thing (`r` or `w`) with one path.
    pub(super) fn query(&self, path: &str, right: &str, now: Timestamp) -> String {
        let until = now.as_second() + ADDRESS_VALID;
        let signature = encode(hmac::sign(&self.0, signed(path, right, until).as_bytes()));
        format!("sp={right}&se={until}&sig={signature}")
    }

    /// Whether an address was made by us for this.
    pub(super) fn allows(
        &self,
        path: &str,
        right: &str,
        (until, signature): (Option<&str>, Option<&str>),
        now: Timestamp,
    ) -> bool {
        let until = until.and_then(|until| until.parse::<i64>().ok());
        let signature = signature.and_then(|signature| URL_SAFE_NO_PAD.decode(signature).ok());
        let (Some(until), Some(signature)) = (until, signature) else { return false };
        let signed = signed(path, right, until);
        until > now.as_second() && hmac::verify(&self.0, signed.as_bytes(), &signature).is_ok()
    }
}

fn signed(path: &str, right: &str, until: i64) -> String {
    format!("address\n{right}\n{until}\n{path}")
}

/// Base64 for tokens and addresses.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
