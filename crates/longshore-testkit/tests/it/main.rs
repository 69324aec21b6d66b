//! The fake engine: that it keeps the contract, and what tests can say to it.

#![expect(clippy::unwrap_used, reason = "what tests share fails them as they do themselves")]

mod conformance;
mod script;
