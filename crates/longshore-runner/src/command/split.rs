//! Lines of a stream of bytes.
//!
//! Sans-IO. Lines end as .NET's readers end them, which the runner uses: by LF, CR LF, or a CR alone, so that each state
//! of a progress bar is a line. A byte order mark at the start is dropped. What is not UTF-8 is replaced; NUL is kept.
//!
//! A line longer than [`LINE_LIMIT`] is cut, and goes on as a further line. The cut does not split a secret: where it may
//! be made is decided by the caller, who sees some text on both of its sides.
//!
//! **Invariant:** pieces do not depend on how the bytes were split, and no more than one piece and a half is kept.

use memchr::memchr2;

/// The longest line in bytes; what is longer goes on as a further line.
pub const LINE_LIMIT: usize = 1024 * 1024;

/// How much text is kept on both sides of a cut, so that secrets that would be cut are seen. GitHub's secrets have at most
/// 48 KiB, which are 64 KiB in Base64.
pub(super) const CUT_MARGIN: usize = 64 * 1024;

const KEPT: usize = LINE_LIMIT + CUT_MARGIN;

/// Part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'b> {
    /// Its bytes, without the end of the line.
    pub(super) bytes: &'b [u8],
    /// Whether a line begins with it.
    pub(super) first: bool,
    /// Whether the line ends with it.
    pub(super) last: bool,
}

