//! The client of registries that follow the distribution specification.

#![forbid(unsafe_code)]
