//! Lines of bounded length.

use std::io::{self, BufRead};

/// Longer lines are refused; no request comes near.
pub(super) const MAX_BYTES: usize = 64 * 1024 * 1024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line without its line feed.
    Text(Vec<u8>),
    /// A line of more than [`MAX_BYTES`] bytes, which was skipped.
    TooLong,
    /// Nothing: the input has ended.
    End,
}

/// Reads one line; the last one may lack its line feed.
pub(crate) fn read_line(input: &mut impl BufRead) -> io::Result<Line> {
    read_bounded(input, MAX_BYTES)
}

fn read_bounded(input: &mut impl BufRead, limit: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(match (too_long, line.is_empty()) {
                (true, _) => Line::TooLong,
                (false, true) => Line::End,
                (false, false) => Line::Text(line),
            });
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        if too_long || line.len() + part.len() > limit {
            too_long = true;
            line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Text(line) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::{Line, read_bounded};

    #[test]
    fn reads_short_lines_and_skips_long_ones() {
        // A buffer smaller than the lines, so that lines come in parts.
        let mut input = BufReader::with_capacity(3, "one\n\ntoo long a line\r\nlast".as_bytes());
        let mut lines = Vec::new();
        loop {
            match read_bounded(&mut input, 6).unwrap() {
                Line::End => break,
                line => lines.push(line),
            }
        }
        let text = |text: &str| Line::Text(text.as_bytes().to_vec());
        assert_eq!(lines, [text("one"), text(""), Line::TooLong, text("last")]);
    }
}
