//! Checks on the code base that the compiler does not make: layering, purity, file heads.

fn main() {}
