//! Keys and versions of cache entries, by the rules of `@actions/cache`.

use std::fmt;
use std::str::FromStr;

use crate::digest::sha256;

/// The key of a cache entry, or the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CacheKey(String);

/// A text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheKeyError {
    /// It is empty.
    #[error("the key is empty")]
    Empty,
    /// It is too long.
    #[error("the key has more than {LONGEST} characters")]
    Long,
    /// It holds a comma, which separates keys.
    #[error("the key `{0}` holds a comma")]
    Comma(String),
}

const LONGEST: usize = 512;
/// What `@actions/cache` adds to every version.
const SALT: &str = "1.0";

impl CacheKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CacheKey {
    type Err = CacheKeyError;

    fn from_str(text: &str) -> Result<Self, CacheKeyError> {
        if text.is_empty() {
            return Err(CacheKeyError::Empty);
        }
        // JavaScript counts UTF-16 units.
        if text.encode_utf16().count() > LONGEST {
            return Err(CacheKeyError::Long);
        }
        if text.contains(',') {
            return Err(CacheKeyError::Comma(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The version of an entry: the paths as the workflow gives them, and how they are packed.
///
/// With `gzip` or `zstd-without-long` it is the version that `@actions/cache` computes on Linux. Entries that are held as
/// trees should name a packing of their own, so that the original action is not offered what it cannot unpack.
pub fn cache_version(paths: &[String], packing: &str) -> String {
    let mut parts: Vec<&str> = paths.iter().map(String::as_str).collect();
    parts.push(packing);
    parts.push(SALT);
    sha256(parts.join("|").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_the_action_takes() {
        assert!("npm-Linux-abc".parse::<CacheKey>().is_ok());
        assert!("ä".repeat(LONGEST).parse::<CacheKey>().is_ok());
        assert_eq!("".parse::<CacheKey>(), Err(CacheKeyError::Empty));
        assert_eq!("x".repeat(LONGEST + 1).parse::<CacheKey>(), Err(CacheKeyError::Long));
        assert_eq!("a,b".parse::<CacheKey>(), Err(CacheKeyError::Comma("a,b".to_owned())));
    }

    #[test]
    fn the_version_is_the_digest_of_what_the_action_joins() {
        let paths = ["~/.npm".to_owned(), "dist".to_owned()];
        assert_eq!(cache_version(&paths, "zstd-without-long"), sha256(b"~/.npm|dist|zstd-without-long|1.0"));
    }
}
