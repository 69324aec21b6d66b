//! TCP between containers and the host's world: each connection is ended here, and joined to a host socket.

mod connection;
mod flow;
mod flows;
mod reassembly;

pub(crate) use flows::Flows;
