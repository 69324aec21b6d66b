//! Streams compressed as they are written, on several threads.
//!
//! The stream is cut into blocks of a fixed size, which are compressed independently of each other and written in order;
//! so the result depends on content and level only, never on the number of threads. For gzip the blocks are parts of one
//! member, each ending on a byte boundary, as `pigz --independent` makes them; for zstd each is a frame. Every reader of
//! either format reads both.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use flate2::{Compress, Crc, FlushCompress, Status};
use longshore_oci::Compression;

/// Sizes of blocks: large enough that what a block cannot know of its predecessors costs next to nothing.
const GZIP_BLOCK: usize = 1 << 20;
const ZSTD_BLOCK: usize = 4 << 20;

const GZIP_LEVEL: i32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// More threads would only take memory.
const MOST_THREADS: usize = 32;

/// An empty last block of deflate.
const DEFLATE_END: [u8; 2] = [0x03, 0x00];

/// Compresses what is written to it into `writer`. Without a level, the format's usual one is taken.
pub fn compress<W: Write>(
    writer: W,
    compression: Compression,
    level: Option<i32>,
    threads: usize,
) -> Compressor<W> {
    let (format, block) = match compression {
        Compression::None => (Format::None, 0),
        Compression::Gzip => (Format::Gzip(level.unwrap_or(GZIP_LEVEL).clamp(0, 9)), GZIP_BLOCK),
        Compression::Zstd => (Format::Zstd(level.unwrap_or(ZSTD_LEVEL)), ZSTD_BLOCK),
    };
    Compressor {
        writer,
        format,
        block,
        threads: threads.clamp(1, MOST_THREADS),
        buffer: Vec::new(),
        crew: None,
        waiting: VecDeque::new(),
        checksum: Crc::new(),
        started: false,
    }
}

/// The writer of content to be compressed. Without [`Compressor::finish`] the result is cut off.
pub struct Compressor<W: Write> {
    writer: W,
    format: Format,
    block: usize,
    threads: usize,
    buffer: Vec<u8>,
    crew: Option<SyncSender<Job>>,
    /// Blocks that are being compressed, in order.
    waiting: VecDeque<Receiver<io::Result<Block>>>,
    checksum: Crc,
    /// Whether the header was written.
    started: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    None,
    Gzip(i32),
    Zstd(i32),
}

/// A block that a thread is to compress, and where the result goes.
struct Job {
    bytes: Vec<u8>,
    result: SyncSender<io::Result<Block>>,
}

/// A compressed block.
struct Block {
    bytes: Vec<u8>,
    checksum: Crc,
}

