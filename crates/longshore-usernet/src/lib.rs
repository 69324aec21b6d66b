//! Networking of rootless containers: a user-space gateway between container and host sockets.

#![forbid(unsafe_code)]
