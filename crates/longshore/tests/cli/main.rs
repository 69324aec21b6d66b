//! The command as people and scripts see it.
//!
//! One binary for all tests of the command line; each file has one subject.

#![expect(clippy::print_stderr, reason = "a test that is skipped says why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bootstrap;
mod check;
mod container;
mod container_crash;
mod container_hostile;
mod container_life;
mod container_network;
mod container_pull;
mod container_user;
mod containers;
mod context;
mod doctor;
mod explain;
mod expr;
mod frame;
mod image;
mod plan;
mod registry;
mod run;
mod run_actions;
mod run_apart;
mod run_bare;
mod run_checkout;
mod run_composite;
mod run_containers;
mod run_full_disk;
mod run_javascript;
mod run_killed;
mod run_networks;
mod run_resume;
mod run_retention;
mod run_unruly;
mod run_untrusted;
mod run_verbs;
mod runs;
mod secret;
mod settings;
mod stream;
mod underway;
mod watch;
