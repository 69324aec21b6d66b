//! What it means to run containers: the contract of every engine.

#![forbid(unsafe_code)]
