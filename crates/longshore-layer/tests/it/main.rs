//! What unpacking and packing promise, through the public interface.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod apply;
mod scene;
