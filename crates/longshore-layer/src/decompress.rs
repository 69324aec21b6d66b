//! Streams decompressed as they are read: gzip with any number of members, zstd with any number of frames.

use std::fmt;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use longshore_oci::Compression;

use crate::compression;

/// How much compressed content is read at once.
const BUFFER: usize = 128 << 10;

/// The largest window that a zstd stream may ask for, as a power of two: what `zstd` itself takes without being told.
const WINDOW_LOG_MAX: u32 = 27;

/// Decompresses a stream, whose compression is told by its first bytes.
pub fn decompress<R: Read>(reader: R) -> Result<Decompressor<R>, DecompressError> {
    Decompressor::new(reader)
}

/// Why a stream cannot be decompressed.
#[derive(Debug, thiserror::Error)]
pub enum DecompressError {
    /// The reader below failed.
    #[error("failed to read the compressed content")]
    Read(#[source] io::Error),
    /// The content is damaged or ends too early.
    #[error("the content is no valid {} stream", compression::name(*.0))]
    Corrupt(Compression, #[source] io::Error),
    /// A compression that layers do not use.
    #[error("the content is compressed with {0}, which layers of images cannot be")]
    Unsupported(&'static str),
}

/// The reader of the decompressed content.
pub struct Decompressor<R: Read> {
    decoder: Decoder<R>,
    compression: Compression,
    taken: Arc<Taken>,
}

type Source<R> = BufReader<Chain<Cursor<Vec<u8>>, Counted<R>>>;

enum Decoder<R: Read> {
    None(Source<R>),
    Gzip(Box<MultiGzDecoder<Source<R>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Source<R>>>),
}

/// What was taken from the reader below.
#[derive(Default)]
struct Taken {
    bytes: AtomicU64,
    failed: AtomicBool,
}

struct Counted<R> {
    reader: R,
    taken: Arc<Taken>,
}

impl<R: Read> Decompressor<R> {
    fn new(reader: R) -> Result<Self, DecompressError> {
        let taken = Arc::new(Taken::default());
        let mut reader = Counted { reader, taken: Arc::clone(&taken) };
        let mut start = Vec::with_capacity(compression::MAGIC_BYTES);
        reader
            .by_ref()
            .take(compression::MAGIC_BYTES as u64)
            .read_to_end(&mut start)
            .map_err(DecompressError::Read)?;
        if let Some(name) = compression::unreadable(&start) {
            return Err(DecompressError::Unsupported(name));
        }
        let compression = compression::detect(&start);
        let source = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(reader));
        let decoder = match compression {
            Compression::None => Decoder::None(source),
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(source))),
            Compression::Zstd => Decoder::Zstd(Box::new(bounded_zstd(source)?)),
        };
        Ok(Self { decoder, compression, taken })
    }

    /// How the stream is compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// How many bytes of compressed content were read so far.
    pub fn compressed_bytes(&self) -> u64 {
        self.taken.bytes.load(Ordering::Relaxed)
    }

    /// Says whose fault an error of this reader is.
    pub(crate) fn explain(&self, error: io::Error) -> DecompressError {
        if self.compression == Compression::None || self.taken.failed.load(Ordering::Relaxed) {
            DecompressError::Read(error)
        } else {
            DecompressError::Corrupt(self.compression, error)
        }
    }
}

fn bounded_zstd<R: io::BufRead>(
    source: R,
) -> Result<zstd::stream::read::Decoder<'static, R>, DecompressError> {
    let failed = |error| DecompressError::Corrupt(Compression::Zstd, error);
    let mut decoder = zstd::stream::read::Decoder::with_buffer(source).map_err(failed)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(failed)?;
    Ok(decoder)
}

impl<R: Read> Read for Decompressor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.decoder {
            Decoder::None(reader) => reader.read(buffer),
            Decoder::Gzip(reader) => reader.read(buffer),
            Decoder::Zstd(reader) => reader.read(buffer),
        }
    }
}

impl<R: Read> fmt::Debug for Decompressor<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Decompressor").field("compression", &self.compression).finish_non_exhaustive()
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.reader.read(buffer);
        match &result {
            Ok(length) => {
                self.taken.bytes.fetch_add(*length as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.taken.failed.store(true, Ordering::Relaxed),
        }
        result
    }
}
