//! Keys, and wrapping the key of a file with them.

use std::fmt;
use std::str::FromStr;

use longshore_core::Secret;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use thiserror::Error;
use x25519_dalek::{PublicKey as Point, StaticSecret};

use super::header::{Stanza, decode, encode};
use super::{DecryptError, EncryptError, bech32};

const PUBLIC_PREFIX: &str = "age";
const SECRET_PREFIX: &str = "age-secret-key-";
const X25519_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const SCRYPT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";

/// Whom a file is for: `age1…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// What opens a file: `AGE-SECRET-KEY-1…`.
#[derive(Clone)]
pub struct SecretKey(StaticSecret);

/// A text is no key, or a file of keys holds something else. What stands there is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A text is no key.
    #[error("it is no key of age")]
    NotAKey,
    /// A line is.
    #[error("line {line} is no key of age")]
    Line {
        /// From 1.
        line: usize,
    },
    /// There is none.
    #[error("it holds no key")]
    Empty,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&bech32::encode(PUBLIC_PREFIX, &self.0))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = bech32::decode(PUBLIC_PREFIX, text).ok_or(KeyError::NotAKey)?;
        bytes.try_into().map(Self).map_err(|_| KeyError::NotAKey)
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = bech32::decode(SECRET_PREFIX, text).ok_or(KeyError::NotAKey)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::NotAKey)?;
        Ok(Self(StaticSecret::from(bytes)))
    }
}

impl SecretKey {
    /// A new one.
    pub fn generate() -> Result<Self, EncryptError> {
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        Ok(Self(StaticSecret::from(bytes)))
    }

    /// As it is written.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(bech32::encode(SECRET_PREFIX, self.0.as_bytes()).to_uppercase())
    }

    /// Whom others encrypt for so that it opens the file.
    pub fn public(&self) -> PublicKey {
        PublicKey(Point::from(&self.0).to_bytes())
    }

    /// The key of a file, if the stanza is for this key.
    pub(super) fn unwrap(&self, stanza: &Stanza) -> Result<Option<[u8; 16]>, DecryptError> {
        let [_, share] = stanza.words.as_slice() else { return Err(DecryptError::Damaged) };
        let share: Option<[u8; 32]> = decode(share).and_then(|share| share.try_into().ok());
        let share = share.ok_or(DecryptError::Damaged)?;
        let shared = self.0.diffie_hellman(&Point::from(share));
        if !shared.was_contributory() {
            return Err(DecryptError::Damaged);
        }
        let salt = [share, self.public().0].concat();
        let key = derive(shared.as_bytes(), &salt, X25519_INFO).ok_or(DecryptError::Damaged)?;
        open_key(&key, &stanza.body)
    }
}

impl PublicKey {
    /// The key of a file for this recipient.
    pub(super) fn wrap(&self, key: &[u8; 16]) -> Result<Stanza, EncryptError> {
        let once = SecretKey::generate()?;
        let share = once.public().0;
        let shared = once.0.diffie_hellman(&Point::from(self.0));
        if !shared.was_contributory() {
            return Err(EncryptError::Keys);
        }
        let salt = [share, self.0].concat();
        let wrap = derive(shared.as_bytes(), &salt, X25519_INFO).ok_or(EncryptError::Keys)?;
        Ok(Stanza { words: vec!["X25519".to_owned(), encode(&share)], body: seal_key(&wrap, key)? })
    }
}

/// The key of a file for everyone who knows a passphrase.
pub(super) fn wrap_by_passphrase(
    key: &[u8; 16],
    passphrase: &Secret<String>,
    work: u8,
) -> Result<Stanza, EncryptError> {
    let mut salt = [0; 16];
    random(&mut salt)?;
    let wrap = stretched(passphrase, &salt, work).ok_or(EncryptError::Keys)?;
    let words = vec!["scrypt".to_owned(), encode(&salt), work.to_string()];
    Ok(Stanza { words, body: seal_key(&wrap, key)? })
}

