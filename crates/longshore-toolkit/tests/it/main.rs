//! Artifacts and caches, as runners and original actions meet them.

#![expect(clippy::unwrap_used, reason = "tests may panic, and so may what they share")]

mod artifacts;
mod caches;
mod client;
mod hostile;
mod scene;
mod services;
