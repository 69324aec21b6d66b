//! Docker's `config.json`, as far as it is about credentials. Everything else in it is kept as it is.
//!
//! An account is kept under the registry's host; Docker Hub's under the address of its first version, and old files have
//! addresses for other registries too: `https://host/v1/`. So keys are compared by their hosts.

use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use longshore_core::Secret;
use serde_json::{Map, Value, json};

use super::{Credential, CredentialError};
use crate::rule::HUB;

/// Under which Docker keeps the account of Docker Hub.
pub(super) const HUB_KEY: &str = "https://index.docker.io/v1/";

/// Longer files are no configurations.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// One such file.
#[derive(Debug, Clone)]
pub(super) struct Config {
    path: PathBuf,
    object: Map<String, Value>,
}

impl Config {
    /// Reads a file. One that does not exist, or is empty, says nothing.
    pub(super) fn read(path: &Path) -> Result<Self, CredentialError> {
        let failed = |source| CredentialError::Read { path: path.to_owned(), source };
        let text = match std::fs::metadata(path) {
            Ok(meta) if meta.len() > MAX_BYTES => Err(io::ErrorKind::FileTooLarge.into()),
            Ok(_) => std::fs::read(path),
            Err(error) => Err(error),
        };
        let text = match text {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other.map_err(failed)?,
        };
        if text.trim_ascii().is_empty() {
            return Ok(Self { path: path.to_owned(), object: Map::new() });
        }
        let malformed = |problem: String| CredentialError::Malformed { path: path.to_owned(), problem };
        // The error of the reader tells the place, and what it expected there; it quotes no content.
        let value: Value = serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
        let Value::Object(object) = value else {
            return Err(malformed("it is not an object".to_owned()));
        };
        let config = Self { path: path.to_owned(), object };
        for field in ["auths", "credHelpers"] {
            if config.object.get(field).is_some_and(|value| !value.is_object() && !value.is_null()) {
                return Err(malformed(format!("`{field}` is not an object")));
            }
        }
        Ok(config)
    }

    /// The helper for a host: its own, or the one for all.
    pub(super) fn helper(&self, account: &str) -> Option<&str> {
        let own = self.section("credHelpers").find(|(key, _)| host_of(key) == host_of(account));
        let common = || self.object.get("credsStore");
        own.map(|(_, value)| value).or_else(common).and_then(Value::as_str).filter(|name| !name.is_empty())
    }

    /// The credential for a host that stands in the file itself.
    pub(super) fn credential(&self, account: &str) -> Result<Option<Credential>, CredentialError> {
        let exact = self.section("auths").find(|(key, _)| **key == key_of(account));
        let found = exact.or_else(|| self.section("auths").find(|(key, _)| host_of(key) == host_of(account)));
        let Some((key, entry)) = found else { return Ok(None) };
        credential_of(entry).map_err(|problem| CredentialError::Malformed {
            path: self.path.clone(),
            problem: format!("the entry `{}` {problem}", crate::shown::shown(key)),
        })
    }

    /// Puts a credential for a host into the file's content.
    pub(super) fn set(&mut self, account: &str, credential: &Credential) {
        self.remove(account);
        let entry = match credential {
            Credential::Password { user, password } => {
                json!({"auth": STANDARD.encode(format!("{user}:{}", password.expose()))})
            }
            Credential::IdentityToken(token) => json!({"identitytoken": token.expose()}),
            Credential::RegistryToken(token) => json!({"registrytoken": token.expose()}),
        };
        self.put(account, entry);
    }

    /// Notes that a helper has the credential, as Docker does.
    pub(super) fn set_empty(&mut self, account: &str) {
        self.remove(account);
        self.put(account, json!({}));
    }

    fn put(&mut self, account: &str, entry: Value) {
        let auths = self.object.entry("auths").or_insert_with(|| json!({}));
        if auths.is_null() {
            *auths = json!({});
        }
        if let Some(auths) = auths.as_object_mut() {
            auths.insert(key_of(account), entry);
        }
    }

    /// Takes all entries of a host out of the file's content; whether there were any.
    pub(super) fn remove(&mut self, account: &str) -> bool {
        let Some(auths) = self.object.get_mut("auths").and_then(Value::as_object_mut) else { return false };
        let before = auths.len();
        auths.retain(|key, _| host_of(key) != host_of(account));
        auths.len() < before
    }

    /// Writes the file: a new one with the owner's rights only, renamed into the place of the old one.
    pub(super) fn write(&self) -> Result<(), CredentialError> {
        // Some have their file elsewhere and a link here.
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let failed = |source| CredentialError::Write { path: path.clone(), source };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(failed)?;
        }
        let mut text = serde_json::to_vec_pretty(&self.object).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let temporary = path.with_extension(format!("json.{}", std::process::id()));
        let written = (|| {
            let _ = std::fs::remove_file(&temporary);
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)
        })();
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written.map_err(failed)
    }

    /// The entries of one object of the file.
    fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.object.get(name).and_then(Value::as_object).into_iter().flatten()
    }
}

