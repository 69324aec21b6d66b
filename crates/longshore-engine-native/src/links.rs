//! Connecting containers to networks, and disconnecting them, while they run or not.

use std::time::{Duration, Instant};

use longshore_engine::{Attachment, ContainerId, EngineError, Fault, NetworkMode};

use crate::control::RequestDto;
use crate::engine::NativeEngine;
use crate::engine::lifetime::LEAVING;
use crate::home::Home;
use crate::record::{ContainerDirectory, LiveLock, RecordDto};

impl NativeEngine {
    /// Connects a container to one more network; one that does not run will be in it when it is started.
    ///
    /// # Errors
    ///
    /// If it is in it already, or cannot be.
    pub fn connect_network(&self, id: &ContainerId, attachment: &Attachment) -> Result<(), EngineError> {
        let edit = |record: &mut RecordDto| add(self.engine_home(), record, attachment);
        self.change(id, &RequestDto::Connect(attachment.clone()), edit)
    }

    /// Disconnects a container from a network.
    ///
    /// # Errors
    ///
    /// If it is not in it.
    pub fn disconnect_network(&self, id: &ContainerId, network: &str) -> Result<(), EngineError> {
        let edit = |record: &mut RecordDto| take(self.engine_home(), record, network);
        self.change(id, &RequestDto::Disconnect { network: network.to_owned() }, edit)
    }

    /// Writes down what holds from the next start on, or has the monitor of one that runs do so.
    fn change(
        &self,
        id: &ContainerId,
        request: &RequestDto,
        edit: impl Fn(&mut RecordDto) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let directory = ContainerDirectory::new(self.engine_home(), id);
        let since = Instant::now();
        loop {
            // With the lock, nobody starts it meanwhile; without, its monitor is the one to ask.
            if let Some(lock) = LiveLock::take(self.engine_home(), id)? {
                let written = directory.record().and_then(|mut record| {
                    edit(&mut record)?;
                    directory.write_record(&record)
                });
                lock.end();
                return written;
            }
            match self.client(id) {
                Ok(mut client) => return client.ask(request.clone()),
                // Its monitor is about to begin, or to leave.
                Err(error) if error.fault == Fault::Conflict && since.elapsed() < LEAVING => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Adds a network to those that a container is to be in.
pub(crate) fn add(home: &Home, record: &mut RecordDto, attachment: &Attachment) -> Result<(), EngineError> {
    let mut networks = named(&record.spec.network)?;
    let name = &attachment.network;
    if networks.iter().any(|it| crate::network::is_network(home, &it.network, name)) {
        let message = format!("container {} is in network {name} already", record.id.short());
        return Err(EngineError::new(Fault::Conflict, message));
    }
    networks.push(attachment.clone());
    record.spec.network = NetworkMode::Networks(networks);
    Ok(())
}

/// Takes a network from those that a container is to be in.
pub(crate) fn take(home: &Home, record: &mut RecordDto, name: &str) -> Result<(), EngineError> {
    let mut networks = named(&record.spec.network)?;
    let before = networks.len();
    networks.retain(|it| !crate::network::is_network(home, &it.network, name));
    if networks.len() == before {
        let message = format!("container {} is not connected to network {name}", record.id.short());
        return Err(EngineError::new(Fault::NotFound, message));
    }
    record.spec.network =
        if networks.is_empty() { NetworkMode::None } else { NetworkMode::Networks(networks) };
    Ok(())
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
