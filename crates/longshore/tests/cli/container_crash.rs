//! Killing the command, the monitor, or both, at random moments: the next command finds nothing that was left.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::context::TestContext;

/// Who is killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Command,
    Monitor,
    Both,
}

/// A small generator of random numbers, so that a failure can be repeated by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn longshore(context: &TestContext, home: &Path, arguments: &[&str]) -> Command {
    let mut command = context.command(arguments);
    command.env("LONGSHORE_HOME", home);
    command
}

/// The monitors of an engine.
fn monitors(home: &Path) -> Vec<i32> {
    let engine = home.join("engine").display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<String> =
            line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        if words.get(1).is_some_and(|word| word == "__monitor") && words.get(2) == Some(&engine) {
            found.push(pid);
        }
    }
    found
}

fn kill(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// Waits for a condition of processes that are ending.
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < until, "{what}");
        std::thread::yield_now();
    }
}

/// What an engine has on the machine: control groups, interfaces, mounts, processes, files.
fn remains(home: &Path, ids: &[String]) -> Vec<String> {
    let mut remains = Vec::new();
    for id in ids {
        for group in ["memory", "unified", "devices", "pids", "cpu"] {
            let path = format!("/sys/fs/cgroup/{group}/longshore/{id}");
            if Path::new(&path).exists() {
                remains.push(path);
            }
        }
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let home_text = home.display().to_string();
    remains.extend(mounts.lines().filter(|line| line.contains(&home_text)).map(str::to_owned));
    for directory in ["live", "trash"] {
        let entries = std::fs::read_dir(home.join("engine").join(directory)).into_iter().flatten().flatten();
        remains.extend(entries.map(|entry| entry.path().display().to_string()));
    }
    let containers = std::fs::read_dir(home.join("engine/containers")).into_iter().flatten().flatten();
    remains.extend(
        containers
            .map(|entry| entry.path().display().to_string())
            .filter(|path| path.rsplit('/').next().is_some_and(|name| name.starts_with('.'))),
    );
    remains
}

fn ids(home: &Path) -> Vec<String> {
    std::fs::read_dir(home.join("engine/containers"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().trim_start_matches('.').chars().take(64).collect())
        .collect()
}

/// What remains after the examination of the machine, which cleans up.
fn examined(context: &TestContext, home: &Path, known: &[String], (seed, round): (u64, u64)) -> Vec<String> {
    let doctor = longshore(context, home, &["doctor", "--format", "json"]).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stderr);
    assert!(doctor.status.code().is_some_and(|code| code < 2), "seed {seed}, round {round}: {said}");
    remains(home, known)
}

#[test]
fn nothing_is_left_of_what_was_killed() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: control groups and bridges need root");
        return;
    }
    let context = TestContext::new();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let seed = std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5eed_1234_u64);
    let rounds = std::env::var("CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(25_u64);
    let mut random = Random(seed);
    let mut known: Vec<String> = Vec::new();
    for round in 0..rounds {
        let victim = [Victim::Command, Victim::Monitor, Victim::Both][random.next(3) as usize];
        let detached = random.next(2) == 0;
        let network = if random.next(3) == 0 { "bridge" } else { "none" };
        let mut arguments = vec!["container", "run", "--network", network];
        arguments.push(if detached { "-d" } else { "--rm" });
        arguments.extend(["host", "sleep", if random.next(2) == 0 { "1000" } else { "0" }]);
        let mut command = longshore(&context, home, &arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn().unwrap();
        // Somewhere between the first instruction and a container that runs.
        let moment = Instant::now() + Duration::from_micros(random.next(25_000));
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        known.extend(ids(home));
        if matches!(victim, Victim::Command | Victim::Both) {
            let _ = child.kill();
        }
        if matches!(victim, Victim::Monitor | Victim::Both) {
            monitors(home).into_iter().for_each(kill);
        }
        if matches!(victim, Victim::Monitor) {
            // The command notices that nobody watches the container any more, and ends. Its monitor may only now begin.
            let ended = std::cell::RefCell::new(&mut child);
            wait_for("the command does not end", || {
                monitors(home).into_iter().for_each(kill);
                ended.borrow_mut().try_wait().unwrap().is_some()
            });
        } else {
            let _ = child.kill();
            let _ = child.wait();
        }
        wait_for("monitors do not end", || {
            monitors(home).into_iter().for_each(kill);
            monitors(home).is_empty()
        });
        known.extend(ids(home));
        known.sort();
        known.dedup();
        // A monitor that was between its clone and its exec when we looked lives on, as it should. It is killed now, or has
        // ended by itself after the examination; then the next one finds nothing.
        let mut left = examined(&context, home, &known, (seed, round));
        let mut once_more = true;
        while !left.is_empty() && (once_more || !monitors(home).is_empty()) {
            once_more = !monitors(home).is_empty();
            monitors(home).into_iter().for_each(kill);
            left = examined(&context, home, &known, (seed, round));
        }
        assert!(left.is_empty(), "seed {seed}, round {round}, {victim:?}, {arguments:?}: {left:#?}");
    }
    let listed = longshore(&context, home, &["container", "ps", "-aq"]).output().unwrap();
    for id in String::from_utf8(listed.stdout).unwrap().lines() {
        let removed = longshore(&context, home, &["container", "rm", "-f", id]).output().unwrap();
        assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    }
    let names = std::fs::read_dir(home.join("engine/names")).unwrap().count();
    assert_eq!(names, 0, "names are taken by nobody");
}
