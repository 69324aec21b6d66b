//! The configuration of the image that a root becomes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use longshore_oci::{Digest, ExecutionConfig, History, ImageConfig, Platform, RootFs};
use serde_json::Map;

use crate::configure::PATH;

/// A root that was made, and what an image of it says of itself.
#[derive(Debug, Clone)]
pub struct Bootstrapped {
    /// The suite by its code name, such as `debian:bookworm`.
    pub name: String,
    /// The version of the distribution, such as `12.7`, if the archive gives one.
    pub version: Option<String>,
    /// What it runs on.
    pub platform: Platform,
    /// When the newest of its releases was made. No file of the root is newer.
    pub created: Timestamp,
    /// The packages, by name.
    pub packages: Vec<InstalledPackage>,
    /// Owners (user and group) that could not be set in the root because the user may not give files away, by path
    /// below the root. Whoever packs the layer writes them there.
    pub ownership: BTreeMap<Vec<u8>, (u32, u32)>,
    /// Whether the packages were configured.
    pub configured: bool,
}

/// A package of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture, or `all`.
    pub architecture: String,
}

impl Bootstrapped {
    /// The configuration of an image whose only layer has the digest `diff_id` when it is not compressed.
    pub fn image_config(&self, diff_id: Digest) -> ImageConfig {
        let created = self.created.to_string();
        let mut labels = BTreeMap::new();
        let (distribution, codename) = self.name.split_once(':').unwrap_or((&self.name, ""));
        labels.insert("org.opencontainers.image.created".to_owned(), created.clone());
        labels.insert("org.opencontainers.image.title".to_owned(), self.name.clone());
        let version = self.version.as_deref().unwrap_or(codename);
        labels.insert("org.opencontainers.image.version".to_owned(), version.to_owned());
        ImageConfig {
            created: Some(created.clone()),
            author: None,
            platform: self.platform.clone(),
            config: Some(ExecutionConfig {
                env: vec![format!("PATH={PATH}")],
                cmd: Some(vec!["bash".to_owned()]),
                labels,
                ..ExecutionConfig::default()
            }),
            rootfs: RootFs { kind: RootFs::LAYERS.to_owned(), diff_ids: vec![diff_id] },
            history: vec![History {
                created: Some(created),
                created_by: Some(format!("longshore image bootstrap {distribution}:{codename}")),
                author: None,
                comment: None,
                empty_layer: false,
            }],
            extra: Map::new(),
        }
    }
}

/// Names of architectures: in images (with a variant perhaps), and in archives.
const ARCHITECTURES: &[(&str, Option<&str>, &str)] = &[
    ("amd64", None, "amd64"),
    ("386", None, "i386"),
    ("arm64", None, "arm64"),
    ("arm", Some("v7"), "armhf"),
    ("arm", Some("v5"), "armel"),
    ("ppc64le", None, "ppc64el"),
    ("s390x", None, "s390x"),
    ("riscv64", None, "riscv64"),
    ("mips64le", None, "mips64el"),
    ("loong64", None, "loong64"),
];

/// What archives call the architecture of a platform.
pub(crate) fn architecture(platform: &Platform) -> Option<&'static str> {
    let platform = platform.normalised();
    if platform.os != "linux" {
        return None;
    }
    let variant = platform.variant.as_deref();
    let fits = |(name, own, _): &&(&str, Option<&str>, &str)| {
        *name == platform.architecture && (*name != "arm" || *own == Some(variant.unwrap_or("v7")))
    };
    ARCHITECTURES.iter().find(fits).map(|(_, _, name)| *name)
}
