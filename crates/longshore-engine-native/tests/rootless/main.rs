//! Containers of ordinary users, also where the tests run as root: this program becomes the users itself.
//!
//! It is a test without the usual harness, because it must be three things that a harness does not let it be: the program
//! that the engine starts as monitors, a process with one thread that becomes somebody else, and a program to run in
//! containers. Each case runs in a process of its own, as each of the users of [`who`].
//!
//! A case that this machine does not allow says `skipped: <reason>`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it reports as a harness does")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test, which lints know by its harness"
)]

mod cases;
mod inside;
mod place;
mod who;

use std::path::Path;
use std::process::{Command, ExitCode};

use cases::{CASES, COPYING};
use who::Who;

/// What a case ends with that this machine does not allow.
const SKIPPED: u8 = 77;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = longshore_engine_native::internal_main(&arguments) {
        return code;
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--list", ..] => {
            names().for_each(|(who, name, _)| println!("{}::{name}: test", who.name()));
            ExitCode::SUCCESS
        }
        ["__become", who, name, home] => {
            let who = Who::named(who).expect("a user of these tests");
            who.become_and_run(Path::new(home), &["__case", who.name(), name, home])
        }
        ["__case", who, name, home] => {
            let case = CASES.iter().chain(&COPYING).find(|(other, _)| other == name).expect("a case");
            match case.1(&place::Place::open(Path::new(home), Who::named(who).expect("a user"))) {
                Ok(()) => ExitCode::SUCCESS,
                Err(reason) => {
                    println!("skipped: {reason}");
                    ExitCode::from(SKIPPED)
                }
            }
        }
        ["__inside", rest @ ..] => inside::main(rest),
        words => run(words.iter().copied().find(|word| !word.starts_with("--")).unwrap_or_default()),
    }
}

type Case = fn(&place::Place) -> Result<(), String>;

fn names() -> impl Iterator<Item = (Who, &'static str, Case)> {
    Who::all().into_iter().flat_map(|who| {
        let cases: &[(&str, Case)] = if who == Who::Unlayered { &COPYING } else { &CASES };
        cases.iter().map(move |(name, case)| (who, *name, *case))
    })
}

/// Runs the cases whose names contain a text.
fn run(filter: &str) -> ExitCode {
    let mut failed = Vec::new();
    for (who, name, _) in names() {
        let title = format!("{}::{name}", who.name());
        if !title.contains(filter) {
            continue;
        }
        match run_one(who, name) {
            Some(0) => println!("test {title} ... ok"),
            Some(code) if code == i32::from(SKIPPED) => eprintln!("test {title} ... skipped"),
            _ => {
                println!("test {title} ... FAILED");
                failed.push(title);
            }
        }
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one case in a place that its user can reach.
fn run_one(who: Who, name: &str) -> Option<i32> {
    let place = tempfile::tempdir().expect("a directory");
    let program = place.path().join("program");
    std::fs::copy(std::env::current_exe().expect("this program"), &program).expect("a copy of this program");
    let home = place.path().join("home");
    who.prepare(place.path(), &home);
    let mut command = Command::new(&program);
    command.args(["__become", who.name(), name]).arg(&home);
    command.status().expect("this program again").code()
}
