//! Networks that a container comes to, or leaves, while it runs.
//!
//! Published ports lead to the first of its networks and the default route to the first that has an outside, so both move
//! on when that one goes.

use std::os::fd::AsFd as _;

use longshore_engine::{Attachment, EngineError, Fault, NetworkStatus};
use longshore_network::Departure;

use super::{Connected, failed, files, status};
use crate::home::Home;
use crate::launch::Privilege;
use crate::record::RecordDto;

impl Connected {
    /// Connects a container that runs to one more network.
    pub(crate) fn add(
        &mut self,
        home: &Home,
        record: &RecordDto,
        attachment: &Attachment,
        privilege: Privilege,
    ) -> Result<NetworkStatus, EngineError> {
        if self.endpoints.iter().any(|(network, _)| network.name == attachment.network) {
            let message = format!("the container is on the network {} already", attachment.network);
            return Err(EngineError::new(Fault::Conflict, message));
        }
        self.join(home, record, attachment, privilege)?;
        match self.settle(home, record).map(|()| self.endpoints.last()) {
            Ok(Some((_, endpoint))) => Ok(status(endpoint, attachment)),
            Ok(None) => Err(EngineError::new(Fault::Bug, "a network that was joined is missing")),
            Err(error) => {
                // Who asked is told that it failed, so nothing of it is to stay.
                let _ = self.remove(home, record, &attachment.network);
                Err(error)
            }
        }
    }

    /// Disconnects a container that runs from a network.
    pub(crate) fn remove(&mut self, home: &Home, record: &RecordDto, name: &str) -> Result<(), EngineError> {
        let Some(position) = self.endpoints.iter().position(|(network, _)| network.name == name) else {
            let message = format!("the container is not on the network {name}");
            return Err(EngineError::new(Fault::NotFound, message));
        };
        let networks = self.networks(home)?;
        if position == 0 {
            self.forwarding = None;
        }
        let (network, endpoint) = self.endpoints.remove(position);
        if position < self.cables.len() {
            self.cables.remove(position);
            if let Some(namespace) = &self.namespace {
                networks
                    .unplug(&endpoint, namespace.as_fd())
                    .map_err(|error| failed("failed to disconnect the container", error.blame(), error))?;
            }
        }
        networks
            .detach(&network, record.id.as_str(), Departure::Disconnect)
            .map_err(|error| failed("failed to disconnect the container", error.blame(), error))?;
        if self.default_route.as_deref() == Some(name) {
            // Its interface has taken the route along.
            self.default_route = None;
        }
        self.settle(home, record)
    }

    /// Sees to everything that follows from which networks there are.
    fn settle(&mut self, home: &Home, record: &RecordDto) -> Result<(), EngineError> {
        self.route(home)?;
        if self.name_server.is_none() {
            self.serve(home, record)?;
        }
        if self.endpoints.is_empty() {
            // Whoever connected now would wait for an answer for ever.
            self.ports = None;
        } else if self.forwarding.is_none() {
            self.publish(record)?;
        }
        files::write(home, record, &self.endpoints)
    }

    /// Leads what is meant for elsewhere over the first network that has an outside, if it is not led anywhere.
    fn route(&mut self, home: &Home) -> Result<(), EngineError> {
        let networks = self.networks(home)?;
        let (None, Some(namespace)) = (&self.default_route, &self.namespace) else { return Ok(()) };
        let Some((network, endpoint)) = self.endpoints.iter().find(|(network, _)| !network.internal) else {
            return Ok(());
        };
        networks
            .route_through(endpoint, namespace.as_fd())
            .map_err(|error| failed("failed to route through another network", error.blame(), error))?;
        self.default_route = Some(network.name.clone());
        Ok(())
    }
}
