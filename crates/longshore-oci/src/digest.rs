//! Digests: `algorithm:encoded`, the names of all content.
//!
//! The grammar is that of the image specification, section "Digests"; the algorithms that can be computed are those of
//! `go-digest`, whose error texts these are. A digest with an unknown algorithm is a digest all the same: documents may
//! hold it, but nothing can be verified with it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A digest in its textual form. Its text holds no path separator and no dots-only component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest {
    text: String,
    /// Where the colon is.
    colon: usize,
}

/// A hash function that this crate computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// What nearly all content is named with.
    Sha256,
    /// Known to Docker's library, used by nobody.
    Sha384,
    /// The other one that the image specification registers.
    Sha512,
}

/// Why a text is no digest that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It does not follow the grammar.
    #[error("invalid checksum digest format")]
    InvalidFormat,
    /// The algorithm makes longer or shorter digests.
    #[error("invalid checksum digest length")]
    InvalidLength,
    /// The algorithm is not known.
    #[error("unsupported digest algorithm")]
    Unsupported,
}

impl Algorithm {
    /// The algorithm of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Its name in digests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits its digests have.
    pub fn hex_digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// The digest of some bytes.
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl Digest {
    /// Reads a digest. One with an unknown algorithm is taken if it follows the grammar; [`Digest::algorithm`] tells.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let (name, encoded) = text.split_once(':').ok_or(DigestError::InvalidFormat)?;
        if let Some(algorithm) = Algorithm::from_name(name) {
            if encoded.is_empty() {
                return Err(DigestError::InvalidFormat);
            }
            if encoded.len() != algorithm.hex_digits() {
                return Err(DigestError::InvalidLength);
            }
            if !encoded.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                return Err(DigestError::InvalidFormat);
            }
        } else if !is_algorithm(name) || !is_encoded(encoded) {
            return Err(DigestError::InvalidFormat);
        }
        Ok(Self { text: text.to_owned(), colon: name.len() })
    }

    /// The SHA-256 digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Algorithm::Sha256.digest(bytes)
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name of the algorithm, which may be unknown.
    pub fn algorithm_name(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// The algorithm, if it is known.
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::from_name(self.algorithm_name())
    }

    /// What follows the colon; hexadecimal for known algorithms.
    pub fn encoded(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }

    /// Whether this is the digest of these bytes. Fails if the algorithm is unknown.
    pub fn verify(&self, bytes: &[u8]) -> Result<bool, DigestError> {
        let algorithm = self.algorithm().ok_or(DigestError::Unsupported)?;
        Ok(algorithm.digest(bytes) == *self)
    }
}

fn is_algorithm(name: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.split(['+', '.', '_', '-']).all(part)
}

fn is_encoded(encoded: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'_' | b'-');
    !encoded.is_empty() && encoded.bytes().all(allowed)
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        Self::parse(&text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.text
    }
}

/// Computes a digest of content that comes in parts.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// Begins with no content.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha384 => State::Sha384(Sha384::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes the next part.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha384(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all parts.
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => named(Algorithm::Sha256, &state.finalize()),
            State::Sha384(state) => named(Algorithm::Sha384, &state.finalize()),
            State::Sha512(state) => named(Algorithm::Sha512, &state.finalize()),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hasher")
    }
}

fn named(algorithm: Algorithm, hash: &[u8]) -> Digest {
    let name = algorithm.name();
    let mut text = String::with_capacity(name.len() + 1 + hash.len() * 2);
    text.push_str(name);
    text.push(':');
    for byte in hash {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    Digest { text, colon: name.len() }
}
