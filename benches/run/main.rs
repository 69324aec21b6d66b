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
mod services;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use project::{Events, Project};

/// Measures something of a project and prints it.
type Measure = fn(&Project);

/// What can be measured.
const MEASURES: [(&str, Measure); 8] = [
    ("first", first_output),
    ("jobs", jobs),
    ("steps", steps),
    ("log", log),
    ("checkout", checkout),
    ("artifact", artifact),
    ("cache", cache),
    ("services", services::measure),
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

/// Two things in turn, so that both meet the same machine.
fn in_turn(
    mut one: impl FnMut() -> Duration,
    mut other: impl FnMut() -> Duration,
) -> (Vec<Duration>, Vec<Duration>) {
    (0..ROUNDS).map(|_| (one(), other())).unzip()
}

/// How long a command takes in the project.
fn command(project: &Project, script: &str) -> Duration {
    let began = Instant::now();
    let status = Command::new("bash")
        .args(["-e", "-c", script])
        .current_dir(project.directory())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("bash runs").success(), "{script}");
    began.elapsed()
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
    let (runs, bare): (Vec<Events>, Vec<Duration>) = (0..ROUNDS).map(|_| (project.run(), bare(50))).unzip();
    show("jobs: 10 jobs of 5 empty steps", runs.iter().map(|run| run.wall).collect());
    show("jobs: the bare commands, one after the other", bare);
    show("jobs: one of them above its steps", runs.iter().map(Events::above_steps).collect());
    let checkout = "      - uses: actions/checkout@v4\n      - run: ':'\n";
    project.write(&workflow(&job("a", checkout)));
    let runs: Vec<Events> = (0..3 * ROUNDS).map(|_| project.run()).collect();
    show(
        "job: one alone above its script, checkout included",
        runs.iter().map(Events::above_scripts).collect(),
    );
    show("job: setting up", runs.iter().map(|run| run.named("Set up job")).collect());
    show(
        "job: the checkout of a small tree",
        runs.iter().map(|run| run.named("Run actions/checkout@v4")).collect(),
    );
    show("job: from its end to that of the process", runs.iter().map(|run| run.after_end).collect());
}

fn steps(project: &Project) {
    project.write(&workflow(&job("a", &"      - run: ':'\n".repeat(50))));
    let (fifty, bare) = in_turn(|| project.run().steps_total(), || bare(50));
    let above = fifty.iter().zip(&bare).map(|(run, bare)| run.saturating_sub(*bare) / 50).collect();
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
    let mut worktree = Vec::new();
    let (ours, copy) = in_turn(
        || project.run().longest_step(),
        || {
            worktree.push(command(project, "git worktree add --quiet --detach ../tree"));
            command(project, "git worktree remove --force ../tree");
            let copied = command(project, "cp -a . ../copy");
            command(project, "rm -rf ../copy");
            copied
        },
    );
    show("checkout: a worktree of 10,000 files", ours);
    show("checkout: `git worktree add`", worktree);
    show("checkout: `cp -a`", copy);
    project.no_files();
}

fn artifact(project: &Project) {
    let up = "      - id: make\n        run: head -c 1073741824 /dev/urandom > big\n      - id: copy\n        run: cp big other\n      - run: rm other\n      - id: up\n        uses: actions/upload-artifact@v4\n        with: { name: big, path: big }\n";
    let down = "      - id: down\n        uses: actions/download-artifact@v4\n        with: { name: big, path: other }\n";
    project.write(&workflow(&job("a", &format!("{up}{down}"))));
    let runs: Vec<Events> = (0..3).map(|_| project.run()).collect();
    for (what, id) in [("upload", "up"), ("download", "down"), ("the bare `cp`", "copy")] {
        show(&format!("artifact: {what} of 1 GiB"), runs.iter().map(|run| run.step(id)).collect());
    }
}

fn cache(project: &Project) {
    let restore = "      - id: cache\n        uses: actions/cache/restore@v4\n        with: { path: files, key: bench }\n";
    let make = "      - run: mkdir files; for i in $(seq 10000); do echo $i > files/$i; done\n      - id: save\n        uses: actions/cache/save@v4\n        with: { path: files, key: bench }\n";
    project.write(&workflow(&job("a", make)));
    let save = project.run().step("save");
    let tar = "      - id: pack\n        run: tar -cf files.tar files\n      - run: mkdir other\n      - id: unpack\n        run: tar -xf files.tar -C other\n";
    project.write(&workflow(&job("a", &format!("{restore}{tar}"))));
    let runs: Vec<Events> = (0..ROUNDS).map(|_| project.run()).collect();
    show("cache: saving 10,000 files", vec![save]);
    for (what, id) in [("restoring", "cache"), ("`tar -c` of", "pack"), ("`tar -x` of", "unpack")] {
        show(&format!("cache: {what} 10,000 files"), runs.iter().map(|run| run.step(id)).collect());
    }
}
