//! Killing a run at many moments: its record stays as far as it came, and the next run removes everything else.

use std::path::Path;

use rustix::process::Signal;

use crate::containers::{Containers, eventually};
use crate::run::commit;
use crate::underway::Underway;

const LOUD: &str = "\
on: push
jobs:
  loud:
    runs-on: ubuntu-latest
    services:
      aside: { image: host, command: sleep 1000 }
    steps:
      - uses: actions/checkout@v4
      - name: Count
        run: seq 1 100000000
";

const QUIET: &str = "\
on: push
jobs:
  quiet: { runs-on: ubuntu-latest, steps: [ run: echo quiet ] }
";

/// What of a state directory is on the machine beside its files: mounts, and processes that were started for it.
fn remains(home: &Path) -> Vec<String> {
    let home = home.canonicalize().unwrap().display().to_string();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mut remains: Vec<String> =
        mounts.lines().filter(|line| line.contains(&home)).map(str::to_owned).collect();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&home) {
            remains.push(line);
        }
    }
    remains
}

/// The names of what stands in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The numbers that the loud step has printed, as a log shows them.
fn numbers(log: &str) -> Vec<u64> {
    log.lines().filter_map(|line| line.parse().ok()).collect()
}

#[test]
fn a_killed_run_is_interrupted_and_leaves_nothing() {
    let Some(it) = Containers::with_networks() else { return };
    it.context.write(".github/workflows/loud.yml", LOUD).write(".github/workflows/quiet.yml", QUIET);
    commit(&it);
    let networks = it.other_done(&["network", "ls", "--format", "{{.Name}}"]);
    let bridges = crate::run_networks::bridges(&it.home());
    // Before the first job, while it is made, while it starts, and in the middle of its output.
    for (round, events) in (1_u64..).zip([1, 2, 3, 5, 9, 14, 30, 120]) {
        let killed = (2 * round - 1).to_string();
        let mut loud = Underway::start(&it, &["run", "loud.yml"]);
        for _ in 0..events {
            assert!(loud.next().is_some(), "{:?}", loud.seen);
        }
        loud.signal(Signal::KILL);
        loud.end();
        let shown = it.other_done(&["runs", "--format", "{{.ID}} {{.Status}}", "-n", "1"]);
        assert_eq!(shown, format!("{killed} interrupted\n"));
        // What was told of had been written down, and what is written down has no holes.
        let told = numbers(&crate::run::log(&loud.seen));
        let kept = it.other(&["logs", &killed, "-j", "loud", "-s", "Count"]);
        let kept = numbers(&kept.stdout);
        assert!(kept.len() >= told.len(), "{} of {}", kept.len(), told.len());
        assert!(kept.iter().copied().eq(1..=kept.len() as u64), "after {events} events");

        let ended = it.other(&["run", "quiet.yml"]);
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        assert_eq!(it.done(&["ps", "-aq"]), "", "after {events} events");
        assert_eq!(names(&it.home().join("work")), [""; 0], "after {events} events");
        assert_eq!(it.other_done(&["network", "ls", "--format", "{{.Name}}"]), networks);
        assert_eq!(crate::run_networks::bridges(&it.home()), bridges, "after {events} events");
        eventually("nothing is left", || remains(&it.home()).is_empty());
    }
}
