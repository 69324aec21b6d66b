//! The client against servers of our own on loopback, which do what they are told: right things and wrong ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod auth;
mod context;
mod hostile;
mod pull;
mod push;
mod real;
mod server;
