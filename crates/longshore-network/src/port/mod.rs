//! Published ports: reserved on the host, and forwarded to the container by threads of its monitor.

mod binding;
mod datagrams;
mod forwarding;
mod holder;
mod relay;
mod reserve;

pub use binding::{PortBinding, PortBindingError};
pub use forwarding::{Dialer, ForwardError, Forwarding, OverBridge};
pub use holder::Holder;
pub use reserve::{Ports, ReserveError};
