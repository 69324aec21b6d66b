//! The `longshore` binary: composition root.

fn main() {}
