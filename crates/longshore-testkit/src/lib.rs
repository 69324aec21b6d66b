//! What tests of several crates share: the conformance suite of engines, and a fake engine.
//!
//! [`conformance`] holds every engine against the contract of `longshore_engine::Engine`; Docker Engine is the
//! reference that the suite itself was held against. [`fake`] is an engine in memory that keeps the same contract, for
//! tests of what uses engines.

#![forbid(unsafe_code)]

pub mod conformance;
pub mod fake;
