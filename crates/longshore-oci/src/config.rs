//! Image configurations: what an image is made of, and how it wants to be run.
//!
//! The fields are those of the image specification and those that Docker's image specification 1.2 and 1.3 add:
//! health checks, `ONBUILD` instructions, the shell, memory and CPU limits.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::{DocumentError, from_value};
use crate::{ChainId, Digest, Platform, json, name_set};

/// The configuration of an image. Its digest is the image's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When the image was made, as RFC 3339 writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What it runs on.
    #[serde(flatten)]
    pub platform: Platform,
    /// How it wants to be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ExecutionConfig>,
    /// Its layers.
    pub rootfs: RootFs,
    /// How it was made, earliest first.
    #[serde(default, deserialize_with = "json::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How an image wants to be run. Everything is a default that the user may override.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ExecutionConfig {
    /// `user`, `uid`, `user:group` and so on; empty is root.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Ports by `80/tcp`.
    #[serde(with = "name_set", skip_serializing_if = "BTreeSet::is_empty")]
    pub exposed_ports: BTreeSet<String>,
    /// Variables as `NAME=value`.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The command that arguments are added to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// The arguments, or the command if there is no entrypoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Directories that are to be volumes.
    #[serde(with = "name_set", skip_serializing_if = "BTreeSet::is_empty")]
    pub volumes: BTreeSet<String>,
    /// The working directory.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Free-form notes.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The signal that asks the process to end, such as `SIGTERM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// How many seconds it has to end. Docker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    /// For Windows: the command is one line and escaped already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args_escaped: Option<bool>,
    /// The limit of memory in bytes. Docker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<i64>,
    /// The limit of memory and swap in bytes; -1 for no swap. Docker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_swap: Option<i64>,
    /// The weight in sharing CPUs. Docker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_shares: Option<i64>,
    /// How to find out whether a container is well. Docker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Instructions for builds upon this image. Docker's.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    /// The shell of instructions in shell form. Docker's.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub shell: Vec<String>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Docker's health check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// The test, with its kind in front; see [`Healthcheck::test`].
    #[serde(
        rename = "Test",
        deserialize_with = "json::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub words: Vec<String>,
    /// Nanoseconds between tests; 0 is the engine's default, as for the other fields.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// Nanoseconds that one test may take.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// Nanoseconds during which failures do not count.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// Nanoseconds between tests during the start period.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// How many failures in a row make a container unhealthy.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "is_zero")]
    pub retries: i64,
}

/// What a health check runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthTest<'a> {
    /// Whatever the image below says.
    Inherited,
    /// Nothing: the check is switched off.
    Disabled,
    /// A command and its arguments.
    Command(&'a [String]),
    /// A line for the image's shell.
    Shell(&'a str),
    /// A kind that is not known.
    Unknown(&'a str),
}

/// The layers of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digests of the layers' uncompressed archives, lowest first.
    #[serde(deserialize_with = "json::null_as_default")]
    pub diff_ids: Vec<Digest>,
}

/// One step in the making of an image.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// When, as RFC 3339 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether the step made no layer.
    #[serde(deserialize_with = "json::null_as_default", skip_serializing_if = "is_false")]
    pub empty_layer: bool,
}

impl ImageConfig {
    /// Reads a configuration.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        const DOCUMENT: &str = "image configuration";
        let config: Self = from_value(DOCUMENT, json::read(bytes)?)?;
        if config.rootfs.kind == RootFs::LAYERS {
            return Ok(config);
        }
        Err(DocumentError::Unsupported {
            document: DOCUMENT,
            field: "rootfs.type",
            value: format!("`{}`", config.rootfs.kind),
        })
    }

    /// The name of all layers together; nothing if there are none.
    pub fn chain_id(&self) -> Option<ChainId> {
        ChainId::of(&self.rootfs.diff_ids)
    }
}

impl RootFs {
    /// The only kind there is.
    pub const LAYERS: &'static str = "layers";
}

impl Healthcheck {
    /// What is to be run.
    pub fn test(&self) -> HealthTest<'_> {
        let Some((kind, rest)) = self.words.split_first() else { return HealthTest::Inherited };
        match (kind.as_str(), rest) {
            ("NONE", _) => HealthTest::Disabled,
            ("CMD", command) => HealthTest::Command(command),
            ("CMD-SHELL", [line, ..]) => HealthTest::Shell(line),
            _ => HealthTest::Unknown(kind),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
