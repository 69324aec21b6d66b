//! Behaviour of `longshore-source` on real directories and repositories, made by the `git` program in temporary
//! directories with fixed names and dates.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod change;
mod fixture;
mod git_server;
mod hash_files;
mod history;
mod resolve;
mod watch;
mod worktree;
