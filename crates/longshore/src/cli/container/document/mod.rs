//! What is shown of a container: states in words, ports, and the document of `inspect`, in Docker's names and shapes.

mod config;
mod host;
mod inspection;
mod mounts;
mod network;
mod words;

pub(super) use inspection::{Subject, document};
pub(super) use mounts::target_and_source;
pub(super) use words::{command, ports, status};
