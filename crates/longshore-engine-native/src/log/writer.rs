//! Writing a log.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use longshore_engine::{LogSpec, Stream};

/// Longer lines are written in parts.
const PART: usize = 16 * 1024;

/// Writes the log of one container.
#[derive(Debug)]
pub(crate) struct LogWriter {
    path: PathBuf,
    spec: LogSpec,
    file: Option<File>,
    size: u64,
    /// What was written of lines that are not at their end, by stream.
    unfinished: [Vec<u8>; 2],
    buffer: Vec<u8>,
}

impl LogWriter {
    /// Goes on with the log in a directory. Its file is made when there is something to write: many containers say nothing.
    pub(crate) fn open(directory: &Path, spec: &LogSpec) -> Self {
        Self {
            path: directory.join("log"),
            spec: spec.clone(),
            file: None,
            size: 0,
            unfinished: [Vec::new(), Vec::new()],
            buffer: Vec::new(),
        }
    }

    fn reopen(&mut self) -> io::Result<()> {
        let file = File::options().create(true).append(true).open(&self.path)?;
        self.size = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    /// Writes what came, whole lines at once; the beginning of a line waits for its end.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        if self.spec.none {
            return Ok(());
        }
        let head = head(stream);
        let index = usize::from(stream == Stream::Stderr);
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end + 1);
            rest = after;
            self.entry(&head, index, line);
        }
        self.unfinished[index].extend_from_slice(rest);
        if self.unfinished[index].len() >= PART {
            let part = std::mem::take(&mut self.unfinished[index]);
            self.parts(&head, &part);
        }
        self.flush()
    }

    /// Adds a line whose end has come; its beginning may have come before.
    fn entry(&mut self, head: &str, index: usize, line: &[u8]) {
        let before = std::mem::take(&mut self.unfinished[index]);
        if before.is_empty() && line.len() <= PART {
            self.push(head, "F", line);
            return;
        }
        let mut whole = before;
        whole.extend_from_slice(line);
        let cut = (whole.len() - 1) / PART * PART;
        self.parts(head, &whole[..cut]);
        self.push(head, "F", &whole[cut..]);
    }

    fn parts(&mut self, head: &str, bytes: &[u8]) {
        for part in bytes.chunks(PART) {
            self.push(head, "P", part);
            self.buffer.push(b'\n');
        }
    }

    fn push(&mut self, head: &str, tag: &str, content: &[u8]) {
        self.buffer.extend_from_slice(head.as_bytes());
        self.buffer.extend_from_slice(tag.as_bytes());
        self.buffer.push(b' ');
        self.buffer.extend_from_slice(content);
    }

    /// Writes the beginnings of lines that have no end and will have none.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            let rest = std::mem::take(&mut self.unfinished[index]);
            if !rest.is_empty() {
                self.parts(&head(stream), &rest);
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.buffer);
        if self.file.is_none() {
            self.reopen()?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(&entries)?;
            self.size += entries.len() as u64;
        }
        if self.spec.max_size.is_some_and(|limit| self.size >= limit) {
            self.rotate()?;
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let files = self.spec.max_files.unwrap_or(1).max(1);
        let numbered = |number: u32| match number {
            0 => self.path.clone(),
            number => self.path.with_extension(number.to_string()),
        };
        let oldest = numbered(files - 1);
        for number in (0..files - 1).rev() {
            match fs::rename(numbered(number), numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if files == 1 {
            fs::remove_file(oldest)?;
        }
        self.reopen()
    }
}

/// Time and stream, once for all lines that came together.
fn head(stream: Stream) -> String {
    let name = if stream == Stream::Stdout { "stdout" } else { "stderr" };
    format!("{:.9} {name} ", jiff::Timestamp::now())
}

#[cfg(test)]
mod tests {
    use longshore_engine::{LogEntry, LogQuery, LogSpec, Stream};
    use proptest::prelude::*;

    use super::{LogWriter, PART};
    use crate::log::read;

    fn entries(directory: &std::path::Path, query: &LogQuery) -> Vec<LogEntry> {
        let mut all = Vec::new();
        read(directory, query, &|| false, &mut |entry| {
            all.push(entry);
            true
        })
        .unwrap();
        all
    }

    proptest! {
        /// Whatever a container writes, in whatever pieces, comes back.
        #[test]
        fn bytes_survive(pieces in proptest::collection::vec((any::<bool>(), proptest::collection::vec(
            prop_oneof![Just(b'\n'), any::<u8>()], 0..300)), 0..20))
        {
            let directory = tempfile::tempdir().unwrap();
            let mut writer = LogWriter::open(directory.path(), &LogSpec::default());
            let mut written = [Vec::new(), Vec::new()];
            for (error, bytes) in &pieces {
                let stream = if *error { Stream::Stderr } else { Stream::Stdout };
                writer.write(stream, bytes).unwrap();
                written[usize::from(*error)].extend_from_slice(bytes);
            }
            writer.finish().unwrap();
            let mut back = [Vec::new(), Vec::new()];
            for entry in entries(directory.path(), &LogQuery::default()) {
                back[usize::from(entry.stream == Stream::Stderr)].extend_from_slice(&entry.bytes);
            }
            prop_assert_eq!(written, back);
        }
    }

    #[test]
    fn long_lines_come_in_parts() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = LogWriter::open(directory.path(), &LogSpec::default());
        let mut line = vec![b'x'; PART * 2 + 5];
        line.push(b'\n');
        writer.write(Stream::Stdout, &line).unwrap();
        let all = entries(directory.path(), &LogQuery::default());
        assert_eq!(all.iter().map(|entry| entry.bytes.len()).collect::<Vec<_>>(), [PART, PART, 6]);
    }

    #[test]
    fn old_files_go() {
        let directory = tempfile::tempdir().unwrap();
        let spec = LogSpec { none: false, max_size: Some(500), max_files: Some(3) };
        let mut writer = LogWriter::open(directory.path(), &spec);
        for number in 0..100 {
            writer.write(Stream::Stdout, format!("line {number}\n").as_bytes()).unwrap();
        }
        let mut files: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["log", "log.1", "log.2"]);
        let all = entries(directory.path(), &LogQuery::default());
        assert_eq!(all.last().unwrap().bytes, b"line 99\n");
        assert!(all.len() > 20 && all.len() < 60, "{}", all.len());
        let tail = entries(directory.path(), &LogQuery { tail: Some(2), ..LogQuery::default() });
        assert_eq!(tail.len(), 2);
    }
}
