//! Sandboxes: a name, and what the containers of that name are connected to.
//!
//! Each is one file under `sandboxes`, called as the sandbox is, because that is what must be unique: the file is written
//! elsewhere and linked, which only one can do. A sandbox with a network of its own is complete when the file says so; a
//! file that its maker left unfinished is cleared away by the next who wants the name.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use longshore_engine::{
    Attachment, EngineError, Fault, LabelSelector, NetworkMode, SandboxId, SandboxNetwork, SandboxSpec,
    SandboxStatus,
};
use longshore_network::{CreateError, LookupError, NetworkSpec};
use serde::{Deserialize, Serialize};

use crate::engine::HandsOn;
use crate::home::{Home, io_error};
use crate::process::ProcessDto;
use crate::volume::is_name;

/// What a sandbox is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SandboxDto {
    /// The format's version.
    version: u32,
    id: SandboxId,
    name: String,
    labels: BTreeMap<String, String>,
    network: SandboxNetwork,
    /// Who makes it, until it is made.
    maker: Option<ProcessDto>,
}

/// The sandboxes of an engine.
pub(crate) struct Sandboxes<'a> {
    home: &'a Home,
    hands_on: &'a HandsOn,
}

impl<'a> Sandboxes<'a> {
    pub(crate) fn of(home: &'a Home, hands_on: &'a HandsOn) -> Self {
        Self { home, hands_on }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.sandboxes().join(name)
    }

