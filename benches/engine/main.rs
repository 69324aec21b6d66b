//! Containers and images beside other engines, as a person waits for them: whole processes, from spawn to exit.
//!
//! Every figure of a table comes from one run, in which the programs take turns, so that what else the machine does hits
//! all of them. Programs that are not installed are left out. It runs as root, in network and mount namespaces of its own,
//! in which Docker's daemon and everybody's bridges and firewall rules leave nothing behind, and below one temporary
//! directory (`TMPDIR` says where). Nothing is asserted about times.
//!
//! `cargo bench -p longshore --bench engine -- run pull` measures only these; the names are in [`MEASURES`].

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench is a program of its own, for developers"
)]

mod content;
mod engine;
mod floor;
mod health;
mod legacy;
mod memory;
mod registry;
mod rotation;
mod runtime;
mod start;
mod transfer;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

use engine::Engine;
use runtime::Runtime;

/// What can be measured.
const MEASURES: [&str; 8] = ["run", "network", "exec", "many", "memory", "health", "pull", "save"];
/// Says that the namespaces are made.
const INSIDE: &str = "LONGSHORE_BENCH_INSIDE";

/// What all measures share.
pub(crate) struct Bench {
    pub(crate) engines: Vec<Engine>,
    pub(crate) runtimes: Vec<Runtime>,
    /// Comes last, because what ends before uses it.
    pub(crate) directory: tempfile::TempDir,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [word, layer] = arguments.as_slice()
        && word == floor::WORD
    {
        return floor::run(Path::new(layer));
    }
    // `cargo test` runs benches too, with this argument left out.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    if !rustix::process::geteuid().is_root() {
        println!("skipped: the other engines need root");
        return ExitCode::SUCCESS;
    }
    if env::var_os(INSIDE).is_none() {
        return inside(&arguments);
    }
    let wanted = |name: &str| {
        let mut named = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
        named.peek().is_none() || named.any(|argument| argument == name)
    };
    measure(&MEASURES.map(|name| (name, wanted(name))));
    ExitCode::SUCCESS
}

/// Runs this program again in namespaces of its own.
fn inside(arguments: &[String]) -> ExitCode {
    let program = env::current_exe().expect("the bench finds itself");
    let status = Command::new("unshare")
        .args(["--net", "--mount", "--"])
        .arg(program)
        .args(arguments)
        .env(INSIDE, "1")
        .status()
        .expect("`unshare` of util-linux runs");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(wanted: &[(&str, bool)]) {
    let loopback = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    assert!(loopback.is_ok_and(|status| status.success()), "`ip` of iproute2 runs");
    let directory = tempfile::Builder::new().prefix("longshore-bench-").tempdir().expect("a directory");
    let root = content::small(&directory.path().join("root"));
    let (engines, runtimes) =
        (engine::present(directory.path(), &root), runtime::present(directory.path(), &root));
    let bench = Bench { engines, runtimes, directory };
    println!("\n{}", rotation::load());
    for (name, _) in wanted.iter().filter(|(_, wanted)| *wanted) {
        match *name {
            "run" => start::run(&bench, "none"),
            "network" => start::run(&bench, "bridge"),
            "exec" => start::exec(&bench),
            "many" => ["none", "bridge"].iter().for_each(|network| start::many(&bench, network)),
            "memory" => memory::measure(&bench),
            "health" => health::measure(&bench),
            "pull" => transfer::pull(&bench),
            _ => transfer::save(&bench),
        }
    }
    println!("\n{}", rotation::load());
    let Bench { engines, runtimes, directory } = bench;
    drop((engines, runtimes));
    // Whatever cannot be removed is named.
    if let Err(error) = fs::remove_dir_all(directory.path()) {
        println!("left behind in {}: {error}", directory.path().display());
    }
}
