//! Connecting containers to networks, and disconnecting them, while they run or not.

use longshore_engine::{Attachment, ContainerId, EngineError, Fault, NetworkMode};

use crate::control::RequestDto;
use crate::engine::NativeEngine;
use crate::record::{ContainerDirectory, LiveLock};

impl NativeEngine {
    /// Connects a container to one more network; one that does not run will be in it when it is started.
    ///
    /// # Errors
    ///
    /// If it is in it already, or cannot be.
    pub fn connect_network(&self, id: &ContainerId, attachment: &Attachment) -> Result<(), EngineError> {
        let name = &attachment.network;
        if self.status(id)?.state.is_alive() && self.status(id)?.networks.contains_key(name) {
            return Err(already(id, name));
        }
        let add = |mode: &mut NetworkMode| -> Result<(), EngineError> {
            let mut networks = named(mode)?;
            if networks.iter().any(|it| it.network == *name) {
                return Err(already(id, name));
            }
            networks.push(attachment.clone());
            *mode = NetworkMode::Networks(networks);
            Ok(())
        };
        self.change(id, RequestDto::Connect(attachment.clone()), add)
    }

    /// Disconnects a container from a network.
    ///
    /// # Errors
    ///
    /// If it is not in it.
    pub fn disconnect_network(&self, id: &ContainerId, network: &str) -> Result<(), EngineError> {
        let take = |mode: &mut NetworkMode| -> Result<(), EngineError> {
            let mut networks = named(mode)?;
            let before = networks.len();
            networks.retain(|it| it.network != network);
            if networks.len() == before {
                let message = format!("container {} is not connected to network {network}", id.short());
                return Err(EngineError::new(Fault::NotFound, message));
            }
            *mode = if networks.is_empty() { NetworkMode::None } else { NetworkMode::Networks(networks) };
            Ok(())
        };
        self.change(id, RequestDto::Disconnect { network: network.to_owned() }, take)
    }

    /// Asks the monitor of one that runs, and writes down what holds from the next start on.
    fn change(
        &self,
        id: &ContainerId,
        request: RequestDto,
        edit: impl Fn(&mut NetworkMode) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let directory = ContainerDirectory::new(self.engine_home(), id);
        let mut record = directory.record()?;
        edit(&mut record.spec.network)?;
        // With the lock, nobody starts it meanwhile; without, its monitor is the one to ask.
        if let Some(lock) = LiveLock::take(self.engine_home(), id)? {
            let written = directory.write_record(&record);
            lock.end();
            return written;
        }
        self.ask(id, request)?;
        directory.write_record(&record)
    }
}

fn already(id: &ContainerId, network: &str) -> EngineError {
    let message = format!("container {} is in network {network} already", id.short());
    EngineError::new(Fault::Conflict, message)
}

/// The networks that a mode means, if it means networks.
fn named(mode: &NetworkMode) -> Result<Vec<Attachment>, EngineError> {
    match mode {
        NetworkMode::Networks(networks) => Ok(networks.clone()),
        NetworkMode::Default => {
            Ok(vec![Attachment { network: longshore_network::DEFAULT.to_owned(), ..Attachment::default() }])
        }
        NetworkMode::None => Ok(Vec::new()),
        NetworkMode::Host | NetworkMode::Container(_) => {
            let message = "the container has the network of something else, and cannot be in others";
            Err(EngineError::new(Fault::Invalid, message))
        }
    }
}
