//! The `longshore` binary: composition root.
//!
//! Here, and in no library, arguments become requests, the environment is read, and results become text and an exit
//! code. Each verb is one file in [`cli`]; what they share is settings, output and exit codes.

#![forbid(unsafe_code)]

mod batch;
mod called;
mod certificates;
mod cli;
mod examine;
mod exit;
mod expression;
mod failure;
mod fetch;
mod fix;
mod input;
mod output;
mod pages;
mod panic;
mod plan;
mod progress;
mod prompt;
mod run;
mod settings;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(own_libc)]
    longshore_sys::resolve_by_files_and_dns();
    if let Some(code) = wiring::internal() {
        return code;
    }
    panic::install();
    // A panic has been reported by the hook; what is left is its exit code.
    std::panic::catch_unwind(cli::run).unwrap_or(exit::Exit::Internal).into()
}
