//! How people write platforms: `linux/amd64`, `linux/arm64/v8`, `arm64`, `windows(10.0.17763)/amd64`.

use crate::Platform;
use crate::platform::{normalise_architecture, normalise_os};

/// Operating systems that may stand alone.
const SYSTEMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

/// Architectures that may stand alone.
const ARCHITECTURES: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "ppc64",
    "ppc64le",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

/// Why a text names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// A part is empty or has other characters.
    #[error(
        "`{part}` is no part of a platform; write `OS/ARCHITECTURE` or `OS/ARCHITECTURE/VARIANT`, such as `linux/arm64`"
    )]
    Part {
        /// The part.
        part: String,
    },
    /// There are too many parts.
    #[error("`{0}` has more than three parts; write `OS/ARCHITECTURE/VARIANT`, such as `linux/arm/v7`")]
    TooManyParts(String),
    /// One word alone that is neither operating system nor architecture.
    #[error(
        "`{0}` is neither an operating system nor an architecture; write `OS/ARCHITECTURE`, such as `linux/amd64`"
    )]
    Unknown(String),
}

impl Platform {
    /// Reads what a person wrote. What is left out is taken from `host`.
    pub fn parse(text: &str, host: &Self) -> Result<Self, PlatformError> {
        let mut parts = text.split('/');
        let first = parts.next().unwrap_or_default();
        let (os, os_version, os_features) = system(first)?;
        let architecture = parts.next().map(part).transpose()?;
        let variant = parts.next().map(part).transpose()?;
        if parts.next().is_some() {
            return Err(PlatformError::TooManyParts(text.to_owned()));
        }
        let platform = Self { os, os_version, os_features, ..Self::default() };
        match (architecture, variant) {
            (Some(architecture), Some(variant)) => {
                let (architecture, variant) = normalise_architecture(architecture, variant);
                // Who names the variant of arm64 sees it again, though it goes without saying.
                let variant =
                    if architecture == "arm64" && variant.is_empty() { "v8".to_owned() } else { variant };
                Ok(Self { architecture, ..platform }.with_variant(variant))
            }
            (Some(architecture), None) => Ok(platform.with_architecture(architecture)),
            (None, _) => platform.alone(first, host),
        }
    }

    /// This system, or the host's if the only word is an architecture.
    fn alone(self, word: &str, host: &Self) -> Result<Self, PlatformError> {
        if SYSTEMS.contains(&self.os.as_str()) {
            let variant = host.variant.clone().unwrap_or_default();
            let variant = if host.architecture == "arm" && variant != "v7" { variant } else { String::new() };
            return Ok(Self { architecture: host.architecture.clone(), ..self }.with_variant(variant));
        }
        let platform = Self::new(host.os.clone(), "").with_architecture(word);
        if ARCHITECTURES.contains(&platform.architecture.as_str()) {
            return Ok(platform);
        }
        Err(PlatformError::Unknown(word.to_owned()))
    }

    fn with_architecture(self, architecture: &str) -> Self {
        let (architecture, variant) = normalise_architecture(architecture, "");
        let variant = if architecture == "arm" && variant == "v7" { String::new() } else { variant };
        Self { architecture, ..self }.with_variant(variant)
    }
}

fn part(text: &str) -> Result<&str, PlatformError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if !text.is_empty() && text.bytes().all(allowed) {
        return Ok(text);
    }
    Err(PlatformError::Part { part: text.to_owned() })
}

/// `os`, or `os(version+feature+feature)`.
fn system(text: &str) -> Result<(String, Option<String>, Vec<String>), PlatformError> {
    let malformed = || PlatformError::Part { part: text.to_owned() };
    let (os, options) = match text.split_once('(') {
        Some((os, rest)) => (os, rest.strip_suffix(')').ok_or_else(malformed)?),
        None => (text, ""),
    };
    part(os)?;
    if os.contains('.') {
        return Err(malformed());
    }
    let mut options = options.split('+');
    let version = options.next().filter(|version| !version.is_empty());
    let features: Vec<&str> = options.collect();
    if version.iter().chain(&features).any(|option| part(option).is_err()) {
        return Err(malformed());
    }
    let features = features.into_iter().map(str::to_owned).collect();
    Ok((normalise_os(os), version.map(str::to_owned), features))
}
