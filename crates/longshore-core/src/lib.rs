//! Words that every layer uses: secrets and sizes.
//!
//! What stands here is needed by at least three crates; it parses, prints and compares, and does nothing else.

#![forbid(unsafe_code)]

mod secret;
mod size;

pub use secret::Secret;
pub use size::{ByteSize, ByteSizeError};
