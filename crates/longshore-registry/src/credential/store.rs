//! All places where credentials are kept, in their order.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::config::{Config, key_of};
use super::helper::Helper;
use super::{Credential, CredentialError};

/// Which files there are. They need not exist.
#[derive(Debug, Clone, Default)]
pub struct CredentialSources {
    /// Longshore's own file, which counts first. It has the form of Docker's.
    pub own: Option<PathBuf>,
    /// Docker's `config.json`.
    pub docker: Option<PathBuf>,
}

/// Finds, keeps and forgets credentials. Files are read when the first credential is needed.
#[derive(Debug, Default)]
pub struct CredentialStore {
    sources: CredentialSources,
    configs: Mutex<Option<Arc<Vec<Config>>>>,
    /// What was found before; helpers are slow.
    found: Mutex<HashMap<String, Option<Credential>>>,
    /// A credential that counts before all others: of a login that is being tried, or of one conversation only.
    tried: Option<(String, Credential)>,
}

/// Where a credential was put, or taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeper {
    /// A file, where it can be read by whoever can read the file.
    File(PathBuf),
    /// A helper.
    Helper(String),
}

impl CredentialStore {
    /// A store of these files.
    pub fn new(sources: CredentialSources) -> Self {
        Self { sources, ..Self::default() }
    }

    /// The same, with a credential for one registry that counts before what is kept of it.
    #[must_use]
    pub fn with(self, account: &str, credential: Credential) -> Self {
        Self { tried: Some((key_of(account), credential)), ..self }
    }

    /// A store that knows one credential only.
    pub(crate) fn of(account: &str, credential: Credential) -> Self {
        Self { tried: Some((key_of(account), credential)), ..Self::default() }
    }

    /// The credential for a registry: `host[:port]`, with or without scheme.
    pub fn find(&self, account: &str) -> Result<Option<Credential>, CredentialError> {
        let key = key_of(account);
        if let Some((_, credential)) = self.tried.as_ref().filter(|(tried, _)| *tried == key) {
            return Ok(Some(credential.clone()));
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = found.get(&key) {
            return Ok(known.clone());
        }
        let credential = self.look_up(account)?;
        found.insert(key, credential.clone());
        Ok(credential)
    }

    fn look_up(&self, account: &str) -> Result<Option<Credential>, CredentialError> {
        for config in self.configs()?.iter() {
            let kept = match config.helper(account) {
                Some(name) => Helper::named(name)?.get(&key_of(account))?,
                None => None,
            };
            // What was logged in before the helper was configured still stands in the file.
            let kept = if kept.is_some() { kept } else { config.credential(account)? };
            if kept.is_some() {
                return Ok(kept);
            }
        }
        Ok(None)
    }

    fn configs(&self) -> Result<Arc<Vec<Config>>, CredentialError> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(configs) = &*configs {
            return Ok(Arc::clone(configs));
        }
        let paths = [&self.sources.own, &self.sources.docker].into_iter().flatten();
        let read = Arc::new(paths.map(|path| Config::read(path)).collect::<Result<Vec<_>, _>>()?);
        *configs = Some(Arc::clone(&read));
        Ok(read)
    }

    /// Forgets what was read, because it was changed.
    fn read_anew(&self) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.configs.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Keeps a credential: with the helper that is configured for the registry, else in Longshore's own file if there
    /// is one, else in Docker's.
    pub fn store(&self, account: &str, credential: &Credential) -> Result<Keeper, CredentialError> {
        let path =
            self.sources.own.as_ref().or(self.sources.docker.as_ref()).ok_or(CredentialError::NoFile)?;
        // Read anew: another process may have written since.
        let mut config = Config::read(path)?;
        let keeper = if let Some(name) = self.helper(account)? {
            Helper::named(&name)?.store(&key_of(account), credential)?;
            config.set_empty(account);
            Keeper::Helper(name)
        } else {
            config.set(account, credential);
            Keeper::File(path.clone())
        };
        config.write()?;
        self.read_anew();
        Ok(keeper)
    }

    /// Forgets a credential everywhere; whether there was one.
    pub fn erase(&self, account: &str) -> Result<bool, CredentialError> {
        let mut erased = false;
        for path in [&self.sources.own, &self.sources.docker].into_iter().flatten() {
            let mut config = Config::read(path)?;
            if let Some(name) = config.helper(account) {
                let helper = Helper::named(name)?;
                erased |= helper.get(&key_of(account))?.is_some();
                helper.erase(&key_of(account))?;
            }
            if config.remove(account) {
                config.write()?;
                erased = true;
            }
        }
        self.read_anew();
        Ok(erased)
    }

    fn helper(&self, account: &str) -> Result<Option<String>, CredentialError> {
        Ok(self.configs()?.iter().find_map(|config| config.helper(account)).map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use longshore_core::Secret;

    use super::{Credential, CredentialSources, CredentialStore, Keeper};

    fn password(user: &str) -> Credential {
        Credential::Password { user: user.to_owned(), password: Secret::new("p".to_owned()) }
    }

    #[test]
    fn the_own_file_counts_first_and_logging_out_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (own, docker) = (directory.path().join("own.json"), directory.path().join("config.json"));
        let open =
            |own: Option<_>| CredentialStore::new(CredentialSources { own, docker: Some(docker.clone()) });
        assert_eq!(open(None).store("reg.test", &password("docker")).unwrap(), Keeper::File(docker.clone()));
        assert_eq!(open(Some(own.clone())).find("reg.test").unwrap(), Some(password("docker")));
        let both = open(Some(own.clone()));
        assert_eq!(both.store("https://reg.test", &password("own")).unwrap(), Keeper::File(own.clone()));
        assert_eq!(both.find("reg.test").unwrap(), Some(password("own")));
        assert_eq!(open(None).find("reg.test").unwrap(), Some(password("docker")));
        assert!(both.erase("reg.test").unwrap());
        assert_eq!(both.find("reg.test").unwrap(), None);
        assert!(!open(Some(own)).erase("reg.test").unwrap());
    }
}