/// The key of a file, if this is its passphrase.
pub(super) fn unwrap_by_passphrase(
    stanza: &Stanza,
    passphrase: &Secret<String>,
    most_work: u8,
) -> Result<Option<[u8; 16]>, DecryptError> {
    let [_, salt, work] = stanza.words.as_slice() else { return Err(DecryptError::Damaged) };
    let salt: Option<[u8; 16]> = decode(salt).and_then(|salt| salt.try_into().ok());
    let salt = salt.ok_or(DecryptError::Damaged)?;
    let is_plain = work.bytes().all(|byte| byte.is_ascii_digit()) && !work.starts_with('0');
    let work: u8 = work.parse().ok().filter(|_| is_plain).ok_or(DecryptError::Damaged)?;
    if work > most_work {
        return Err(DecryptError::TooMuchWork);
    }
    let wrap = stretched(passphrase, &salt, work).ok_or(DecryptError::Damaged)?;
    open_key(&wrap, &stanza.body)
}

fn stretched(passphrase: &Secret<String>, salt: &[u8; 16], work: u8) -> Option<[u8; 32]> {
    let params = scrypt::Params::new(work, 8, 1, 32).ok()?;
    let salt = [SCRYPT_LABEL, salt].concat();
    let mut key = [0; 32];
    scrypt::scrypt(passphrase.expose().as_bytes(), &salt, &params, &mut key).ok()?;
    Some(key)
}

/// Wrapping keys are used once, so that their nonce is always zero.
fn seal_key(wrap: &[u8; 32], key: &[u8; 16]) -> Result<Vec<u8>, EncryptError> {
    let mut body = key.to_vec();
    let wrap = aead(wrap).ok_or(EncryptError::Keys)?;
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    wrap.seal_in_place_append_tag(nonce, Aad::empty(), &mut body).map_err(|_| EncryptError::Keys)?;
    Ok(body)
}

fn open_key(wrap: &[u8; 32], body: &[u8]) -> Result<Option<[u8; 16]>, DecryptError> {
    if body.len() != 32 {
        return Err(DecryptError::Damaged);
    }
    let mut body = body.to_vec();
    let wrap = aead(wrap).ok_or(DecryptError::Damaged)?;
    let opened = wrap.open_in_place(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut body);
    Ok(opened.ok().and_then(|key| (&*key).try_into().ok()))
}

pub(super) fn aead(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key).ok().map(LessSafeKey::new)
}

/// HKDF with SHA-256.
pub(super) fn derive(key: &[u8], salt: &[u8], info: &[u8]) -> Option<[u8; 32]> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    let mut derived = [0; 32];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(key);
    extracted.expand(&[info], Length).and_then(|key| key.fill(&mut derived)).ok()?;
    Some(derived)
}

pub(super) fn random(bytes: &mut [u8]) -> Result<(), EncryptError> {
    SystemRandom::new().fill(bytes).map_err(|_| EncryptError::Keys)
}

/// The keys of a file as `age-keygen` writes it: a key on each line, with comments.
pub fn parse_identities(text: &str) -> Result<Vec<SecretKey>, KeyError> {
    parse_lines(text)
}

/// The recipients of a file: a public key on each line, with comments.
pub fn parse_recipients(text: &str) -> Result<Vec<PublicKey>, KeyError> {
    parse_lines(text)
}

fn parse_lines<K: FromStr>(text: &str) -> Result<Vec<K>, KeyError> {
    let lines = text.lines().map(str::trim).enumerate();
    let written = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let keys: Result<Vec<K>, KeyError> =
        written.map(|(at, line)| line.parse().map_err(|_| KeyError::Line { line: at + 1 })).collect();
    keys.and_then(|keys| if keys.is_empty() { Err(KeyError::Empty) } else { Ok(keys) })
}
