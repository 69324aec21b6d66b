//! Archives that are compressed with xz as a whole, as root file systems often come.
//!
//! Layers cannot be, so this stands before everything else, which sees the archive as if it had come plain. The decoder
//! gets only so much memory, and what a small archive may become is bounded as with other compressions.

use std::io::{self, BufReader, Chain, Cursor, Read};

use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use longshore_layer::Limits;

/// What stands at the beginning of a stream.
const MAGIC: &[u8] = b"\xfd7zXZ\0";
/// The most memory that a decoder may take; `xz -9` needs 65 MiB.
const MEMORY: u64 = 128 << 20;
/// How much compressed content is read at once.
const BUFFER: usize = 128 << 10;

type Source<R> = Chain<Cursor<Vec<u8>>, R>;

/// An archive, plain or with any other compression.
pub(crate) enum Outer<R: Read> {
    /// As it came.
    Plain(Source<R>),
    /// What was in a stream of xz.
    Xz(Box<XzDecoder<BufReader<Source<R>>>>),
}

impl<R: Read> Outer<R> {
    /// Looks at the beginning.
    pub(crate) fn new(mut reader: R) -> io::Result<Self> {
        let mut start = Vec::with_capacity(MAGIC.len());
        reader.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start)?;
        let is_xz = start == MAGIC;
        let source = Cursor::new(start).chain(reader);
        if !is_xz {
            return Ok(Self::Plain(source));
        }
        let stream = Stream::new_stream_decoder(MEMORY, CONCATENATED)?;
        Ok(Self::Xz(Box::new(XzDecoder::new_stream(BufReader::with_capacity(BUFFER, source), stream))))
    }
}

impl<R: Read> Read for Outer<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let decoder = match self {
            Self::Plain(source) => return source.read(buffer),
            Self::Xz(decoder) => decoder,
        };
        let length = decoder.read(buffer)?;
        let limits = Limits::default();
        let (taken, given) = (decoder.total_in(), decoder.total_out());
        if given > taken.saturating_mul(limits.ratio).max(limits.ratio_above) || given > limits.total_bytes {
            let message = format!("it becomes more than {given} bytes when it is decompressed");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(length)
    }
}
