//! What tests of several crates share: the conformance suite of engines.
//!
//! [`conformance`] holds every engine against the contract of `longshore_engine::Engine`; Docker Engine is the
//! reference that the suite itself was held against.

#![forbid(unsafe_code)]

pub mod conformance;
