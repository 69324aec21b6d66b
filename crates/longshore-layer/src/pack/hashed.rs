//! A writer that has what passes through it hashed on another thread.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use longshore_oci::{Algorithm, Digest, Hasher};

/// How much is written and hashed at once.
const CHUNK: usize = 256 << 10;
/// How many chunks may wait for the hasher.
const QUEUE: usize = 8;

/// The writer; small writes are collected.
pub(super) struct HashedWriter<'scope, W> {
    writer: W,
    buffer: Vec<u8>,
    bytes: u64,
    to_hasher: SyncSender<Vec<u8>>,
    /// Buffers that were hashed.
    used: Receiver<Vec<u8>>,
    hasher: ScopedJoinHandle<'scope, Digest>,
}

impl<'scope, W: Write> HashedWriter<'scope, W> {
    pub(super) fn start<'env>(scope: &'scope Scope<'scope, 'env>, writer: W) -> io::Result<Self> {
        let (to_hasher, chunks) = sync_channel(QUEUE);
        let (give_back, used) = channel();
        let hash = move || hash(&chunks, &give_back);
        let hasher = Builder::new().name("layer-hash".to_owned()).spawn_scoped(scope, hash)?;
        Ok(Self { writer, buffer: Vec::with_capacity(CHUNK), bytes: 0, to_hasher, used, hasher })
    }

    /// The digest and the length of everything written.
    pub(super) fn finish(mut self) -> io::Result<(Digest, u64)> {
        self.pass()?;
        self.writer.flush()?;
        drop(self.to_hasher);
        let digest = self.hasher.join().map_err(|_| io::Error::other("the thread that hashes panicked"))?;
        Ok((digest, self.bytes))
    }

    fn pass(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.buffer)?;
        self.bytes += self.buffer.len() as u64;
        let next = self.used.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        let full = std::mem::replace(&mut self.buffer, next);
        self.to_hasher.send(full).map_err(|_| io::Error::other("the thread that hashes has ended"))
    }
}

impl<W: Write> Write for HashedWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(bytes.get(..length).unwrap_or_default());
        if self.buffer.len() >= CHUNK {
            self.pass()?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hash(chunks: &Receiver<Vec<u8>>, give_back: &Sender<Vec<u8>>) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    for mut chunk in chunks {
        hasher.update(&chunk);
        chunk.clear();
        // The writer may have finished already.
        let _ = give_back.send(chunk);
    }
    hasher.finish()
}
