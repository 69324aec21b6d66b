//! Placeholder head; the crate's own documentation replaces it.

pub mod cron;
pub mod file_command;
pub mod filter;
