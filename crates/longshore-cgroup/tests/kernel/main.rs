//! Control groups of the machine that runs the tests: what the kernel makes of limits, stops and kills.
//!
//! The members are shells. Each test has a parent directory of its own in each tree, so that tests run beside each other
//! and beside containers; without the right to make one, a test says so and ends.

#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking and say why they skip"
)]

mod context;
mod kill;
mod limits;
mod tree;
