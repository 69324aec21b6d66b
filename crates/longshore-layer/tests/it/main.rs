//! What unpacking and packing promise, through the public interface.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]

mod adopt;
mod apply;
mod archive;
mod attacks;
mod attributes;
mod compression;
mod gnu_tar;
mod limits;
mod pack;
mod round_trip;
mod scene;
mod whiteouts;
