//! Tests with the real kernel, each in a network namespace of its own that stands for the host.

mod connectivity;
mod lifecycle;
mod names;
mod place;
mod ports;
mod spares;
