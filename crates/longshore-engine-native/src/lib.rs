//! The native engine: containers without a daemon.

#![forbid(unsafe_code)]
