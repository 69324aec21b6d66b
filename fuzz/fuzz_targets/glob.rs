//! Any pattern is refused or matches any value in bounded time; any text is a cron schedule or an environment file, or not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use longshore_workflow::cron::Cron;
use longshore_workflow::file_command::{FileCommandKind, parse_pairs};
use longshore_workflow::filter::{Filter, FilterMode};

fuzz_target!(|parts: (Vec<&str>, &str, bool)| {
    let (patterns, value, ignore) = parts;
    let mode = if ignore { FilterMode::Ignore } else { FilterMode::Filter };
    if let Ok(filter) = Filter::parse(&patterns, mode) {
        let verdict = filter.verdict(&[value]);
        let _ = filter.explain("branch", &[value], &verdict);
    }
    if let Ok(cron) = Cron::parse(value) {
        let _ = cron.shortest_interval();
    }
    for kind in [FileCommandKind::Env, FileCommandKind::Output, FileCommandKind::State] {
        let _ = parse_pairs(kind, value);
    }
});
