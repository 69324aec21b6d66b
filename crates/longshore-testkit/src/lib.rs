//! What tests of several crates share: the conformance suite of engines, and an engine that is a fake.
//!
//! [`conformance`] holds every engine against the contract of `longshore_engine::Engine`; Docker Engine is the
//! reference that the suite itself was held against. [`fake`] runs scripts in place of programs, in time that passes
//! when nothing else happens, so that tests of whoever uses an engine are quick and always the same.

#![forbid(unsafe_code)]

pub mod conformance;
pub mod fake;
