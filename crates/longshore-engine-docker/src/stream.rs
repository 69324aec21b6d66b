//! The two outputs of a process in one stream.
//!
//! Docker frames them: one byte for the stream, three zeros, four for the length, then the bytes. With a terminal
//! there is one output, and no frames.

use std::io::{self, Read};

use longshore_engine::Stream;

/// One frame is read in pieces of at most this size.
const PIECE: usize = 64 * 1024;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Bytes of one of the outputs; `last` if they end a frame.
    Output { stream: Stream, bytes: Vec<u8>, last: bool },
    /// Words of the runtime, which Docker writes without a frame when a process could not be started.
    Complaint(Vec<u8>),
}

/// Takes frames apart.
pub(crate) struct Frames<R> {
    reader: R,
    left: usize,
    stream: Stream,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, left: 0, stream: Stream::Stdout }
    }

    /// The next piece; none at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece>> {
        while self.left == 0 {
            let mut head = [0; 8];
            match read_full(&mut self.reader, &mut head)? {
                0 => return Ok(None),
                8 if head[0] <= 2 && head[1..4] == [0; 3] => {
                    self.stream = if head[0] == 2 { Stream::Stderr } else { Stream::Stdout };
                    self.left = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
                }
                length => {
                    let mut words = head[..length].to_vec();
                    self.reader.by_ref().take(PIECE as u64).read_to_end(&mut words)?;
                    return Ok(Some(Piece::Complaint(words)));
                }
            }
        }
        let mut bytes = vec![0; self.left.min(PIECE)];
        let length = self.reader.read(&mut bytes)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.truncate(length);
        self.left -= length;
        Ok(Some(Piece::Output { stream: self.stream, bytes, last: self.left == 0 }))
    }
}

/// Reads until a buffer is full or the end comes.
fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use longshore_engine::Stream;

    use super::{Frames, Piece};

    #[test]
    fn outputs_are_told_apart() {
        let mut bytes = b"\x01\0\0\0\0\0\0\x02ab\x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\x01c".to_vec();
        let piece = |stream, bytes: &[u8]| Piece::Output { stream, bytes: bytes.to_vec(), last: true };
        let mut frames = Frames::new(&bytes[..]);
        assert_eq!(frames.next().unwrap(), Some(piece(Stream::Stdout, b"ab")));
        assert_eq!(frames.next().unwrap(), Some(piece(Stream::Stderr, b"c")));
        assert_eq!(frames.next().unwrap(), None);
        bytes.pop();
        let mut frames = Frames::new(&bytes[..]);
        frames.next().unwrap();
        assert!(frames.next().is_err());
    }

    #[test]
    fn complaints_have_no_frame() {
        let mut frames = Frames::new(&b"OCI runtime exec failed: x"[..]);
        assert_eq!(frames.next().unwrap(), Some(Piece::Complaint(b"OCI runtime exec failed: x".to_vec())));
        assert_eq!(frames.next().unwrap(), None);
    }
}
