//! Groups of containers with one network.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::SandboxId;

/// What a sandbox is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SandboxSpec {
    /// A name that is unique on this engine; it names the network, too.
    pub name: String,
    /// Labels by which it can be found again.
    pub labels: BTreeMap<String, String>,
    /// What its containers are connected to.
    pub network: SandboxNetwork,
}

/// What the containers of a sandbox are connected to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SandboxNetwork {
    /// A network of its own, in which containers find each other by name and alias, and which reaches the outside.
    #[default]
    Own,
    /// A network of its own without a way out.
    Internal,
    /// An existing network.
    Existing(String),
    /// The machine's.
    Host,
    /// Nothing.
    None,
}

/// What is known of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxStatus {
    /// Its id.
    pub id: SandboxId,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}
