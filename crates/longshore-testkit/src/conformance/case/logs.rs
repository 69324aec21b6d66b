//! What containers wrote.

use longshore_engine::{ContainerId, ContainerSpec, LogEntry, LogQuery, LogSpec, Stream};

use crate::conformance::check::{Check, Failure, ensure, ensure_eq, ensure_fault};
use crate::conformance::{Context, program};

fn entries(context: &Context, id: &ContainerId, query: &LogQuery) -> Check<Vec<LogEntry>> {
    let mut entries = Vec::new();
    context.engine().logs(id, query, &mut |entry| {
        entries.push(entry);
        true
    })?;
    Ok(entries)
}

fn lines(entries: &[LogEntry]) -> Vec<String> {
    entries.iter().map(|entry| String::from_utf8_lossy(&entry.bytes).trim_end().to_owned()).collect()
}

fn ended(context: &Context, command: Vec<String>) -> Check<ContainerId> {
    let id = context.start(&context.spec(command)?)?;
    context.engine().wait(&id)?;
    Ok(id)
}

pub(super) fn both_streams_are_kept(context: &Context) -> Check {
    let id = ended(context, program::print("out 1\nout 2\n", "error 1", 0))?;
    let all = entries(context, &id, &LogQuery::default())?;
    let of = |stream| -> Vec<u8> {
        all.iter().filter(|entry| entry.stream == stream).flat_map(|entry| entry.bytes.clone()).collect()
    };
    ensure_eq!(of(Stream::Stdout), b"out 1\nout 2\n".to_vec(), "the output");
    ensure_eq!(of(Stream::Stderr), b"error 1".to_vec(), "the error output");
    let status = context.engine().inspect(&id)?;
    // Docker reads several clocks, which differ a little.
    let begin = status.started.unwrap_or_default() - 1_000_000_000;
    let end = status.finished.unwrap_or_default() + 1_000_000_000;
    for entry in &all {
        ensure!((begin..=end).contains(&entry.at), "an entry of {}, not between {begin} and {end}", entry.at);
    }
    Ok(())
}

pub(super) fn the_tail_is_the_last_lines(context: &Context) -> Check {
    let id = ended(context, program::count(20))?;
    for (tail, wanted) in [(0, vec![]), (1, vec!["line 20"]), (3, vec!["line 18", "line 19", "line 20"])] {
        let query = LogQuery { tail: Some(tail), ..LogQuery::default() };
        let found = lines(&entries(context, &id, &query)?);
        ensure!(found == wanted, "the last {tail} lines are {found:?}");
    }
    let query = LogQuery { tail: Some(100), ..LogQuery::default() };
    ensure_eq!(entries(context, &id, &query)?.len(), 20, "more lines than there are");
    Ok(())
}

pub(super) fn times_limit_what_is_read(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::gate("/tmp/go", 0))?)?;
    super::copy::put(context, &id, "/tmp", "go")?;
    context.engine().wait(&id)?;
    let all = entries(context, &id, &LogQuery::default())?;
    ensure_eq!(lines(&all), ["ready", "open"], "all lines");
    let Some(at) = all.last().map(|entry| entry.at) else { return Err(Failure::new("there is no entry")) };
    let since = LogQuery { since: Some(at), ..LogQuery::default() };
    ensure_eq!(lines(&entries(context, &id, &since)?), ["open"], "the lines since the last one");
    let until = LogQuery { until: Some(at), ..LogQuery::default() };
    ensure_eq!(lines(&entries(context, &id, &until)?), ["ready"], "the lines until the last one");
    let after = LogQuery { since: Some(at + 1), ..LogQuery::default() };
    ensure_eq!(entries(context, &id, &after)?.len(), 0, "lines after the last one");
    Ok(())
}

pub(super) fn following_ends_with_the_container(context: &Context) -> Check {
    let id = context.start(&context.spec(program::count(100))?)?;
    let query = LogQuery { follow: true, ..LogQuery::default() };
    let followed = lines(&entries(context, &id, &query)?);
    ensure_eq!(followed.len(), 100, "the lines that were followed");
    ensure_eq!(followed.last().map(String::as_str), Some("line 100"), "the last of them");
    ensure_eq!(lines(&entries(context, &id, &query)?), followed, "what is followed after the end");
    Ok(())
}

pub(super) fn following_shows_what_comes(context: &Context) -> Check {
    let id = context.start(&context.spec(program::gate("/tmp/go", 0))?)?;
    let (mut seen, mut opened) = (Vec::new(), Ok(()));
    let query = LogQuery { follow: true, ..LogQuery::default() };
    context.engine().logs(&id, &query, &mut |entry| {
        seen.extend(lines(&[entry]));
        if seen.len() == 1 {
            // The second line is only written now.
            opened = super::copy::put(context, &id, "/tmp", "go");
        }
        opened.is_ok()
    })?;
    opened?;
    ensure_eq!(seen, ["ready", "open"], "the lines that were followed");
    Ok(())
}

pub(super) fn control_characters_are_not_changed(context: &Context) -> Check {
    let ran = context.script(r"printf 'a\000b\033[1m\303\274c\r\n\n\tx'")?;
    ensure_eq!(ran.stdout, b"a\0b\x1b[1m\xc3\xbcc\r\n\n\tx".to_vec(), "the characters");
    Ok(())
}

pub(super) fn bytes_are_not_changed(context: &Context) -> Check {
    let ran = context.script(r"printf 'a\000b\377\200c\r\n\n\tx'")?;
    ensure_eq!(ran.stdout, b"a\0b\xff\x80c\r\n\n\tx".to_vec(), "the bytes");
    Ok(())
}

pub(super) fn long_lines_are_whole(context: &Context) -> Check {
    let ran = context.script("head -c 100000 /dev/zero | tr '\\0' x; echo; echo end")?;
    ensure_eq!(ran.stdout.len(), 100_005, "the number of bytes");
    ensure!(ran.stdout[..100_000].iter().all(|byte| *byte == b'x'), "a long line was changed");
    ensure!(ran.stdout.ends_with(b"x\nend\n"), "the end of a long line was changed");
    Ok(())
}

pub(super) fn reading_stops_when_it_is_asked_to(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    let mut seen = 0;
    let query = LogQuery { follow: true, ..LogQuery::default() };
    context.engine().logs(&id, &query, &mut |_| {
        seen += 1;
        false
    })?;
    ensure_eq!(seen, 1, "the entries before it stopped");
    Ok(())
}

pub(super) fn no_log_is_an_error(context: &Context) -> Check {
    let log = LogSpec { none: true, ..LogSpec::default() };
    let spec = ContainerSpec { log, ..context.spec(program::print("lost", "", 0))? };
    let id = context.start(&spec)?;
    ensure_eq!(context.engine().wait(&id)?.code, 0, "the exit code");
    let result = context.engine().logs(&id, &LogQuery::default(), &mut |_| true);
    ensure_fault!(result, Unsupported, "reading a log that is not kept");
    Ok(())
}
