//! What tests of several crates share: the conformance suite of engines, the fake engine.

#![forbid(unsafe_code)]
