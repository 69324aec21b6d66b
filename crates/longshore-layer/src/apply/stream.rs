//! The first threads of the pipeline: one reads and decompresses, one hashes; the caller's parses.
//!
//! Decompressed content goes in chunks to the hasher and to the parser, both reading the same memory. Both pipes are
//! bounded, so the slowest of the three sets the pace. Buffers go back to the decompressor once both have let go.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};

use longshore_oci::{Algorithm, Digest, Hasher};

use super::{ApplyError, Limits};
use crate::decompress;

/// Chunks fit the cache of a core, and are large enough for handing them over to cost nothing.
const CHUNK: usize = 256 << 10;
/// How many chunks wait in each pipe at most.
const QUEUE: usize = 12;

/// Buffers that wait to be used again.
type Pool = Arc<Mutex<Vec<Vec<u8>>>>;

/// A part of the decompressed content.
struct Chunk {
    bytes: Vec<u8>,
    length: usize,
    pool: Pool,
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.bytes);
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

/// The threads before the parser.
pub(crate) struct Stream<'scope> {
    decompressor: ScopedJoinHandle<'scope, Result<u64, ApplyError>>,
    hasher: ScopedJoinHandle<'scope, Digest>,
}

/// What the threads found once the content had ended.
pub(crate) struct Ended {
    /// How long the content is.
    pub(crate) bytes: u64,
    /// Its digest.
    pub(crate) diff_id: Digest,
}

impl<'scope> Stream<'scope> {
    /// Starts the threads; the reader gives the decompressed content.
    pub(crate) fn start<'env, R: Read + Send + 'scope>(
        scope: &'scope thread::Scope<'scope, 'env>,
        reader: R,
        limits: &'scope Limits,
        algorithm: Algorithm,
    ) -> Result<(Self, ChunkReader), ApplyError> {
        let (to_hasher, for_hasher) = sync_channel(QUEUE);
        let (to_parser, for_parser) = sync_channel(QUEUE);
        let pump = move || pump(reader, limits, &[to_parser, to_hasher]);
        let decompressor = named("layer-inflate").spawn_scoped(scope, pump).map_err(ApplyError::Thread)?;
        let hash = move || hash(&for_hasher, algorithm);
        let hasher = named("layer-hash").spawn_scoped(scope, hash).map_err(ApplyError::Thread)?;
        Ok((Self { decompressor, hasher }, ChunkReader { chunks: for_parser, current: None, position: 0 }))
    }

    /// Waits for the threads. The parser's reader must have been dropped or read to its end.
    pub(crate) fn join(self) -> Result<Ended, ApplyError> {
        let bytes = joined(self.decompressor)??;
        Ok(Ended { bytes, diff_id: joined(self.hasher)? })
    }
}

pub(crate) fn named(name: &str) -> thread::Builder {
    thread::Builder::new().name(name.to_owned())
}

/// What a thread gave; a panic becomes an error that says so.
pub(crate) fn joined<T>(handle: ScopedJoinHandle<'_, T>) -> Result<T, ApplyError> {
    handle.join().map_err(|_| ApplyError::Thread(io::Error::other("the thread panicked")))
}

/// Reads and decompresses until the end, an error, or nobody listening any more.
fn pump<R: Read>(
    reader: R,
    limits: &Limits,
    listeners: &[SyncSender<Arc<Chunk>>],
) -> Result<u64, ApplyError> {
    let mut decompressor = decompress::decompress(reader)?;
    let pool = Pool::default();
    let mut total = 0;
    loop {
        let recycled = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = recycled.unwrap_or_else(|| vec![0; CHUNK]);
        let length = fill(&mut decompressor, &mut bytes).map_err(|error| decompressor.explain(error))?;
        if length == 0 {
            return Ok(total);
        }
        total += length as u64;
        bounded(total, decompressor.compressed_bytes(), limits)?;
        let chunk = Arc::new(Chunk { bytes, length, pool: Arc::clone(&pool) });
        if listeners.iter().any(|listener| listener.send(Arc::clone(&chunk)).is_err()) {
            return Ok(total);
        }
    }
}

/// Refuses bombs.
fn bounded(total: u64, compressed: u64, limits: &Limits) -> Result<(), ApplyError> {
    if total > limits.total_bytes {
        return Err(ApplyError::Limit { what: "bytes", limit: limits.total_bytes, entry: None });
    }
    if total > limits.ratio_above && total / limits.ratio.max(1) > compressed {
        return Err(ApplyError::Ratio { ratio: limits.ratio, bytes: total });
    }
    Ok(())
}

/// Fills a buffer as far as the content reaches.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
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

fn hash(chunks: &Receiver<Arc<Chunk>>, algorithm: Algorithm) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    for chunk in chunks {
        hasher.update(&chunk.bytes[..chunk.length]);
    }
    hasher.finish()
}

/// The parser's end of the pipe. It ends where the decompressor stopped, be it for an error, which the stream tells.
pub(crate) struct ChunkReader {
    chunks: Receiver<Arc<Chunk>>,
    current: Option<Arc<Chunk>>,
    position: usize,
}

impl BufRead for ChunkReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let used_up = self.current.as_ref().is_none_or(|chunk| self.position >= chunk.length);
        if used_up {
            // Let go first: the decompressor may need the buffer.
            self.current = None;
            self.current = self.chunks.recv().ok();
            self.position = 0;
        }
        Ok(self.current.as_ref().map_or(&[], |chunk| &chunk.bytes[self.position..chunk.length]))
    }

    fn consume(&mut self, length: usize) {
        self.position += length;
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}
