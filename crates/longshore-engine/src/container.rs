//! What a container is to be.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{HealthSpec, ImageSource, LogSpec, Mount, NetworkMode, PortBinding, Resources, Security};

/// What a container is to be: what the user said, over what the image says.
///
/// Absent and empty fields leave the image's value; engines fill it in when the container is made.
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with its own name")]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSpec {
    /// A name that is unique on this engine; a made-up one, if absent.
    pub name: Option<String>,
    /// What its root file system is made of.
    pub image: ImageSource,
    /// The platform to choose from an image of several, such as `linux/arm64`.
    pub platform: Option<String>,
    /// In place of the image's entrypoint; an empty list is none.
    pub entrypoint: Option<Vec<String>>,
    /// In place of the image's command.
    pub command: Vec<String>,
    /// Variables as `NAME=value`, over those of the image. Later ones win.
    pub env: Vec<String>,
    /// The working directory; made if it does not exist.
    pub working_directory: Option<String>,
    /// `user`, `uid`, `user:group` and so on.
    pub user: Option<String>,
    /// Run no program: the container just lives, reaps orphans, and ends with 0 when it is stopped. Entrypoint and
    /// command do not count. For containers whose work is execs.
    pub hold: bool,
    /// Give it a terminal.
    pub tty: bool,
    /// Keep its standard input open for those who attach.
    pub stdin: bool,
    /// Put a small init process in front that reaps orphans and hands signals on.
    pub init: bool,
    /// Host name; the short id, if absent.
    pub hostname: Option<String>,
    /// Domain name.
    pub domainname: Option<String>,
    /// Labels, over those of the image.
    pub labels: BTreeMap<String, String>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Containers whose mounts it gets too, by id or name.
    pub volumes_from: Vec<String>,
    /// What it is connected to.
    pub network: NetworkMode,
    /// Ports that are reachable on the machine.
    pub publish: Vec<PortBinding>,
    /// Publish all ports that the image names.
    pub publish_all: bool,
    /// Further ports of which the image could have named.
    pub expose: Vec<String>,
    /// Name servers in place of the engine's.
    pub dns: Vec<String>,
    /// Domains in which names are looked for.
    pub dns_search: Vec<String>,
    /// Options of the resolver.
    pub dns_options: Vec<String>,
    /// Further lines of `/etc/hosts` as `name:address`; the address `host-gateway` is the machine.
    pub extra_hosts: Vec<String>,
    /// What it may use up.
    pub resources: Resources,
    /// What it may do.
    pub security: Security,
    /// How to find out whether it is well.
    pub health: Option<HealthSpec>,
    /// Whether it is started again when it ends.
    pub restart: RestartPolicy,
    /// The signal that asks it to end, by name or number; `SIGTERM`, if absent.
    pub stop_signal: Option<String>,
    /// How long it has to end; 10 s, if absent.
    pub stop_timeout: Option<Duration>,
    /// Remove it when it ends.
    pub auto_remove: bool,
    /// Its files need not outlive a failure of the machine, so nothing waits for the disk.
    pub disposable: bool,
    /// How its output is kept.
    pub log: LogSpec,
}

/// Whether a container is started again when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RestartPolicy {
    /// No.
    #[default]
    No,
    /// If its exit code is not 0.
    OnFailure {
        /// So often at most; 0 is without limit.
        retries: u32,
    },
    /// Yes.
    Always,
    /// Yes, but not after it was stopped and the machine was started anew.
    UnlessStopped,
}

/// A text is not a restart policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a restart policy: `no`, `on-failure[:RETRIES]`, `always` or `unless-stopped`")]
pub struct RestartPolicyError(String);

impl FromStr for RestartPolicy {
    type Err = RestartPolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || RestartPolicyError(text.to_owned());
        match text.split_once(':') {
            Some(("on-failure", retries)) => {
                Ok(Self::OnFailure { retries: retries.parse().map_err(|_| wrong())? })
            }
            Some(_) => Err(wrong()),
            None => match text {
                "" | "no" => Ok(Self::No),
                "on-failure" => Ok(Self::OnFailure { retries: 0 }),
                "always" => Ok(Self::Always),
                "unless-stopped" => Ok(Self::UnlessStopped),
                _ => Err(wrong()),
            },
        }
    }
}

impl RestartPolicy {
    /// Docker's name of it, without the number of retries.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::OnFailure { .. } => "on-failure",
            Self::Always => "always",
            Self::UnlessStopped => "unless-stopped",
        }
    }
}

impl fmt::Display for RestartPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnFailure { retries } if *retries > 0 => write!(formatter, "on-failure:{retries}"),
            policy => formatter.write_str(policy.name()),
        }
    }
}