    /// Makes a sandbox.
    pub(crate) fn create(&self, spec: &SandboxSpec) -> Result<SandboxId, EngineError> {
        let name = &spec.name;
        if !is_name(name) {
            let message =
                format!("invalid sandbox name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
            return Err(EngineError::new(Fault::Invalid, message));
        }
        if let SandboxNetwork::Existing(network) = &spec.network {
            let networks = crate::network::open(self.home)?;
            networks.inspect(network).map_err(|error| {
                let fault = if matches!(error, LookupError::NotFound(_)) {
                    Fault::NotFound
                } else {
                    Fault::Environment
                };
                EngineError::new(fault, format!("failed to make the sandbox {name}")).because(error)
            })?;
        }
        let mut record = SandboxDto {
            version: 1,
            id: SandboxId::of(crate::create::random()?),
            name: name.clone(),
            labels: spec.labels.clone(),
            network: spec.network.clone(),
            maker: ProcessDto::own(),
        };
        self.claim(&record)?;
        let made = self.make_network(spec).and_then(|()| {
            record.maker = None;
            let path = self.path(name);
            // Under a name that is none of a sandbox, until it is whole.
            let new = self.path(&format!(".{}", record.id));
            fs::write(&new, written(&record)?)
                .and_then(|()| fs::rename(&new, &path))
                .map_err(|error| io_error("write", &path, error))
        });
        match made {
            Ok(()) => Ok(record.id),
            Err(error) => {
                // The first error is the one to tell.
                let _ = fs::remove_file(self.path(name));
                Err(error)
            }
        }
    }

    /// Takes the name.
    fn claim(&self, record: &SandboxDto) -> Result<(), EngineError> {
        let path = self.path(&record.name);
        let new = self.path(&format!(".{}", record.id));
        let failed = |error| io_error("make the sandbox in", &path, error);
        fs::write(&new, written(record)?).map_err(failed)?;
        let claimed = loop {
            match fs::hard_link(&new, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match self.read(&record.name) {
                    Ok(Some(other)) if other.is_abandoned() => {
                        if let Err(error) = self.remove(&other) {
                            break Err(error);
                        }
                    }
                    Ok(Some(_)) => {
                        let message = format!("the sandbox name \"{}\" is already in use", record.name);
                        break Err(EngineError::new(Fault::Conflict, message));
                    }
                    // Removed in the meantime.
                    Ok(None) => {}
                    Err(error) => break Err(error),
                },
                result => break result.map_err(failed),
            }
        };
        let _ = fs::remove_file(&new);
        claimed
    }

    fn make_network(&self, spec: &SandboxSpec) -> Result<(), EngineError> {
        if !matches!(spec.network, SandboxNetwork::Own | SandboxNetwork::Internal) {
            return Ok(());
        }
        let network = NetworkSpec {
            name: spec.name.clone(),
            internal: spec.network == SandboxNetwork::Internal,
            transient: true,
            labels: spec.labels.clone(),
            ..NetworkSpec::default()
        };
        let attempt = || format!("failed to make the network of the sandbox {}", spec.name);
        let networks = crate::network::open(self.home)?;
        let owner = self.hands_on.begin().then(crate::network::spare::own).flatten();
        let taken_over = owner.map(|owner| networks.take_over(&network, &owner)).transpose();
        match taken_over.and_then(|taken| taken.flatten().map_or_else(|| networks.create(&network), Ok)) {
            Ok(_) => Ok(()),
            Err(error @ CreateError::Exists { .. }) => {
                Err(EngineError::new(Fault::Conflict, attempt()).because(error))
            }
            Err(error) => {
                let blame = error.blame();
                Err(crate::network::failed(attempt(), blame, error))
            }
        }
    }

    /// What a container that says nothing is connected to.
    pub(crate) fn network(&self, id: &SandboxId) -> Result<NetworkMode, EngineError> {
        let Some(record) = self.find(id)? else {
            return Err(EngineError::new(Fault::NotFound, format!("no such sandbox: {}", id.short())));
        };
        let on = |network| NetworkMode::Networks(vec![Attachment { network, ..Attachment::default() }]);
        Ok(match record.network {
            SandboxNetwork::Own | SandboxNetwork::Internal => on(record.name),
            SandboxNetwork::Existing(network) => on(network),
            SandboxNetwork::Host => NetworkMode::Host,
            SandboxNetwork::None => NetworkMode::None,
        })
    }

    /// A sandbox by its id.
    pub(crate) fn find(&self, id: &SandboxId) -> Result<Option<SandboxDto>, EngineError> {
        for name in self.names()? {
            if let Some(record) = self.read(&name)?.filter(|record| record.id == *id) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// The sandboxes with certain labels.
    pub(crate) fn list(&self, labels: &LabelSelector) -> Result<Vec<SandboxStatus>, EngineError> {
        let mut found = Vec::new();
        for name in self.names()? {
            if let Some(record) = self.read(&name)?.filter(|record| labels.matches(&record.labels)) {
                found.push(SandboxStatus { id: record.id, name: record.name, labels: record.labels });
            }
        }
        Ok(found)
    }

    fn names(&self) -> Result<Vec<String>, EngineError> {
        let path = self.home.sandboxes();
        let entries = fs::read_dir(&path).map_err(|error| io_error("list", &path, error))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter(|name| is_name(name)).collect())
    }

    fn read(&self, name: &str) -> Result<Option<SandboxDto>, EngineError> {
        let path = self.path(name);
        let bytes = match fs::read(&path) {
            // It was not on the disk when the machine lost its power, and nothing of it is left.
            Ok(bytes) if bytes.is_empty() => {
                let _ = fs::remove_file(&path);
                return Ok(None);
            }
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", &path, error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| io_error("read", &path, error.into()))
    }

    /// Removes a sandbox in which nothing is any more.
    pub(crate) fn remove(&self, record: &SandboxDto) -> Result<(), EngineError> {
        if matches!(record.network, SandboxNetwork::Own | SandboxNetwork::Internal) {
            let attempt = || format!("failed to remove the network of the sandbox {}", record.name);
            let networks = crate::network::open(self.home)?;
            match networks.inspect(&record.name) {
                Ok(network) => {
                    let owner = self.hands_on.keeps().then(crate::network::spare::own).flatten();
                    let set_aside = owner.map(|owner| networks.set_aside(&network, &owner)).transpose();
                    set_aside
                        .and_then(|done| if done == Some(true) { Ok(()) } else { networks.remove(&network) })
                        .map_err(|error| EngineError::new(Fault::Conflict, attempt()).because(error))?;
                }
                Err(LookupError::NotFound(_)) => {}
                Err(error) => {
                    let blame = error.blame();
                    return Err(crate::network::failed(attempt(), blame, error));
                }
            }
        }
        let path = self.path(&record.name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", &path, error)),
            _ => Ok(()),
        }
    }
}

impl SandboxDto {
    /// Whether its maker was killed.
    fn is_abandoned(&self) -> bool {
        self.maker.is_some_and(|maker| !maker.is_alive())
    }
}

fn written(record: &SandboxDto) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(record)
        .map_err(|error| EngineError::new(Fault::Bug, "failed to write what a sandbox is").because(error))
}
