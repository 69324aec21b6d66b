//! Safe functions over raw Linux system calls; the only crate with unsafe code.
