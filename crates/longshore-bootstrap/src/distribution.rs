//! Which distribution and which of its suites: `debian:bookworm`, `debian:12`, `ubuntu:noble`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A family of archives with keys, default mirrors and habits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Distribution {
    /// Debian.
    Debian,
    /// Ubuntu.
    Ubuntu,
}

/// A suite of a distribution's archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Suite {
    distribution: Distribution,
    name: String,
}

/// A text names no suite.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SuiteError {
    /// The distribution is not known.
    #[error("`{0}` is no distribution that can be bootstrapped; `debian` and `ubuntu` are")]
    UnknownDistribution(String),
    /// The version has no code name here.
    #[error("{distribution} has no release `{version}` that is known here; give its code name")]
    UnknownVersion {
        /// Whose version.
        distribution: Distribution,
        /// The version as given.
        version: String,
    },
    /// It cannot be the name of a suite.
    #[error("`{0}` cannot be the name of a suite, which is letters, digits and `-`, such as `bookworm`")]
    Name(String),
    /// It is a tag of an image, not the name of a suite.
    #[error("`{given}` is a tag of the image of a registry; the suite is called `{suite}`")]
    Tag {
        /// The text as given.
        given: String,
        /// The suite that was probably meant.
        suite: String,
    },
}

const DEBIAN_VERSIONS: &[(&str, &str)] = &[
    ("8", "jessie"),
    ("9", "stretch"),
    ("10", "buster"),
    ("11", "bullseye"),
    ("12", "bookworm"),
    ("13", "trixie"),
    ("14", "forky"),
];

const UBUNTU_VERSIONS: &[(&str, &str)] = &[
    ("16.04", "xenial"),
    ("18.04", "bionic"),
    ("20.04", "focal"),
    ("22.04", "jammy"),
    ("23.10", "mantic"),
    ("24.04", "noble"),
    ("24.10", "oracular"),
    ("25.04", "plucky"),
    ("25.10", "questing"),
    ("26.04", "resolute"),
];

impl Distribution {
    /// The name in lower case, as in `debian:bookworm`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
        }
    }

    /// The name that the release must give as its origin.
    pub const fn origin(self) -> &'static str {
        match self {
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu",
        }
    }

    const fn versions(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Debian => DEBIAN_VERSIONS,
            Self::Ubuntu => UBUNTU_VERSIONS,
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.origin())
    }
}

impl Suite {
    /// Whose suite it is.
    pub const fn distribution(&self) -> Distribution {
        self.distribution
    }

    /// Its name below `dists/`: a code name, or an alias such as `stable`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether updates and security fixes come in suites of their own. They do not for what is always in motion.
    pub(crate) fn has_pockets(&self) -> bool {
        let moving = ["sid", "unstable", "experimental", "rc-buggy", "testing", "devel"];
        // Before bullseye, Debian named the suite of security fixes otherwise.
        let otherwise = ["jessie", "stretch", "buster"];
        !moving.contains(&self.name.as_str()) && !otherwise.contains(&self.name.as_str())
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.distribution.id(), self.name)
    }
}

impl FromStr for Suite {
    type Err = SuiteError;

    /// Reads `DISTRIBUTION:SUITE`, where the suite may be a version. `debian` alone is `debian:stable`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (distribution, release) = text.split_once(':').unwrap_or((text, ""));
        let distribution = match distribution {
            "debian" => Distribution::Debian,
            "ubuntu" => Distribution::Ubuntu,
            _ => return Err(SuiteError::UnknownDistribution(distribution.to_owned())),
        };
        let name = match (distribution, release) {
            (Distribution::Debian, "" | "latest") => "stable",
            (_, version) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                let known = distribution.versions().iter().find(|(number, _)| *number == version);
                let unknown = || SuiteError::UnknownVersion { distribution, version: version.to_owned() };
                known.map(|(_, name)| *name).ok_or_else(unknown)?
            }
            (_, name) => name,
        };
        if let Some(suite) = name.strip_suffix("-slim") {
            return Err(SuiteError::Tag { given: name.to_owned(), suite: suite.to_owned() });
        }
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 64 || name.starts_with('-') || !name.chars().all(is_plain) {
            return Err(SuiteError::Name(name.to_owned()));
        }
        Ok(Self { distribution, name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Suite, SuiteError};

    #[test]
    fn suites_are_named_by_code_name_alias_or_version() {
        for (text, suite) in [
            ("debian:bookworm", "debian:bookworm"),
            ("debian:12", "debian:bookworm"),
            ("debian:stable", "debian:stable"),
            ("debian", "debian:stable"),
            ("debian:latest", "debian:stable"),
            ("ubuntu:noble", "ubuntu:noble"),
            ("ubuntu:24.04", "ubuntu:noble"),
            ("debian:experimental", "debian:experimental"),
        ] {
            assert_eq!(text.parse::<Suite>().map(|suite| suite.to_string()), Ok(suite.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_names_no_suite_is_refused() {
        for text in
            ["alpine:3.20", "debian:99", "debian:12.5", "ubuntu", "debian:../x", "debian:Book", "debian:-x"]
        {
            assert!(text.parse::<Suite>().is_err(), "{text}");
        }
        let tag = SuiteError::Tag { given: "bookworm-slim".to_owned(), suite: "bookworm".to_owned() };
        assert_eq!("debian:bookworm-slim".parse::<Suite>(), Err(tag));
    }
}
