//! The encrypted file of secrets: finding what opens it, reading and writing it.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use longshore_core::Secret;
use longshore_secrets::age::{
    self, DecryptError, EncryptError, Identity, KeyError, PublicKey, Recipients, SecretKey,
};
use thiserror::Error;

use crate::exit::Blame;
use crate::failure::Explained;
use crate::output::Output;
use crate::settings::Environment;

/// The name of the file in a project.
pub(crate) const USUAL: &str = ".secrets.age";

/// An encrypted file of secrets, with what opens it.
pub(crate) struct Vault {
    path: PathBuf,
    identity: Option<PathBuf>,
    usual_identity: Option<PathBuf>,
    passphrase: Option<Secret<String>>,
}

/// The file cannot be read or written.
#[derive(Debug, Error)]
pub(crate) enum VaultError {
    #[error("failed to read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("failed to open the secrets in `{}`", path.display())]
    Decrypt { path: PathBuf, source: DecryptError },
    #[error("failed to encrypt the secrets for `{}`", path.display())]
    Encrypt { path: PathBuf, source: EncryptError },
    #[error("failed to read the keys in `{}`", path.display())]
    Keys { path: PathBuf, source: KeyError },
    #[error("there is no identity that opens `{}`", path.display())]
    NoIdentity { path: PathBuf },
    #[error("there is no passphrase for `{}`, and no terminal to ask for it", path.display())]
    NoPassphrase { path: PathBuf },
    #[error("the secrets in `{}` are not text", path.display())]
    Text { path: PathBuf },
}

impl Explained for VaultError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read { .. } | Self::Write { .. } | Self::Encrypt { .. } => Blame::Environment,
            _ => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoIdentity { .. } => Some(
                "give `--identity FILE`, or set LONGSHORE_AGE_IDENTITY, or put the file at ~/.config/longshore/identity.txt"
                    .to_owned(),
            ),
            Self::NoPassphrase { .. } => Some("set LONGSHORE_AGE_PASSPHRASE".to_owned()),
            Self::Decrypt { source: DecryptError::NoMatch, .. } => {
                Some("ask somebody who can open it to add your public key to its `.recipients` file".to_owned())
            }
            _ => None,
        }
    }
}

impl Vault {
    /// The file at `path`, opened by the identity that is given, or by the usual one.
    pub(crate) fn new(path: PathBuf, identity: Option<&Path>, environment: &Environment) -> Self {
        let named = environment.var("LONGSHORE_AGE_IDENTITY").map(PathBuf::from);
        let config = environment.var("XDG_CONFIG_HOME").map(PathBuf::from);
        let config = config.or_else(|| environment.var("HOME").map(|home| Path::new(home).join(".config")));
        Self {
            path,
            identity: identity.map(Path::to_owned).or(named),
            usual_identity: config.map(|config| config.join("longshore/identity.txt")),
            passphrase: environment.var("LONGSHORE_AGE_PASSPHRASE").map(|text| Secret::new(text.to_owned())),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The text of the file; `None` if there is no file yet.
    pub(crate) fn read(&mut self, output: &mut Output) -> Result<Option<String>, VaultError> {
        let file = match std::fs::read(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(VaultError::Read { path: self.path.clone(), source }),
        };
        let path = self.path.clone();
        let failed = |source| VaultError::Decrypt { path: path.clone(), source };
        let identities = if age::wants_passphrase(&file).map_err(failed)? {
            vec![Identity::Passphrase(self.passphrase(output)?)]
        } else {
            self.passphrase = None;
            let keys = self.keys()?.ok_or_else(|| VaultError::NoIdentity { path: path.clone() })?;
            keys.into_iter().map(Identity::Key).collect()
        };
        let plain = age::decrypt(&file, &identities).map_err(failed)?;
        String::from_utf8(plain).map(Some).map_err(|_| VaultError::Text { path })
    }

    /// Writes the file anew: for the passphrase, if one opens it, else for the own key and those of its recipients.
    pub(crate) fn write(&mut self, text: &str, output: &mut Output) -> Result<(), VaultError> {
        let recipients = match &self.passphrase {
            Some(passphrase) => Recipients::Passphrase(passphrase.clone()),
            None => Recipients::Keys(self.recipients(output)?),
        };
        let failed = |source| VaultError::Encrypt { path: self.path.clone(), source };
        let file = age::encrypt(text.as_bytes(), &recipients).map_err(failed)?;
        replace(&self.path, &file, 0o600)
    }

    /// Has the file opened by a passphrase from now on.
    pub(crate) fn use_passphrase(&mut self, output: &mut Output) -> Result<(), VaultError> {
        self.passphrase(output).map(drop)
    }

    fn passphrase(&mut self, output: &mut Output) -> Result<Secret<String>, VaultError> {
        if self.passphrase.is_none() {
            let prompt = format!("Passphrase of {}: ", self.path.display());
            let path = &self.path;
            let answer = crate::prompt::hidden(&prompt, output)
                .map_err(|source| VaultError::Read { path: path.clone(), source })?;
            self.passphrase = answer.filter(|answer| !answer.is_empty()).map(Secret::new);
        }
        self.passphrase.clone().ok_or_else(|| VaultError::NoPassphrase { path: self.path.clone() })
    }

    /// The own keys; `None` if there are none and none were named.
    fn keys(&self) -> Result<Option<Vec<SecretKey>>, VaultError> {
        let Some(path) = self.identity.as_ref().or(self.usual_identity.as_ref()) else { return Ok(None) };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Secret::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.identity.is_none() => {
                return Ok(None);
            }
            Err(source) => return Err(VaultError::Read { path: path.clone(), source }),
        };
        let keys = age::parse_identities(text.expose());
        keys.map(Some).map_err(|source| VaultError::Keys { path: path.clone(), source })
    }

    /// Whom the file is for: whoever has the own key, which is made if there is none, and those beside the file.
    fn recipients(&self, output: &mut Output) -> Result<Vec<PublicKey>, VaultError> {
        let keys = match self.keys()? {
            Some(keys) => keys,
            None => vec![self.make_key(output)?],
        };
        let mut recipients: Vec<PublicKey> = keys.iter().map(SecretKey::public).collect();
        let path = beside(&self.path);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let others = age::parse_recipients(&text);
                recipients.extend(others.map_err(|source| VaultError::Keys { path, source })?);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(VaultError::Read { path, source }),
        }
        Ok(recipients)
    }

    fn make_key(&self, output: &mut Output) -> Result<SecretKey, VaultError> {
        let no_identity = || VaultError::NoIdentity { path: self.path.clone() };
        let path = self.usual_identity.as_ref().ok_or_else(no_identity)?;
        let failed = |source| VaultError::Encrypt { path: self.path.clone(), source };
        let key = SecretKey::generate().map_err(failed)?;
        let public = key.public();
        let text = format!("# public key: {public}\n{}\n", key.to_text().expose());
        if let Some(directory) = path.parent() {
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
            made.map_err(|source| VaultError::Write { path: directory.to_owned(), source })?;
        }
        replace(path, text.as_bytes(), 0o600)?;
        output.talk(&format!("made the identity `{}`; its public key is {public}\n", path.display()));
        Ok(key)
    }
}

/// The file of further recipients.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".recipients");
    path.with_file_name(name)
}

/// Writes a file elsewhere and renames it.
fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), VaultError> {
    let failed = |source| VaultError::Write { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|source| {
        let _ = std::fs::remove_file(&temporary);
        failed(source)
    })
}
