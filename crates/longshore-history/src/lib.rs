//! Runs as they were: their events and logs on disk, lists of them, and how long they are kept.

#![forbid(unsafe_code)]
