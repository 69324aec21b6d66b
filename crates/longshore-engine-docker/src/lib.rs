//! Docker Engine behind the same contract.
//!
//! [`DockerEngine`] speaks Docker's API over its Unix socket with a small HTTP client of its own (`http`): requests are
//! few, local and blocking, an exec takes its connection over as a plain stream, and an asynchronous client would bring
//! a runtime and scores of packages for that. `body` says what Docker is asked for, `status` what it answered; both are
//! pure.
//!
//! A sandbox is a network with the label `longshore.sandbox.name`. Sandboxes without a network of their own are recorded
//! as an empty volume with the same label, because Docker has nothing smaller that carries labels. Containers carry
//! the sandbox's id in the label `longshore.sandbox`.
//!
//! **Invariant:** what Docker cannot do is an error that says so; no field of a specification is silently left out.

#![forbid(unsafe_code)]

mod body;
mod document;
mod engine;
mod exec;
mod failure;
mod http;
mod logs;
mod pull;
mod sandbox;
mod status;
mod stream;

pub use engine::{DEFAULT_SOCKET, DockerEngine};
