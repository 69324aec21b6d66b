//! Image references: `[domain/]path[:tag][@digest]`.
//!
//! This follows `distribution/reference` 0.6, which Docker and containerd use, including the short names of Docker Hub:
//! `alpine` is `docker.io/library/alpine`. [`grammar`] holds what the parts look like, [`name`] the reference itself.

mod grammar;
mod name;

pub use name::{Reference, ReferenceError};
