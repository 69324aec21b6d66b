//! Names of artifacts and of the files in them, by the rules of `@actions/artifact`.

use std::fmt;
use std::str::FromStr;

/// What neither names nor paths may hold, because some file systems cannot.
const FORBIDDEN: &[char] = &['"', ':', '<', '>', '|', '*', '?', '\r', '\n'];
/// What names may not hold besides.
const SEPARATORS: &[char] = &['\\', '/'];

/// The name of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactName(String);

/// A text is not the name of an artifact or of a file in one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty.
    #[error("the name is empty")]
    Empty,
    /// It is `.` or `..`.
    #[error("`{0}` is no name")]
    Dots(String),
    /// It is too long.
    #[error("the name has more than {LONGEST} bytes")]
    Long,
    /// It holds a character that some file systems cannot store.
    #[error("`{name}` holds {character:?}, which some file systems cannot store")]
    Character {
        /// The name.
        name: String,
        /// The character.
        character: char,
    },
}

const LONGEST: usize = 260;

impl ArtifactName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArtifactName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            "" => return Err(NameError::Empty),
            "." | ".." => return Err(NameError::Dots(text.to_owned())),
            _ if text.len() > LONGEST => return Err(NameError::Long),
            _ => {}
        }
        check(text, |character| FORBIDDEN.contains(&character) || SEPARATORS.contains(&character))?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Holds the path of a file in an artifact against the rules.
pub(crate) fn check_path(path: &str) -> Result<(), NameError> {
    if path.is_empty() {
        return Err(NameError::Empty);
    }
    check(path, |character| FORBIDDEN.contains(&character))
}

fn check(text: &str, forbidden: impl Fn(char) -> bool) -> Result<(), NameError> {
    match text.chars().find(|&character| character == '\0' || forbidden(character)) {
        Some(character) => Err(NameError::Character { name: text.to_owned(), character }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_every_file_system_takes() {
        for name in ["a", "my artifact", "über-1.2", "a'b", "...", "coverage (3.12)"] {
            assert_eq!(name.parse::<ArtifactName>().map(|name| name.to_string()), Ok(name.to_owned()));
        }
        for name in
            ["", ".", "..", "a/b", "a\\b", "a:b", "a*", "a?", "\"", "<", ">", "|", "a\nb", "a\rb", "a\0b"]
        {
            assert!(name.parse::<ArtifactName>().is_err(), "{name:?}");
        }
        assert_eq!("x".repeat(LONGEST + 1).parse::<ArtifactName>(), Err(NameError::Long));
        assert!(check_path("dir/sub\\x").is_ok() && check_path("dir/a:b").is_err());
    }
}
