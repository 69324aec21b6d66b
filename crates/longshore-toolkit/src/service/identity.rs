//! The OIDC provider: tokens that tell others who a job is, and what others check them with.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::http::Request;
use super::key::{IdentityKey, KeyError};
use super::options::Identity;
use super::response::Response;
use super::state::{Shared, locked};
use super::token::Purpose;
use super::twirp::Refusal;
use crate::depot::random_name;

/// Where jobs ask.
pub(super) const TOKEN: &str = "/oidc/token";
/// Where others read.
pub(super) const CONFIGURATION: &str = "/.well-known/openid-configuration";
pub(super) const KEYS: &str = "/.well-known/jwks";
/// For how many seconds a token is good, as with GitHub.
const VALID: i64 = 300;
const LONGEST_AUDIENCE: usize = 1024;
/// The claims that GitHub's tokens have, as its own configuration lists them.
const CLAIMS: &[&str] = &[
    "sub",
    "aud",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "ref",
    "sha",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "run_id",
    "run_number",
    "run_attempt",
    "actor",
    "actor_id",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "head_ref",
    "base_ref",
    "event_name",
    "ref_type",
    "ref_protected",
    "environment",
    "job_workflow_ref",
    "job_workflow_sha",
    "repository_visibility",
    "runner_environment",
];

/// Answers a job that asks for a token.
pub(super) fn token(shared: &Shared, request: &Request) -> Response {
    let made = make(shared, request);
    made.map_or_else(
        |refusal| refusal.response(),
        |token| Response::json(200, &json!({"count": token.len(), "value": token})),
    )
}

fn make(shared: &Shared, request: &Request) -> Result<String, Refusal> {
    let grant = shared.authorised(request, Purpose::Identity)?;
    let forbidden = || Refusal::new("permission_denied", "the job has no `id-token: write` permission");
    let identity = grant.identity.as_ref().ok_or_else(forbidden)?;
    let default = format!("https://github.com/{}", identity.owner());
    let audience = request.parameter("audience").filter(|audience| !audience.is_empty()).unwrap_or(&default);
    if audience.len() > LONGEST_AUDIENCE {
        return Err(Refusal::new("invalid_argument", "the audience is too long"));
    }
    let claims = claims(shared, identity, audience)?;
    let token = key(shared).and_then(|key| key.token(&claims));
    token.map_err(|error| Refusal::new("internal", error.to_string()))
}

fn claims(shared: &Shared, identity: &Identity, audience: &str) -> Result<Value, Refusal> {
    let mut claims = Map::new();
    for (name, value) in &identity.claims {
        claims.insert(name.clone(), value.as_str().into());
    }
    let now = shared.now().as_second();
    let own = json!({
        "jti": random_name()?,
        "sub": identity.subject(),
        "aud": audience,
        "ref": identity.reference,
        "repository": identity.repository,
        "repository_owner": identity.owner(),
        "event_name": identity.event,
        "iss": issuer(shared),
        "nbf": now - VALID,
        "exp": now + VALID,
        "iat": now,
    });
    // What decides about trust is not the caller's to replace.
    claims.extend(own.as_object().cloned().unwrap_or_default());
    if let Some(environment) = &identity.environment {
        claims.insert("environment".to_owned(), environment.as_str().into());
    }
    Ok(claims.into())
}

/// What others read to check tokens: where the keys are, and how tokens are signed.
pub(super) fn configuration(shared: &Shared) -> Response {
    let issuer = issuer(shared);
    Response::json(
        200,
        &json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}{KEYS}"),
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "claims_supported": CLAIMS,
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }),
    )
}

/// The public keys.
pub(super) fn keys(shared: &Shared) -> Response {
    match key(shared) {
        Ok(key) => Response::json(200, &key.set()),
        Err(error) => Refusal::new("internal", error.to_string()).response(),
    }
}

fn issuer(shared: &Shared) -> &str {
    shared.options.issuer.as_deref().unwrap_or(&shared.origin)
}

/// The key, read or made when it is first needed: most runs need none, and making one takes a while.
fn key(shared: &Shared) -> Result<Arc<IdentityKey>, KeyError> {
    let mut known = locked(&shared.identity);
    if let Some(key) = &*known {
        return Ok(Arc::clone(key));
    }
    let key = Arc::new(IdentityKey::open(&shared.options.keys)?);
    *known = Some(Arc::clone(&key));
    Ok(key)
}
