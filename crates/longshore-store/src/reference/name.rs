//! Names of refs: a namespace, which decides on retention, and any text.

use std::fmt;
use std::str::FromStr;

/// Longer names are refused. References of images have at most 255 + 1 + 128 + 1 + 135 bytes.
const MOST_BYTES: usize = 1024;

/// What a ref is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Namespace {
    /// What workflows publish.
    Artifact,
    /// Fetched actions.
    Action,
    /// Results of build steps.
    Build,
    /// What workflows cache.
    Cache,
    /// What containers were made of.
    Container,
    /// Images by their full references.
    Image,
    /// What ran things printed.
    Log,
}

/// The name of a ref. It prints as `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName {
    namespace: Namespace,
    name: String,
}

/// A text cannot name a ref.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefNameError {
    /// It is empty.
    #[error("the name of a ref in `{0}` is empty")]
    Empty(Namespace),
    /// It is too long.
    #[error("the name of a ref has {0} bytes, of which at most {MOST_BYTES} are allowed")]
    TooLong(usize),
    /// It does not begin with a namespace.
    #[error("`{0}` does not begin with a namespace, such as `image/`")]
    Namespace(String),
}

impl Namespace {
    /// All there are.
    pub const ALL: [Self; 7] =
        [Self::Artifact, Self::Action, Self::Build, Self::Cache, Self::Container, Self::Image, Self::Log];

    /// Its word, which is also its directory.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Artifact => "artifact",
            Self::Action => "action",
            Self::Build => "build",
            Self::Cache => "cache",
            Self::Container => "container",
            Self::Image => "image",
            Self::Log => "log",
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl RefName {
    /// A name. Any text will do if it is not empty and not absurdly long.
    pub fn new(namespace: Namespace, name: impl Into<String>) -> Result<Self, RefNameError> {
        let name = name.into();
        match name.len() {
            0 => Err(RefNameError::Empty(namespace)),
            1..=MOST_BYTES => Ok(Self { namespace, name }),
            length => Err(RefNameError::TooLong(length)),
        }
    }

    /// What it is for.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// The name within the namespace.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for RefName {
    type Err = RefNameError;

    fn from_str(text: &str) -> Result<Self, RefNameError> {
        let unknown = || RefNameError::Namespace(text.chars().take(80).collect());
        let (word, name) = text.split_once('/').ok_or_else(unknown)?;
        let namespace = Namespace::ALL.into_iter().find(|each| each.as_str() == word).ok_or_else(unknown)?;
        Self::new(namespace, name)
    }
}