/// What an entry says. Docker gives tokens precedence over passwords.
fn credential_of(entry: &Value) -> Result<Option<Credential>, &'static str> {
    let field = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(token) = field("registrytoken") {
        return Ok(Some(Credential::RegistryToken(Secret::new(token.to_owned()))));
    }
    if let Some(token) = field("identitytoken") {
        return Ok(Some(Credential::IdentityToken(Secret::new(token.to_owned()))));
    }
    if let Some(auth) = field("auth") {
        let bytes = STANDARD.decode(auth).or_else(|_| STANDARD_NO_PAD.decode(auth));
        let bytes = bytes.map_err(|_| "has an `auth` that is not base 64")?;
        let text = String::from_utf8(bytes).map_err(|_| "has an `auth` that is not UTF-8")?;
        let (user, password) = text.split_once(':').ok_or("has an `auth` without a colon")?;
        let password = Secret::new(password.trim_matches('\0').to_owned());
        return Ok(Some(Credential::Password { user: user.to_owned(), password }));
    }
    let both = field("username").zip(field("password"));
    Ok(both.map(|(user, password)| Credential::Password {
        user: user.to_owned(),
        password: Secret::new(password.to_owned()),
    }))
}

/// Under which key Docker keeps a host's credential.
pub(super) fn key_of(account: &str) -> String {
    let host = host_of(account);
    if host == HUB { HUB_KEY.to_owned() } else { host }
}

/// The host of a key: without scheme and path, and with one name for Docker Hub.
fn host_of(key: &str) -> String {
    let after = key.split_once("://").map_or(key, |(_, after)| after);
    let host = after.split('/').next().unwrap_or(after).to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" => HUB.to_owned(),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Credential, Secret};

    fn config(text: &str) -> Config {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        Config::read(&path).unwrap()
    }

    fn shown(credential: Option<Credential>) -> String {
        match credential {
            None => "none".to_owned(),
            Some(Credential::Password { user, password }) => format!("{user}/{}", password.expose()),
            Some(Credential::IdentityToken(token)) => format!("identity {}", token.expose()),
            Some(Credential::RegistryToken(token)) => format!("registry {}", token.expose()),
        }
    }

    #[test]
    fn entries_are_found_however_their_keys_are_written() {
        let config = config(
            r#"{"auths": {
                "https://index.docker.io/v1/": {"auth": "aHViOnBhc3M6d29yZA=="},
                "quay.io": {"username": "u", "password": "p"},
                "https://old.test/v1/": {"auth": "b2xkOnA"},
                "localhost:5000": {"identitytoken": "t", "auth": "eA=="},
                "reg.test": {"registrytoken": "r"},
                "empty.test": {}
            }, "credHelpers": {"gcr.io": "gcloud"}}"#,
        );
        for (account, expected) in [
            ("docker.io", "hub/pass:word"),
            ("registry-1.docker.io", "hub/pass:word"),
            ("quay.io", "u/p"),
            ("https://quay.io/", "u/p"),
            ("old.test", "old/p"),
            ("localhost:5000", "identity t"),
            ("localhost:5001", "none"),
            ("localhost", "none"),
            ("reg.test", "registry r"),
            ("empty.test", "none"),
        ] {
            assert_eq!(shown(config.credential(account).unwrap()), expected, "{account}");
        }
        assert_eq!(config.helper("gcr.io"), Some("gcloud"));
        assert_eq!(config.helper("quay.io"), None);
    }

    #[test]
    fn what_is_not_about_credentials_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/config.json");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, r#"{"psFormat": "x", "auths": {"https://r.test/v1/": {"auth": "YTpi"}}}"#)
            .unwrap();
        let mut config = Config::read(&path).unwrap();
        let password = Secret::new("geheim".to_owned());
        config.set("r.test", &Credential::Password { user: "me".to_owned(), password });
        config.write().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("psFormat") && !text.contains("geheim") && !text.contains("/v1/"), "{text}");
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o777, 0o600);
        let mut config = Config::read(&path).unwrap();
        assert_eq!(shown(config.credential("r.test").unwrap()), "me/geheim");
        assert!(config.remove("https://r.test"));
        assert!(!config.remove("r.test"));
    }

    #[test]
    fn broken_files_are_told_apart_from_missing_ones() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        assert!(Config::read(&path).unwrap().credential("a").unwrap().is_none());
        for text in ["{", "[]", r#"{"auths": 1}"#, r#"{"credHelpers": []}"#] {
            std::fs::write(&path, text).unwrap();
            assert!(Config::read(&path).is_err(), "{text}");
        }
        for auth in ["*", "eA==", "/w=="] {
            std::fs::write(&path, format!(r#"{{"auths": {{"a": {{"auth": "{auth}"}}}}}}"#)).unwrap();
            let error = Config::read(&path).unwrap().credential("a").unwrap_err().to_string();
            assert!(error.contains("the entry `a` has an `auth`"), "{error}");
        }
    }
}