/// What compresses one block after the other.
enum Encoder {
    Gzip(Compress),
    Zstd(zstd::bulk::Compressor<'static>),
}

impl<W: Write> Compressor<W> {
    /// Writes what is left and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        if self.format != Format::None {
            let empty = !self.started;
            if !self.buffer.is_empty() || (empty && matches!(self.format, Format::Zstd(_))) {
                self.submit()?;
            }
            while !self.waiting.is_empty() {
                self.collect()?;
            }
            if let Format::Gzip(_) = self.format {
                self.start()?;
                self.writer.write_all(&DEFLATE_END)?;
                self.writer.write_all(&self.checksum.sum().to_le_bytes())?;
                self.writer.write_all(&self.checksum.amount().to_le_bytes())?;
            }
        }
        self.writer.flush()?;
        Ok(self.writer)
    }

    /// Has the buffer compressed: here if one thread is all there is, or one block.
    fn submit(&mut self) -> io::Result<()> {
        let full = self.buffer.len() >= self.block;
        let bytes =
            std::mem::replace(&mut self.buffer, Vec::with_capacity(if full { self.block } else { 0 }));
        let (result, receiver) = sync_channel(1);
        let job = Job { bytes, result };
        if self.crew.is_none() && self.threads > 1 && full {
            self.crew = Some(start_crew(self.format, self.threads)?);
        }
        match &self.crew {
            Some(crew) => {
                crew.send(job).map_err(|_| io::Error::other("all threads that compress have ended"))?;
            }
            None => job.run(&mut Encoder::new(self.format)?),
        }
        self.waiting.push_back(receiver);
        while self.waiting.len() > self.threads * 2 || (self.crew.is_none() && !self.waiting.is_empty()) {
            self.collect()?;
        }
        Ok(())
    }

    /// Waits for the oldest block and writes it.
    fn collect(&mut self) -> io::Result<()> {
        let Some(receiver) = self.waiting.pop_front() else { return Ok(()) };
        let block = receiver.recv().map_err(|_| io::Error::other("a thread that compresses has ended"))??;
        self.start()?;
        self.checksum.combine(&block.checksum);
        self.writer.write_all(&block.bytes)
    }

    fn start(&mut self) -> io::Result<()> {
        if !self.started && matches!(self.format, Format::Gzip(_)) {
            // No name, no time, an unknown system: nothing that differs between runs.
            self.writer.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])?;
        }
        self.started = true;
        Ok(())
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.format == Format::None {
            return self.writer.write(bytes);
        }
        let length = bytes.len().min(self.block - self.buffer.len());
        self.buffer.extend_from_slice(bytes.get(..length).unwrap_or_default());
        if self.buffer.len() >= self.block {
            self.submit()?;
        }
        Ok(length)
    }

    /// Blocks stay whole, so that flushing does not change the result.
    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl<W: Write> fmt::Debug for Compressor<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Compressor").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Starts threads that end when the sender is dropped.
fn start_crew(format: Format, threads: usize) -> io::Result<SyncSender<Job>> {
    let (sender, receiver) = sync_channel::<Job>(threads);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..threads {
        let receiver = Arc::clone(&receiver);
        let mut encoder = Encoder::new(format)?;
        thread::Builder::new().name("layer-deflate".to_owned()).spawn(move || {
            loop {
                let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                match job {
                    Ok(job) => job.run(&mut encoder),
                    Err(_) => return,
                }
            }
        })?;
    }
    Ok(sender)
}

impl Job {
    fn run(&self, encoder: &mut Encoder) {
        // Nobody waits for the result if the writer was dropped.
        let _ = self.result.send(encoder.block(&self.bytes));
    }
}

impl Encoder {
    fn new(format: Format) -> io::Result<Self> {
        Ok(match format {
            Format::Gzip(level) => {
                Self::Gzip(Compress::new(flate2::Compression::new(level.unsigned_abs()), false))
            }
            Format::None | Format::Zstd(_) => {
                let level = if let Format::Zstd(level) = format { level } else { ZSTD_LEVEL };
                let mut compressor = zstd::bulk::Compressor::new(level)?;
                compressor.include_checksum(true)?;
                Self::Zstd(compressor)
            }
        })
    }

    fn block(&mut self, bytes: &[u8]) -> io::Result<Block> {
        let mut checksum = Crc::new();
        let bytes = match self {
            Self::Gzip(deflate) => {
                checksum.update(bytes);
                deflated(deflate, bytes)?
            }
            Self::Zstd(compressor) => compressor.compress(bytes)?,
        };
        Ok(Block { bytes, checksum })
    }
}

/// Deflates a block up to a byte boundary, so that the next one can follow.
fn deflated(deflate: &mut Compress, bytes: &[u8]) -> io::Result<Vec<u8>> {
    deflate.reset();
    let mut out = Vec::with_capacity(bytes.len() / 2 + 1024);
    loop {
        let done = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        let rest = bytes.get(done..).unwrap_or_default();
        let status = deflate.compress_vec(rest, &mut out, FlushCompress::Sync).map_err(io::Error::other)?;
        // The boundary is written once there is room left behind it.
        let complete = deflate.total_in() == bytes.len() as u64 && out.len() < out.capacity();
        if complete || status == Status::StreamEnd {
            return Ok(out);
        }
        out.reserve(bytes.len() / 4 + 1024);
    }
}
