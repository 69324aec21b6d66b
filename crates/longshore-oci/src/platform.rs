//! Platforms: operating system, architecture and variant, and which images run on which.
//!
//! Normalising and matching follow containerd's `platforms` library: an `arm64` machine also runs 32-bit `arm`, an `arm`
//! machine also what older versions ran, an `amd64` machine also `386`, each only if nothing nearer is offered.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json;

/// What content runs on, in the words of Go: `linux`, `amd64`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Platform {
    /// The architecture, such as `amd64`.
    pub architecture: String,
    /// The operating system, such as `linux`.
    pub os: String,
    /// The version of the operating system; matters on Windows.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the operating system must have, such as `win32k`.
    #[serde(
        rename = "os.features",
        default,
        deserialize_with = "json::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// The variant of the architecture, such as `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// A platform of operating system and architecture, as they are given.
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self { os: os.into(), architecture: architecture.into(), ..Self::default() }
    }

    /// The same platform with another variant.
    pub fn with_variant(self, variant: impl Into<String>) -> Self {
        Self { variant: Some(variant.into()).filter(|variant: &String| !variant.is_empty()), ..self }
    }

    /// The same platform in the usual words: `aarch64` is `arm64`, `macos` is `darwin`, a variant that goes without
    /// saying is left out, and `arm` has one.
    pub fn normalised(&self) -> Self {
        let (architecture, variant) =
            normalise_architecture(&self.architecture, self.variant.as_deref().unwrap_or_default());
        let mut os_features = self.os_features.clone();
        os_features.sort();
        os_features.dedup();
        let (os, os_version) = (normalise_os(&self.os), self.os_version.clone());
        Self { architecture, os, os_version, os_features, variant: None }.with_variant(variant)
    }

    /// Whether content for `offered` is content for this very platform. Names count in their usual form; the offered
    /// features must all be here; on Windows, the builds must be the same.
    pub fn matches(&self, offered: &Self) -> bool {
        let (this, other) = (self.normalised(), offered.normalised());
        let version_fits =
            this.os != "windows" || same_build(this.os_version.as_deref(), other.os_version.as_deref());
        (&this.os, &this.architecture, &this.variant) == (&other.os, &other.architecture, &other.variant)
            && other.os_features.iter().all(|feature| this.os_features.binary_search(feature).is_ok())
            && version_fits
    }

    /// Every platform whose content runs on this one, nearest first; the first is this platform itself.
    pub fn candidates(&self) -> Vec<Self> {
        let this = self.normalised();
        let variant = this.variant.clone().unwrap_or_default();
        let mut list = vec![this.clone()];
        let mut add = |architecture: &str, variant: String| {
            let next = Self { architecture: architecture.to_owned(), ..this.clone() };
            list.push(next.with_variant(variant));
        };
        match this.architecture.as_str() {
            "amd64" => {
                below(version(&variant).unwrap_or(1), 1).for_each(|v| add("amd64", format!("v{v}")));
                add("386", String::new());
            }
            "arm" => older_arm(&variant).for_each(|v| add("arm", v)),
            "arm64" => {
                let older = older_arm64(&variant);
                // A variant that does not exist says nothing about what else runs.
                let arm = if older.is_some() { &["v8", "v7", "v6", "v5"][..] } else { &[] };
                older.into_iter().flatten().for_each(|v| add("arm64", v));
                arm.iter().for_each(|v| add("arm", (*v).to_owned()));
            }
            _ => {}
        }
        list
    }
}

/// `v7` is 7. No architecture comes near the bound, which keeps lists short.
fn version(variant: &str) -> Option<u32> {
    variant.strip_prefix('v').unwrap_or(variant).parse().ok().filter(|version| *version <= 64)
}

/// The versions under `version`, down to `lowest`.
fn below(version: u32, lowest: u32) -> impl Iterator<Item = u32> {
    (lowest..version).rev()
}

fn older_arm(variant: &str) -> impl Iterator<Item = String> {
    below(version(variant).unwrap_or(0), 5).map(|version| format!("v{version}"))
}

/// What runs on a variant of arm64 besides itself: v9.x has all of v8.(x+5). Nothing for a variant that does not exist.
fn older_arm64(variant: &str) -> Option<Vec<String>> {
    let variant = if variant.is_empty() { "v8" } else { variant };
    let (major, minor) = variant.split_once('.').unwrap_or((variant, "0"));
    let minor = minor.parse().ok().filter(|minor| *minor < 10).unwrap_or(0);
    let dotted = |major: u32, minor: u32| match minor {
        0 => format!("v{major}"),
        _ => format!("v{major}.{minor}"),
    };
    match version(major) {
        Some(9) => {
            let ninth = below(minor, 0).map(|minor| dotted(9, minor));
            Some(ninth.chain(below(minor + 6, 0).map(|minor| dotted(8, minor))).collect())
        }
        Some(8) => Some(below(minor, 0).map(|minor| dotted(8, minor)).collect()),
        _ => None,
    }
}

/// Whether two versions of Windows have the same build, or one is not known.
fn same_build(this: Option<&str>, other: Option<&str>) -> bool {
    let (Some(this), Some(other)) = (this, other) else { return true };
    this.split('.').take(3).eq(other.split('.').take(3))
}

pub(crate) fn normalise_os(os: &str) -> String {
    match os.to_lowercase() {
        os if os == "macos" => "darwin".to_owned(),
        os => os,
    }
}

pub(crate) fn normalise_architecture(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = (architecture.to_lowercase(), variant.to_lowercase());
    let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "8.0" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.os)?;
        if self.os_version.is_some() || !self.os_features.is_empty() {
            write!(formatter, "({}", self.os_version.as_deref().unwrap_or_default())?;
            self.os_features.iter().try_for_each(|feature| write!(formatter, "+{feature}"))?;
            formatter.write_str(")")?;
        }
        let rest = [Some(self.architecture.as_str()), self.variant.as_deref()].into_iter().flatten();
        rest.filter(|part| !part.is_empty()).try_for_each(|part| write!(formatter, "/{part}"))
    }
}
