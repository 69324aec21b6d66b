//! `longshore run` beside the bare commands, as a person waits for it: whole processes, from spawn to exit.
//!
//! `cargo bench -p longshore --bench run -- steps log` measures only these; the names are in [`MEASURES`]. Everything lies
//! below one temporary directory (`TMPDIR` says where). Nothing is asserted about times.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench is a program of its own, for developers"
)]

mod project;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use project::{Events, Project};

/// Measures something of a project and prints it.
type Measure = fn(&Project);

/// What can be measured.
const MEASURES: [(&str, Measure); 7] = [
    ("first", first_output),
    ("jobs", jobs),
    ("steps", steps),
    ("log", log),
    ("checkout", checkout),
    ("artifact", artifact),
    ("cache", cache),
];

/// How often each is measured.
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test` runs benches too, with this argument left out.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let named: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let project = Project::new();
    for (name, measure) in MEASURES {
        if named.is_empty() || named.iter().any(|wanted| *wanted == name) {
            measure(&project);
        }
    }
}

/// The middle one of some durations, and the least.
fn show(what: &str, mut durations: Vec<Duration>) {
    durations.sort();
    let (Some(least), Some(median)) = (durations.first(), durations.get(durations.len() / 2)) else { return };
    println!("{what}: median {:.1} ms, least {:.1} ms", milliseconds(*median), milliseconds(*least));
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn rounds(mut act: impl FnMut() -> Duration) -> Vec<Duration> {
    (0..ROUNDS).map(|_| act()).collect()
}

/// A job that runs these steps.
fn job(name: &str, steps: &str) -> String {
    format!("  {name}:\n    runs-on: ubuntu-latest\n    steps:\n{steps}")
}

fn workflow(jobs: &str) -> String {
    format!("on: push\njobs:\n{jobs}")
}

/// So many `bash` processes that do nothing, one after the other.
fn bare(count: usize) -> Duration {
    let began = Instant::now();
    for _ in 0..count {
        let status = Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-c", ":"])
            .stdin(Stdio::null())
            .status();
        assert!(status.expect("bash runs").success());
    }
    began.elapsed()
}

fn first_output(project: &Project) {
    project.write(&workflow(&job("a", "      - run: ':'\n")));
    show("first: from start to the first output", rounds(|| project.first_output()));
}

fn jobs(project: &Project) {
    let empty = "      - run: ':'\n".repeat(5);
    let jobs: String = (0..10).map(|number| job(&format!("j{number}"), &empty)).collect();
    project.write(&workflow(&jobs));
    show("jobs: 10 jobs of 5 empty steps", rounds(|| project.run().wall));
    show("jobs: the bare commands, one after the other", rounds(|| bare(50)));
    show("jobs: a job above its steps", rounds(|| project.run().above_steps()));
}

fn steps(project: &Project) {
    let run = |count: usize| {
        project.write(&workflow(&job("a", &"      - run: ':'\n".repeat(count))));
        rounds(|| project.run().steps_total())
    };
    let mut fifty = run(50);
    fifty.sort();
    let bare: Vec<Duration> = rounds(|| bare(50));
    let above: Vec<Duration> =
        fifty.iter().zip(&bare).map(|(run, bare)| run.saturating_sub(*bare) / 50).collect();
    show("steps: all of 50 empty steps", fifty);
    show("steps: 50 bare commands", bare);
    show("steps: a step above the bare command", above);
}

fn log(project: &Project) {
    let line = "2026-01-01 12:00:00 INFO request handled in 12 ms, status 200, path /api/v1/things/42";
    project.write(&workflow(&job("a", &format!("      - run: yes '{line}' | head -n 1000000\n"))));
    let durations =
        rounds(|| project.run_with(&["-s", "TOKEN=a-secret-that-is-never-printed"]).longest_step());
    for duration in &durations {
        println!("log: {:.0} lines/s", 1_000_000.0 / duration.as_secs_f64());
    }
    show("log: a million lines with masking", durations);
}

fn checkout(project: &Project) {
    project.many_files(10_000);
    project.write(&workflow(&job("a", "      - uses: actions/checkout@v4\n")));
    show("checkout: a worktree of 10,000 files", rounds(|| project.run().longest_step()));
    project.no_files();
}

fn artifact(project: &Project) {
    let up = "      - run: head -c 1073741824 /dev/urandom > big\n      - id: up\n        uses: actions/upload-artifact@v4\n        with: { name: big, path: big }\n";
    let down = "      - id: down\n        uses: actions/download-artifact@v4\n        with: { name: big }\n";
    project.write(&workflow(&job("a", &format!("{up}{down}"))));
    let events: Vec<Events> = (0..3).map(|_| project.run()).collect();
    show("artifact: upload of 1 GiB", events.iter().map(|events| events.step("up")).collect());
    show("artifact: download of 1 GiB", events.iter().map(|events| events.step("down")).collect());
}

fn cache(project: &Project) {
    let make = "      - id: cache\n        uses: actions/cache@v4\n        with: { path: files, key: bench }\n      - if: steps.cache.outputs.cache-hit != 'true'\n        run: mkdir files; for i in $(seq 10000); do echo $i > files/$i; done\n";
    project.write(&workflow(&job("a", make)));
    project.run();
    show("cache: restore of 10,000 files", rounds(|| project.run().step("cache")));
}
