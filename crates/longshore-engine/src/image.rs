//! What a container's root file system is made of.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a root file system comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImageSource {
    /// An image by the reference or id that the user gave.
    Image(String),
    /// This machine's root file system, copy on write, with private and hidden parts. No name of an image.
    Host,
    /// A directory that is used as it is, and changed.
    Directory(PathBuf),
}

impl ImageSource {
    /// The name of the built-in image that is this machine.
    pub const HOST: &'static str = "host";

    /// What a text on a command line means: `host`, or an image.
    pub fn parse(text: &str) -> Self {
        if text == Self::HOST { Self::Host } else { Self::Image(text.to_owned()) }
    }
}

impl Default for ImageSource {
    fn default() -> Self {
        Self::Image(String::new())
    }
}

impl fmt::Display for ImageSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(name) => formatter.write_str(name),
            Self::Host => formatter.write_str(Self::HOST),
            Self::Directory(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// The id of an image: the digest of its configuration, or `host`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageId(pub String);

impl fmt::Display for ImageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
