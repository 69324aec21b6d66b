//! What connects a container: its networks, its published ports, its files of names.

use std::collections::BTreeMap;

use longshore_engine::{Attachment, ContainerId, EngineError, Fault, NetworkStatus, PortBinding};

use crate::home::Home;
use crate::launch::Privilege;
use crate::record::RecordDto;

/// The networks that a container is in, and what serves them.
#[derive(Debug, Default)]
pub(crate) struct Connected {}

/// How a container was connected.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) networks: BTreeMap<String, NetworkStatus>,
    pub(crate) ports: Vec<PortBinding>,
    pub(crate) warnings: Vec<String>,
}

impl Connected {
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "until networks are joined")]
    pub(crate) fn connect(
        &mut self,
        _home: &Home,
        _record: &RecordDto,
        _process: (i32, bool),
        _privilege: Privilege,
    ) -> Result<Connection, EngineError> {
        Ok(Connection::default())
    }

    #[expect(clippy::unused_self, reason = "until networks are joined")]
    pub(crate) fn disconnect(&mut self, _home: &Home, _id: &ContainerId) {}

    #[expect(clippy::unused_self, reason = "until networks are joined")]
    pub(crate) fn add(
        &mut self,
        _home: &Home,
        _record: &RecordDto,
        _pid: i32,
        _attachment: &Attachment,
    ) -> Result<NetworkStatus, EngineError> {
        Err(EngineError::new(Fault::Unsupported, "networks are not joined"))
    }

    #[expect(clippy::unused_self, reason = "until networks are joined")]
    pub(crate) fn remove(
        &mut self,
        _home: &Home,
        _record: &RecordDto,
        _pid: i32,
        _network: &str,
    ) -> Result<(), EngineError> {
        Err(EngineError::new(Fault::Unsupported, "networks are not joined"))
    }
}

/// Gives back what a container had of its networks.
pub(crate) fn forget(_home: &Home, _id: &ContainerId) {}

/// Clears away what belongs to no container, and says what it was.
pub(crate) fn reap(_home: &Home) -> Vec<String> {
    Vec::new()
}
