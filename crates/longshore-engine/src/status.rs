//! What a container is doing.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{ContainerId, ContainerSpec, HealthStatus, ImageId, PortBinding, SandboxId};

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerState {
    /// Made, and never started.
    Created,
    /// Its process runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// Its process ended, and it will be started again.
    Restarting,
    /// It is being removed.
    Removing,
    /// Its process ended.
    Exited,
    /// Its process is gone and how it ended is not known: what watched it was killed.
    Dead,
}

impl ContainerState {
    /// The word that Docker uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// Whether its process exists.
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExitStatus {
    /// The exit code; 128 and the signal's number, if a signal ended it.
    pub code: i32,
    /// The kernel killed a process of the container because memory ran out.
    pub out_of_memory: bool,
}

impl ExitStatus {
    /// Whether the exit code is 0.
    pub fn is_success(self) -> bool {
        self.code == 0
    }
}

/// What is observed of a container.
#[derive(Debug, Clone)]
pub struct ContainerStatus {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// The sandbox it is in.
    pub sandbox: Option<SandboxId>,
    /// What it was made of.
    pub image: ImageId,
    /// What it was meant to be; what the image added is filled in.
    pub spec: ContainerSpec,
    /// What it is doing.
    pub state: ContainerState,
    /// The process on the machine, while it runs.
    pub pid: Option<i32>,
    /// How it ended, if it ended.
    pub exit: Option<ExitStatus>,
    /// Why it could not be started, if it could not.
    pub error: Option<String>,
    /// When it was made: nanoseconds since 1970.
    pub created: i128,
    /// When it was last started: nanoseconds since 1970.
    pub started: Option<i128>,
    /// When it last ended: nanoseconds since 1970.
    pub finished: Option<i128>,
    /// How often it was started again by its restart policy.
    pub restarts: u32,
    /// Its health, if it is checked.
    pub health: Option<HealthStatus>,
    /// Its networks by name.
    pub networks: BTreeMap<String, NetworkStatus>,
    /// The ports that are published; every host port is filled in.
    pub ports: Vec<PortBinding>,
}

/// A container's place in a network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NetworkStatus {
    /// The network's id.
    pub network_id: String,
    /// The id of the place itself; empty while the container does not run.
    #[serde(default)]
    pub endpoint_id: String,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Bits of the network's prefix.
    pub prefix: u8,
    /// The way out.
    pub gateway: Option<IpAddr>,
    /// Its hardware address.
    pub mac: String,
    /// Further names.
    pub aliases: Vec<String>,
}

/// Labels that a container must have: each name, with the value if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector(pub Vec<(String, Option<String>)>);

impl LabelSelector {
    /// Whether labels are as asked for.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(name, wanted)| {
            labels.get(name).is_some_and(|value| wanted.as_ref().is_none_or(|wanted| wanted == value))
        })
    }
}
