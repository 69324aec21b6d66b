//! Networks that a container is connected to, or disconnected from, while its monitor lives.
//!
//! The monitor changes both, the container that runs and what is written down of it, so that whoever asks at the same
//! time loses nothing, and the next start finds what is told now. What is written down comes last: a monitor that is
//! killed before takes the container along, and nobody was told of a success.

use longshore_engine::{Attachment, EngineError};

use super::Monitor;
use crate::links;
use crate::record::RecordDto;

impl Monitor {
    /// Connects the container, which runs, to one more network.
    pub(super) fn connect_more(&mut self, attachment: &Attachment) -> Result<(), EngineError> {
        let record = self.with_network(attachment)?;
        let status = self.network.add(&self.home, &record, attachment, self.privilege)?;
        if let Err(error) = self.directory.write_record(&record) {
            let _ = self.network.remove(&self.home, &record, &attachment.network);
            return Err(error);
        }
        self.record = record;
        self.state.networks.insert(attachment.network.clone(), status);
        self.state.ports = self.network.published();
        self.write_state();
        Ok(())
    }

    /// Disconnects the container, which runs, from a network.
    pub(super) fn disconnect(&mut self, network: &str) -> Result<(), EngineError> {
        let record = self.without_network(network)?;
        self.network.remove(&self.home, &record, network)?;
        self.record = record;
        self.state.networks.remove(network);
        self.state.ports = self.network.published();
        self.write_state();
        self.directory.write_record(&self.record)
    }

    /// The container, which is about to be started again, will be on one more network.
    pub(super) fn connect_later(&mut self, attachment: &Attachment) -> Result<(), EngineError> {
        let record = self.with_network(attachment)?;
        self.keep(record)
    }

    /// The container, which is about to be started again, will not be on a network.
    pub(super) fn disconnect_later(&mut self, network: &str) -> Result<(), EngineError> {
        let record = self.without_network(network)?;
        self.keep(record)
    }

    /// Names the container as it is called now; it may have been renamed since it was started.
    pub(super) fn learn_name(&mut self) {
        if let Ok(name) = self.directory.name() {
            self.record.spec.name = Some(name);
        }
    }

    fn with_network(&mut self, attachment: &Attachment) -> Result<RecordDto, EngineError> {
        self.learn_name();
        let mut record = self.record.clone();
        links::add(&self.home, &mut record, attachment)?;
        Ok(record)
    }

    fn without_network(&self, network: &str) -> Result<RecordDto, EngineError> {
        let mut record = self.record.clone();
        links::take(&self.home, &mut record, network)?;
        Ok(record)
    }

    fn keep(&mut self, record: RecordDto) -> Result<(), EngineError> {
        self.directory.write_record(&record)?;
        self.record = record;
        Ok(())
    }
}
