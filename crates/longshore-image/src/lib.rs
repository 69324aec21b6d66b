//! What can be done with images: pull, push, load, save, import, inspect, prune.

#![forbid(unsafe_code)]
