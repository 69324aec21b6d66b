//! Base images from the package archive of a distribution.

#![forbid(unsafe_code)]
