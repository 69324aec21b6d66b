//! What containers wrote.

use std::io::{BufRead as _, BufReader, Read as _};

use longshore_engine::{ContainerId, EngineError, LogEntry, LogQuery, Stream};

use crate::engine::Api;
use crate::failure::unintelligible;
use crate::http::{Body, Response};
use crate::status::time;
use crate::stream::{Frames, Piece};

/// The longest line that is held; Docker cuts lines at 16 KiB itself.
const MAX_LINE: usize = 256 * 1024;

/// Hands on what a container wrote.
pub(crate) fn read(
    api: &Api,
    id: &ContainerId,
    tty: bool,
    query: &LogQuery,
    each: &mut dyn FnMut(LogEntry) -> bool,
) -> Result<(), EngineError> {
    let attempt = format!("read the log of container {}", id.short());
    let mut path =
        format!("/containers/{id}/logs?stdout=1&stderr=1&timestamps=1&follow={}", u8::from(query.follow));
    if let Some(tail) = query.tail {
        path.push_str(&format!("&tail={tail}"));
    }
    for (name, at) in [("since", query.since), ("until", query.until)] {
        if let Some(at) = at {
            let (seconds, nanoseconds) = (at.div_euclid(1_000_000_000), at.rem_euclid(1_000_000_000));
            path.push_str(&format!("&{name}={seconds}.{nanoseconds:09}"));
        }
    }
    let response = api.call(&attempt, "GET", &path, Body::None)?;
    // Docker's own limits are of another exactness, and it takes the end for a part of the time.
    let mut each = |entry: LogEntry| {
        let wanted = query.since.is_none_or(|since| entry.at >= since)
            && query.until.is_none_or(|until| entry.at < until);
        !wanted || each(entry)
    };
    let result = if tty { lines(response, &mut each) } else { frames(response, &mut each) };
    result.map_err(|error| unintelligible(&attempt, error))
}

fn lines(response: Response, each: &mut dyn FnMut(LogEntry) -> bool) -> std::io::Result<()> {
    let mut reader = BufReader::new(response);
    loop {
        let mut line = Vec::new();
        if reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if entry(Stream::Stdout, &line).is_some_and(|entry| !each(entry)) {
            return Ok(());
        }
    }
}

fn frames(response: Response, each: &mut dyn FnMut(LogEntry) -> bool) -> std::io::Result<()> {
    let mut frames = Frames::new(response);
    let mut line = Vec::new();
    while let Some(piece) = frames.next()? {
        // A complaint is no part of a log.
        let Piece::Output { stream, bytes, last } = piece else { return Ok(()) };
        line.extend(bytes);
        if (last || line.len() > MAX_LINE)
            && entry(stream, &std::mem::take(&mut line)).is_some_and(|entry| !each(entry))
        {
            return Ok(());
        }
    }
    Ok(())
}

/// A line that begins with the time.
fn entry(stream: Stream, line: &[u8]) -> Option<LogEntry> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let at = time(std::str::from_utf8(&line[..space]).ok()?)?;
    Some(LogEntry { at, stream, bytes: line[space + 1..].to_vec() })
}

#[cfg(test)]
mod tests {
    use longshore_engine::Stream;

    use super::entry;

    #[test]
    fn lines_begin_with_the_time() {
        let entry = |line: &[u8]| entry(Stream::Stdout, line);
        let read = entry(b"2026-11-21T13:05:26.005935524Z a b\n").unwrap();
        assert_eq!((read.at, &read.bytes[..]), (1_795_266_326_005_935_524, &b"a b\n"[..]));
        assert_eq!(entry(b"2026-11-21T13:05:26Z ").unwrap().bytes, b"");
        assert_eq!(entry(b"yesterday a"), None);
        assert_eq!(entry(b"\xff\xff"), None);
    }
}
