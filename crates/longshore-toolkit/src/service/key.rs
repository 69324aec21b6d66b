//! The key of an installation, with which it signs who its jobs are.
//!
//! It is an RSA key, because `RS256` is what GitHub signs with and what others are told to expect. It is made once and
//! kept, so that who trusted it before trusts it after. Signing is `ring`'s, which makes no RSA keys; the `rsa` crate
//! makes it, and is used for nothing else.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs8::EncodePrivateKey as _;
use serde_json::{Value, json};

use super::token::encode;
use crate::depot::random_name;
use crate::digest::sha256;

const NAME: &str = "oidc-rs256.pk8";
const BITS: usize = 2048;

/// The key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system refused something.
    #[error("failed to {action} the key `{}`", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The file holds no key that can be used.
    #[error("`{}` holds no RSA key; remove it, and another is made", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// There is no randomness, or too little memory.
    #[error("failed to {0} with a key of RSA")]
    Failed(&'static str),
}

/// The key.
pub(super) struct IdentityKey {
    pair: RsaKeyPair,
    id: String,
    modulus: String,
    exponent: String,
}

impl IdentityKey {
    /// Reads the key of a directory; makes it if there is none.
    pub(super) fn open(directory: &Path) -> Result<Self, KeyError> {
        let path = directory.join(NAME);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(directory, &path)?,
            other => other.map_err(|source| KeyError::Io { action: "read", path: path.clone(), source })?,
        };
        let pair = RsaKeyPair::from_pkcs8(&bytes).map_err(|_| KeyError::Malformed { path })?;
        let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
        let (modulus, exponent) = (encode(&public.n), encode(&public.e));
        let id = sha256(modulus.as_bytes()).get(..32).unwrap_or_default().to_owned();
        Ok(Self { pair, id, modulus, exponent })
    }

    /// A token with claims.
    pub(super) fn token(&self, claims: &Value) -> Result<String, KeyError> {
        let head = json!({"typ": "JWT", "alg": "RS256", "kid": self.id});
        let text = format!("{}.{}", encode(head.to_string()), encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| KeyError::Failed("sign"))?;
        Ok(format!("{text}.{}", encode(signature)))
    }

    /// The public half, as a set of keys (RFC 7517).
    pub(super) fn set(&self) -> Value {
        json!({"keys": [{
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.id, "n": self.modulus, "e": self.exponent,
        }]})
    }
}

/// Makes a key. Of two processes that do so at once the first one's is used by both.
fn make(directory: &Path, path: &Path) -> Result<Vec<u8>, KeyError> {
    let failed = |_| KeyError::Failed("begin");
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, BITS).map_err(failed)?;
    let document = key.to_pkcs8_der().map_err(|_| KeyError::Failed("begin"))?;
    let new = directory.join(format!(".{NAME}.{}", random_name().map_err(|_| KeyError::Failed("begin"))?));
    let write = || {
        fs::create_dir_all(directory)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(document.as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&new, path);
        fs::remove_file(&new)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => fs::read(path),
        }
    };
    write().map_err(|source| KeyError::Io { action: "make", path: path.to_owned(), source })
}
