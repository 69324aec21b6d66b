//! The memory of what stands beside containers: daemons, and for each container a monitor, a shim, a `conmon`.
//!
//! Processes of an engine are known by their arguments, which name the engine's directory. PSS counts shared pages by
//! their share, RSS counts them whole.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use crate::Bench;
use crate::engine::await_until;

const CONTAINERS: u32 = 5;
/// For so long it must stay.
const QUIET: Duration = Duration::from_secs(2);

/// Memory by program, in KiB.
#[derive(Default, Clone, Copy)]
struct Memory {
    processes: u32,
    pss: u64,
    rss: u64,
}

pub(crate) fn measure(bench: &Bench) {
    println!("\nmemory beside {CONTAINERS} detached containers, each running sleep");
    for engine in &bench.engines {
        let home = bench.directory.path().join(engine.name).display().to_string();
        let idle = of_programs(&home);
        let words = ["/bin/sleep", "1000"];
        let ids: Vec<String> =
            (0..CONTAINERS).map(|_| engine.start(&["--network", "none"], &words)).collect();
        let busy = settled(&home);
        engine.remove(&ids);
        tell(engine.name, "idle", &idle);
        tell(engine.name, "with containers", &busy);
    }
}

/// The same once it has hardly changed for a while, since some give back memory after the start.
fn settled(home: &str) -> BTreeMap<String, Memory> {
    let sum = |programs: &BTreeMap<String, Memory>| programs.values().map(|each| each.rss).sum::<u64>();
    let mut programs = of_programs(home);
    let (mut before, mut since) = (sum(&programs), Instant::now());
    await_until("memory stays as it is", || {
        programs = of_programs(home);
        let now = sum(&programs);
        if now.abs_diff(before) > before / 20 {
            (before, since) = (now, Instant::now());
        }
        since.elapsed() > QUIET
    });
    programs
}

fn tell(engine: &str, when: &str, programs: &BTreeMap<String, Memory>) {
    if programs.is_empty() {
        println!("  {engine}, {when}: no process");
    }
    for (program, Memory { processes, pss, rss }) in programs {
        #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
        let each = |sum: &u64| *sum as f64 / 1024.0 / f64::from(*processes);
        println!(
            "  {engine}, {when}: {processes} of {program}, PSS {:.1} MiB each, RSS {:.1} MiB each",
            each(pss),
            each(rss)
        );
    }
}

/// The processes whose arguments name a directory, but not those in containers, by program.
fn of_programs(directory: &str) -> BTreeMap<String, Memory> {
    let mut programs: BTreeMap<String, Memory> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        if !read("cmdline").contains(directory) {
            continue;
        }
        let rollup = read("smaps_rollup");
        let field = |name: &str| -> u64 {
            let line = rollup.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
        };
        let program = programs.entry(read("comm").trim().to_owned()).or_default();
        program.processes += 1;
        program.pss += field("Pss:");
        program.rss += field("Rss:");
    }
    programs
}