/// What takes pieces of lines, and says where long ones may be cut.
pub(super) trait PieceSink {
    /// Takes the next piece.
    fn piece(&mut self, piece: Piece<'_>);

    /// Where to cut these bytes, after the first one and at [`LINE_LIMIT`] or before.
    fn cut(&mut self, bytes: &[u8]) -> usize;
}

/// The part of a stream that is not a line yet.
#[derive(Debug, Default)]
pub(super) struct LineSplitter {
    /// Holds less than [`KEPT`] bytes between calls.
    buffer: Vec<u8>,
    /// Whether the buffer goes on with a line that was cut.
    continues: bool,
    /// Whether the last byte was a CR, so that an LF belongs to it.
    after_return: bool,
    /// Whether bytes have come.
    started: bool,
}

impl LineSplitter {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8], sink: &mut impl PieceSink) {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_return)
                && let Some(rest) = bytes.strip_prefix(b"\n")
            {
                bytes = rest;
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                self.keep(bytes, sink);
                return;
            };
            let (line, rest) = bytes.split_at(end);
            self.after_return = rest.first() == Some(&b'\r');
            bytes = rest.get(1..).unwrap_or_default();
            if self.buffer.is_empty() && line.len() <= LINE_LIMIT {
                self.end(line, sink);
            } else {
                self.keep(line, sink);
                let kept = std::mem::take(&mut self.buffer);
                self.end(&kept, sink);
                self.reuse(kept);
            }
        }
    }

    /// The stream has ended: what is left is a line.
    pub(super) fn flush(&mut self, sink: &mut impl PieceSink) {
        let kept = std::mem::take(&mut self.buffer);
        let shown = if self.started { kept.as_slice() } else { without_mark(&kept) };
        if !shown.is_empty() || self.continues {
            self.end(&kept, sink);
        }
    }

    /// The part of a line that has come, if the line was not cut before.
    pub(super) fn partial(&self) -> Option<&[u8]> {
        let partial = if self.started { &self.buffer } else { without_mark(&self.buffer) };
        (!partial.is_empty() && !self.continues).then_some(partial)
    }

    /// Keeps bytes that end no line. What is too long is cut as soon as it is.
    fn keep(&mut self, mut bytes: &[u8], sink: &mut impl PieceSink) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(KEPT - self.buffer.len().min(KEPT)));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() >= KEPT {
                let mut kept = std::mem::take(&mut self.buffer);
                let cut = self.cut(&kept, sink);
                kept.drain(..cut);
                self.buffer = kept;
            }
        }
    }

    /// Hands out the first piece of bytes that are too long, and says where it ends.
    fn cut(&mut self, bytes: &[u8], sink: &mut impl PieceSink) -> usize {
        let at = sink.cut(bytes).clamp(1, bytes.len());
        self.hand_out(bytes.get(..at).unwrap_or_default(), false, sink);
        at
    }

    /// Hands out the rest of a line.
    fn end(&mut self, mut line: &[u8], sink: &mut impl PieceSink) {
        while line.len() > LINE_LIMIT {
            let at = self.cut(line, sink);
            line = line.get(at..).unwrap_or_default();
        }
        self.hand_out(line, true, sink);
    }

    fn hand_out(&mut self, bytes: &[u8], last: bool, sink: &mut impl PieceSink) {
        let bytes = if std::mem::replace(&mut self.started, true) { bytes } else { without_mark(bytes) };
        sink.piece(Piece { bytes, first: !self.continues, last });
        self.continues = !last;
    }

    /// Keeps the allocation for the next line, unless it is large.
    fn reuse(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= CUT_MARGIN {
            buffer.clear();
            self.buffer = buffer;
        }
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::{KEPT, LINE_LIMIT, LineSplitter, Piece, PieceSink};

    /// Cuts at the limit and writes pieces down: their length and text, `+` if they go on.
    #[derive(Default)]
    struct Written {
        pieces: Vec<String>,
    }

    impl PieceSink for Written {
        fn piece(&mut self, piece: Piece<'_>) {
            let text = String::from_utf8_lossy(piece.bytes.get(..8).unwrap_or(piece.bytes)).into_owned();
            let (before, after) = (if piece.first { "" } else { "+" }, if piece.last { "" } else { "+" });
            self.pieces.push(format!("{before}{}:{text}{after}", piece.bytes.len()));
        }

        fn cut(&mut self, bytes: &[u8]) -> usize {
            assert!(bytes.len() > LINE_LIMIT && bytes.len() <= KEPT);
            LINE_LIMIT
        }
    }

    fn pieces(bytes: &[u8], size: usize) -> Vec<String> {
        let (mut splitter, mut written) = (LineSplitter::default(), Written::default());
        for part in bytes.chunks(size) {
            splitter.feed(part, &mut written);
            assert!(splitter.buffer.len() < KEPT && splitter.buffer.capacity() <= 2 * KEPT);
        }
        splitter.flush(&mut written);
        written.pieces
    }

    #[test]
    fn lines_end_by_feeds_and_returns() {
        for (text, expected) in [
            ("", vec![]),
            ("\n", vec!["0:"]),
            ("a\nb", vec!["1:a", "1:b"]),
            ("a\r\nb\r\n", vec!["1:a", "1:b"]),
            ("a\rb\r\rc\n\r\n", vec!["1:a", "1:b", "0:", "1:c", "0:"]),
            ("\u{feff}a\n\u{feff}b", vec!["1:a", "4:\u{feff}b"]),
            ("\u{feff}", vec![]),
            ("a\0b\n", vec!["3:a\0b"]),
        ] {
            for size in 1..4 {
                assert_eq!(pieces(text.as_bytes(), size), expected, "{text:?} in parts of {size}");
            }
        }
    }

    #[test]
    fn long_lines_are_cut_at_the_same_place_however_they_come() {
        for length in [LINE_LIMIT, LINE_LIMIT + 1, KEPT - 1, KEPT, KEPT + 1, 3 * LINE_LIMIT + 5] {
            let mut text = vec![b'x'; length];
            text.extend_from_slice(b"\ny\n");
            let whole = pieces(&text, text.len());
            assert_eq!(whole.len(), length.div_ceil(LINE_LIMIT) + 1);
            for size in [4096, LINE_LIMIT - 1, KEPT, KEPT + 7] {
                assert_eq!(pieces(&text, size), whole, "{length} in parts of {size}");
            }
        }
    }
}
