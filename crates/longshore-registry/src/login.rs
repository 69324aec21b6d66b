//! Logging in: a credential is tried, and kept if the registry accepts it.

use longshore_core::Secret;
use ureq::http::Method;

use crate::client::RegistryClient;
use crate::credential::{Credential, CredentialStore, Keeper};
use crate::error::{ExchangeProblem, RegistryError};
use crate::peer::{Call, Peer, PeerError, Target, Wire};
use crate::refusal::{MAX_REFUSAL_BYTES, Refusal};
use crate::rule::host_name;

impl RegistryClient {
    /// Tries a name and password with a registry and keeps them if they are accepted.
    pub fn login(
        &self,
        registry: &str,
        user: &str,
        password: Secret<String>,
    ) -> Result<Keeper, RegistryError> {
        let registry = domain_of(registry)?;
        let credential = Credential::Password { user: user.to_owned(), password };
        self.try_login(&registry, &credential)?;
        self.wire
            .credentials
            .store(&registry, &credential)
            .map_err(|source| RegistryError::Credential { registry, source })
    }

    /// Tries what is kept for a registry: the user's name, or nothing if nothing is kept.
    pub fn login_again(&self, registry: &str) -> Result<Option<String>, RegistryError> {
        let registry = domain_of(registry)?;
        let found = self.wire.credentials.find(&registry);
        let failed = |source| RegistryError::Credential { registry: registry.clone(), source };
        let Some(credential) = found.map_err(failed)? else { return Ok(None) };
        self.try_login(&registry, &credential)?;
        Ok(Some(match credential {
            Credential::Password { user, .. } => user,
            Credential::IdentityToken(_) | Credential::RegistryToken(_) => "<token>".to_owned(),
        }))
    }

    /// Forgets the credential for a registry; whether there was one.
    pub fn logout(&self, registry: &str) -> Result<bool, RegistryError> {
        let registry = domain_of(registry)?;
        self.wire
            .credentials
            .erase(&registry)
            .map_err(|source| RegistryError::Credential { registry, source })
    }

    /// Asks the registry for its base, as somebody.
    fn try_login(&self, registry: &str, credential: &Credential) -> Result<(), RegistryError> {
        let whole = self.whole(registry);
        let attempt = "log in";
        // A server of its own, which has learned nothing from former conversations.
        let peer = Peer::new(whole.peer.host.clone());
        let wire = Wire {
            transport: self.wire.transport.clone(),
            credentials: CredentialStore::of(&peer.host.account, credential.clone()),
            rules: self.wire.rules.clone(),
        };
        let call = Call::new(Method::GET, Target::Path("/v2/"), &[]);
        self.check_online(attempt, &whole)?;
        let login = |refusal| RegistryError::Login { registry: registry.to_owned(), refusal };
        self.retrying(|| match peer.send(&wire, &call) {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(mut answer) if matches!(answer.status, 401 | 403) => {
                let words = answer.read_document(MAX_REFUSAL_BYTES, self.timeouts().document);
                Err(login(Refusal::read(answer.status, &words.unwrap_or_default())))
            }
            Ok(answer) => Err(self.refused(&whole, attempt, answer)),
            Err(PeerError::Exchange(ExchangeProblem::NoToken { refusal, .. }))
                if matches!(refusal.status, 400 | 401 | 403) =>
            {
                Err(login(refusal))
            }
            Err(PeerError::Exchange(problem)) => Err(RegistryError::Exchange {
                attempt: attempt.to_owned(),
                place: whole.place.clone(),
                source: problem.into(),
            }),
            Err(PeerError::Credential(source)) => {
                Err(RegistryError::Credential { registry: registry.to_owned(), source })
            }
        })
    }
}

/// The domain of what a user calls a registry: without scheme and path, and one for all that Docker Hub is called.
fn domain_of(registry: &str) -> Result<String, RegistryError> {
    let after = registry.split_once("://").map_or(registry, |(_, after)| after);
    let domain = after.split('/').next().unwrap_or(after);
    let host = host_name(domain);
    if host.is_empty() || domain.contains(['@', ' ', '?', '#']) || domain.chars().any(char::is_control) {
        return Err(RegistryError::Name {
            name: crate::shown::shown(registry),
            problem: "it is not the name of a registry",
        });
    }
    Ok(match domain {
        "index.docker.io" | "registry-1.docker.io" | "hub.docker.com" => crate::rule::HUB.to_owned(),
        _ => domain.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::domain_of;

    #[test]
    fn registries_have_many_names() {
        for (text, domain) in [
            ("https://index.docker.io/v1/", "docker.io"),
            ("docker.io", "docker.io"),
            ("http://localhost:5000", "localhost:5000"),
            ("reg.test/some/path", "reg.test"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            assert_eq!(domain_of(text).unwrap(), domain);
        }
        for text in ["", "https://", "user@host", "a b"] {
            assert!(domain_of(text).is_err(), "{text}");
        }
    }
}
