//! Taking turns, and the table of what came out.

use std::fs;
use std::time::{Duration, Instant};

/// A program that takes part in one measure.
pub(crate) struct Contender<'a> {
    name: String,
    /// What is measured, and how long it took.
    work: Box<dyn FnMut() -> Duration + 'a>,
    after: Box<dyn FnMut() + 'a>,
    times: Vec<Duration>,
}

impl<'a> Contender<'a> {
    /// A program whose work takes as long as it takes.
    pub(crate) fn new(name: &str, mut work: impl FnMut() + 'a) -> Self {
        Self::timed(name, move || {
            let start = Instant::now();
            work();
            start.elapsed()
        })
    }

    /// A program whose work tells itself what is measured.
    pub(crate) fn timed(name: &str, work: impl FnMut() -> Duration + 'a) -> Self {
        Self { name: name.to_owned(), work: Box::new(work), after: Box::new(|| {}), times: Vec::new() }
    }

    /// What is done after each turn, and not measured.
    pub(crate) fn after(mut self, after: impl FnMut() + 'a) -> Self {
        self.after = Box::new(after);
        self
    }

    fn turn(&mut self) -> Duration {
        let elapsed = (self.work)();
        (self.after)();
        elapsed
    }
}

/// Lets all contenders take `rounds` turns, a different one first in each round, after `warm` turns that do not count,
/// and prints how they did. The first contender is what the others are compared with.
pub(crate) fn rotate(title: &str, warm: usize, rounds: usize, mut contenders: Vec<Contender<'_>>) {
    for _ in 0..warm {
        for contender in &mut contenders {
            contender.turn();
        }
    }
    let count = contenders.len();
    for round in 0..rounds {
        for place in 0..count {
            if let Some(contender) = contenders.get_mut((round + place) % count) {
                let time = contender.turn();
                contender.times.push(time);
            }
        }
    }
    println!("\n{title} ({rounds} rounds)");
    println!("  {:<14}{:>12}{:>12}{:>12}{:>9}", "", "median", "min", "p90", "ratio");
    let mut first = None;
    for contender in &mut contenders {
        contender.times.sort();
        let at = |share: usize| {
            let last = contender.times.len().saturating_sub(1);
            contender.times.get((last * share).div_ceil(100)).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        let median = at(50);
        let ratio = median / *first.get_or_insert(median);
        println!("  {:<14}{median:>9.1} ms{:>9.1} ms{:>9.1} ms{ratio:>8.1}x", contender.name, at(0), at(90));
    }
}

/// How busy the machine is.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("load: {}", load.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}
