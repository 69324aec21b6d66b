//! Reading the log of one step: whole, from its end, or on from where one was.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// A longer line is handed on in pieces.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;
const BLOCK: u64 = 64 * 1024;
/// How long the time before a line is.
const STAMP: usize = "2026-01-02T03:04:05.678Z".len();

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// When it was written, as `2026-01-02T03:04:05.678Z`; nothing for what goes on a very long line.
    pub at: Option<Cow<'a, str>>,
    /// The line without its end.
    pub text: Cow<'a, str>,
}

/// The log of one step.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
}

impl Log {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands on every whole line from an offset on, until `each` has had enough; gives the offset that it came to. A step
    /// that has no log has no lines.
    pub fn read(
        &self,
        from: u64,
        each: &mut dyn FnMut(&LogLine<'_>) -> ControlFlow<()>,
    ) -> io::Result<(u64, ControlFlow<()>)> {
        let Some(mut file) = self.open()? else { return Ok((from, ControlFlow::Continue(()))) };
        if file.metadata()?.len() <= from {
            return Ok((from, ControlFlow::Continue(())));
        }
        file.seek(SeekFrom::Start(from))?;
        let mut reader = BufReader::with_capacity(BLOCK as usize, file);
        let (mut line, mut offset) = (Vec::new(), from);
        loop {
            line.clear();
            let length = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? as u64;
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if length < LONGEST_LINE {
                return Ok((offset, ControlFlow::Continue(())));
            }
            offset += length;
            if each(&parse(&line)).is_break() {
                return Ok((offset, ControlFlow::Break(())));
            }
        }
    }

    /// The offset at which the last so many whole lines begin.
    pub fn tail(&self, lines: usize) -> io::Result<u64> {
        let Some(file) = self.open()? else { return Ok(0) };
        let mut end = file.metadata()?.len();
        let mut block = vec![0; BLOCK as usize];
        // Before the first of them another line ends, which is counted, too.
        let mut left = lines;
        while end > 0 {
            let start = end.saturating_sub(BLOCK);
            let piece = block.get_mut(..(end - start) as usize).unwrap_or_default();
            file.read_exact_at(piece, start)?;
            for (at, _) in piece.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
                if left == 0 {
                    return Ok(start + at as u64 + 1);
                }
                left -= 1;
            }
            end = start;
        }
        Ok(0)
    }

    fn open(&self) -> io::Result<Option<File>> {
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }
}

fn parse(line: &[u8]) -> LogLine<'_> {
    let stamped = line.get(STAMP) == Some(&b' ')
        && line.get(STAMP - 1) == Some(&b'Z')
        && line.get(10) == Some(&b'T')
        && line.first().is_some_and(u8::is_ascii_digit);
    match (stamped, line.get(..STAMP), line.get(STAMP + 1..)) {
        (true, Some(at), Some(text)) => {
            LogLine { at: Some(String::from_utf8_lossy(at)), text: String::from_utf8_lossy(text) }
        }
        _ => LogLine { at: None, text: String::from_utf8_lossy(line) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &Log, from: u64) -> (Vec<String>, u64) {
        let mut texts = Vec::new();
        let (end, _) = log
            .read(from, &mut |line| {
                texts.push(line.text.clone().into_owned());
                ControlFlow::Continue(())
            })
            .unwrap();
        (texts, end)
    }

    #[test]
    fn logs_are_read_from_any_line_on() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("1.log");
        let log = Log::new(path.clone());
        assert_eq!((texts(&log, 0), log.tail(3).unwrap()), ((vec![], 0), 0), "no log");
        let stamp = "2026-01-02T03:04:05.678Z";
        let wide = "x".repeat(100_000);
        std::fs::write(&path, format!("{stamp} one\n{stamp} {wide}\n{stamp} three\n{stamp} torn")).unwrap();
        let (all, end) = texts(&log, 0);
        assert_eq!(all, ["one", &wide, "three"]);
        for (lines, expected) in
            [(0, &all[3..]), (1, &all[2..]), (2, &all[1..]), (3, &all[..]), (9, &all[..])]
        {
            assert_eq!(texts(&log, log.tail(lines).unwrap()).0, expected, "{lines}");
        }
        std::fs::write(
            &path,
            format!(
                "{}{stamp} torn no more\n",
                std::fs::read_to_string(&path).unwrap().rsplit_once('\n').unwrap().0.to_owned() + "\n"
            ),
        )
        .unwrap();
        assert_eq!(texts(&log, end).0, ["torn no more"]);
    }

    #[test]
    fn what_is_no_line_of_ours_is_shown_as_it_is() {
        assert_eq!(parse(b"2026-01-02T03:04:05.678Z a b").text, "a b");
        assert_eq!(parse(b"2026-01-02T03:04:05.678Z ").text, "");
        for line in [&b""[..], b"plain", b"\xff\xfe", b"2026-01-02T03:04:05.678Zab"] {
            assert_eq!((parse(line).at, parse(line).text), (None, String::from_utf8_lossy(line)));
        }
    }
}
