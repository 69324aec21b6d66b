//! Reading a log, while it may be written and rotated.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore_engine::{LogEntry, LogQuery, Stream};

/// How long to wait before a log that is followed is looked at again.
const PAUSE: Duration = Duration::from_millis(20);

/// Hands on the entries of the log in a directory while `each` answers true; with `follow`, until `alive` denies.
pub(crate) fn read(
    directory: &Path,
    query: &LogQuery,
    alive: &dyn Fn() -> bool,
    each: &mut dyn FnMut(LogEntry) -> bool,
) -> io::Result<()> {
    let path = directory.join("log");
    let mut last = match past(&path, query, each)? {
        Past::Stopped => return Ok(()),
        Past::Read(last) => last,
    };
    if !query.follow {
        return Ok(());
    }
    loop {
        // Asked first: what is written before the end is read after the answer.
        let was_alive = alive();
        if let Some(reader) = last.as_mut() {
            if !drain(reader, query, each)? {
                return Ok(());
            }
            if is_rotated(reader.get_ref(), &path) {
                // What was written to the old file before it was renamed is read by now, or at its last look.
                if !drain(reader, query, each)? {
                    return Ok(());
                }
                last = open(&path)?;
                continue;
            }
        } else {
            last = open(&path)?;
            if last.is_some() {
                continue;
            }
        }
        if !was_alive {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
}

/// What became of reading what is there.
enum Past {
    /// Nobody wants more.
    Stopped,
    /// All was read; the newest file, at its end.
    Read(Option<BufReader<File>>),
}

/// Hands on what is there now, oldest first, or only its last lines.
fn past(path: &Path, query: &LogQuery, each: &mut dyn FnMut(LogEntry) -> bool) -> io::Result<Past> {
    let mut lines: VecDeque<Vec<LogEntry>> = VecDeque::new();
    let mut last = None;
    for file in files(path) {
        let Some(mut reader) = open(&file)? else { continue };
        let mut sink = |entry: LogEntry| match query.tail {
            None => each(entry),
            Some(count) => {
                keep(&mut lines, entry, count);
                true
            }
        };
        if !drain(&mut reader, query, &mut sink)? {
            return Ok(Past::Stopped);
        }
        last = Some(reader);
    }
    let wanted = lines.into_iter().flatten().all(each);
    Ok(if wanted { Past::Read(last) } else { Past::Stopped })
}

/// Keeps the last lines; parts of one line count as one.
fn keep(lines: &mut VecDeque<Vec<LogEntry>>, entry: LogEntry, count: usize) {
    let goes_on = lines
        .back()
        .and_then(|line| line.last())
        .is_some_and(|last| last.stream == entry.stream && !last.bytes.ends_with(b"\n"));
    match lines.back_mut() {
        Some(line) if goes_on => line.push(entry),
        _ => lines.push_back(vec![entry]),
    }
    while lines.len() > count {
        lines.pop_front();
    }
}

/// The files of a log, oldest first.
fn files(path: &Path) -> Vec<PathBuf> {
    let mut files = vec![path.to_owned()];
    files.extend(
        (1..).map(|number: u32| path.with_extension(number.to_string())).take_while(|file| file.exists()),
    );
    files.reverse();
    files
}

fn open(path: &Path) -> io::Result<Option<BufReader<File>>> {
    match File::open(path) {
        Ok(file) => Ok(Some(BufReader::with_capacity(64 * 1024, file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_rotated(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => open.ino() != there.ino(),
        _ => true,
    }
}

/// Hands on whole entries up to the end of what is there. False if nobody wants more.
fn drain(
    reader: &mut BufReader<File>,
    query: &LogQuery,
    each: &mut dyn FnMut(LogEntry) -> bool,
) -> io::Result<bool> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(true);
        }
        if !line.ends_with(b"\n") {
            // The rest is being written; it is read as a whole the next time.
            reader.seek_relative(-i64::try_from(length).unwrap_or_default())?;
            // The buffer must not answer for the file's end.
            let position = reader.stream_position()?;
            reader.seek(io::SeekFrom::Start(position))?;
            return Ok(true);
        }
        let Some(entry) = parse(&line) else { continue };
        let early = query.since.is_some_and(|since| entry.at < since);
        if query.until.is_some_and(|until| entry.at >= until) {
            return Ok(false);
        }
        if !early && !each(entry) {
            return Ok(false);
        }
    }
}

/// One line of a log; `None` if it is none.
fn parse(line: &[u8]) -> Option<LogEntry> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let time = std::str::from_utf8(fields.next()?).ok()?;
    let stream = match fields.next()? {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return None,
    };
    let whole = fields.next()? == b"F";
    let content = fields.next()?;
    let at = time.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
    let bytes = if whole { content } else { content.strip_suffix(b"\n")? };
    Some(LogEntry { at, stream, bytes: bytes.to_vec() })
}
