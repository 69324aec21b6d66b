//! Safe functions over raw Linux system calls; the only crate with unsafe code.

mod packet;
mod unshare;

pub use packet::packet_socket;
pub use unshare::unshare_network;
