//! Networks of containers: bridges, addresses, names, published ports.

#![forbid(unsafe_code)]
