//! Files encrypted with age, <https://age-encryption.org/v1>: for X25519 keys or a passphrase, binary or armored.
//!
//! Written here and not taken from the crate `age`, which brings some sixty packages (translations among them) for what is a
//! small format on top of primitives that we have. The primitives are `ring`'s, `x25519-dalek`'s and `scrypt`'s.

mod armor;
mod bech32;
mod header;
mod key;
mod payload;
#[cfg(test)]
mod tests;

use longshore_core::Secret;
use thiserror::Error;

use header::{Header, Stanza};
pub use key::{KeyError, PublicKey, SecretKey, parse_identities, parse_recipients};

/// Larger files are refused.
pub const MAX_SIZE: usize = 16 * 1024 * 1024;

/// The work of deriving a key from a passphrase, as a power of two; about a second on an ordinary machine.
const WORK: u8 = 18;
/// More work than this is a way to keep us busy.
const MOST_WORK: u8 = 22;

/// What opens a file.
#[derive(Debug)]
pub enum Identity {
    /// A key.
    Key(SecretKey),
    /// A passphrase.
    Passphrase(Secret<String>),
}

/// Whom a file is for.
#[derive(Debug)]
pub enum Recipients {
    /// Everyone who has the secret key of one of these.
    Keys(Vec<PublicKey>),
    /// Everyone who knows this.
    Passphrase(Secret<String>),
}

/// A file cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecryptError {
    /// It is something else.
    #[error("it is no file encrypted with age")]
    NotAge,
    /// It is of a newer version.
    #[error("it was encrypted with a newer version of age")]
    Version,
    /// It is damaged or was changed.
    #[error("it is damaged, or somebody changed it")]
    Damaged,
    /// Nothing that was tried opens it.
    #[error("it is encrypted for other keys")]
    NoMatch,
    /// The passphrase is another one.
    #[error("the passphrase is wrong")]
    Passphrase,
    /// Trying a passphrase would take too long.
    #[error("it wants more work for its passphrase than is allowed")]
    TooMuchWork,
    /// It is too large.
    #[error("it is larger than {} MiB", MAX_SIZE / 1024 / 1024)]
    TooLarge,
}

/// A file cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncryptError {
    /// It is for nobody.
    #[error("there is nobody to encrypt for")]
    Nobody,
    /// There are no random numbers, or a key is weak.
    #[error("the keys of the file cannot be made")]
    Keys,
}

/// Whether a file is opened by a passphrase.
pub fn wants_passphrase(file: &[u8]) -> Result<bool, DecryptError> {
    let binary = armor::open(file)?;
    Ok(Header::parse(&binary)?.0.stanzas.iter().any(|stanza| stanza.kind() == "scrypt"))
}

/// Opens a file.
pub fn decrypt(file: &[u8], identities: &[Identity]) -> Result<Vec<u8>, DecryptError> {
    if file.len() > MAX_SIZE {
        return Err(DecryptError::TooLarge);
    }
    let binary = armor::open(file)?;
    let (header, rest) = Header::parse(&binary)?;
    let is_scrypt = |stanza: &Stanza| stanza.kind() == "scrypt";
    if header.stanzas.iter().any(is_scrypt) && header.stanzas.len() != 1 {
        // Else who knows the passphrase could not be sure that the file comes from somebody who knows it.
        return Err(DecryptError::Damaged);
    }
    let key = file_key(&header.stanzas, identities)?;
    header.verify(&key)?;
    payload::open(&key, rest)
}

/// Writes a file, armored, so that version control shows that it is text.
pub fn encrypt(plain: &[u8], recipients: &Recipients) -> Result<Vec<u8>, EncryptError> {
    encrypt_with(plain, recipients, WORK)
}

fn encrypt_with(plain: &[u8], recipients: &Recipients, work: u8) -> Result<Vec<u8>, EncryptError> {
    let mut key = [0; 16];
    key::random(&mut key)?;
    let stanzas = match recipients {
        Recipients::Keys(keys) if keys.is_empty() => return Err(EncryptError::Nobody),
        Recipients::Keys(keys) => keys.iter().map(|to| to.wrap(&key)).collect::<Result<Vec<_>, _>>()?,
        Recipients::Passphrase(passphrase) => vec![key::wrap_by_passphrase(&key, passphrase, work)?],
    };
    let mut file = Header::write(&stanzas, &key)?;
    payload::seal(&key, plain, &mut file)?;
    Ok(armor::close(&file))
}

/// The key of the file, from the first stanza that something opens.
fn file_key(stanzas: &[Stanza], identities: &[Identity]) -> Result<[u8; 16], DecryptError> {
    let mut wrong_passphrase = false;
    for stanza in stanzas {
        for identity in identities {
            let opened = match (identity, stanza.kind()) {
                (Identity::Key(key), "X25519") => key.unwrap(stanza)?,
                (Identity::Passphrase(passphrase), "scrypt") => {
                    let opened = key::unwrap_by_passphrase(stanza, passphrase, MOST_WORK)?;
                    wrong_passphrase |= opened.is_none();
                    opened
                }
                _ => None,
            };
            if let Some(key) = opened {
                return Ok(key);
            }
        }
    }
    Err(if wrong_passphrase { DecryptError::Passphrase } else { DecryptError::NoMatch })
}
