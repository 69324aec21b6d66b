//! Unpacking layers while they arrive.
//!
//! The transfer hands over what came, and never waits for another process: a layer that somebody else is unpacking has
//! no stream here, and is looked at again when all have come. A stream that cannot be unpacked does not stop its
//! transfer either; the layer is unpacked again from the store, and the error that this gives is the one to show.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use longshore_event::{EventSink, ImageEvent};
use longshore_layer::{Applied, apply};
use longshore_oci::Descriptor;
use longshore_registry::{LayerStream, LayerTap};
use longshore_store::{SnapshotClaim, SnapshotIngest};

use crate::unpack::{Prepared, Stack};
use crate::{Image, UnpackOptions};

/// How many pieces may wait to be unpacked.
const QUEUE: usize = 64;

/// Hands layers to threads that unpack them.
pub(super) struct UnpackingTap<'a> {
    stack: &'a Stack<'a>,
    image: &'a Image,
    options: UnpackOptions,
    sink: &'a dyn EventSink,
    /// Which layers have had a stream; a second attempt begins in the middle.
    begun: Mutex<Vec<usize>>,
}

/// One layer on its way.
struct LayerUnpack<'a> {
    tap: &'a UnpackingTap<'a>,
    at: usize,
    item: String,
    sender: Option<SyncSender<Vec<u8>>>,
    /// Pieces that were unpacked, whose memory serves again.
    used: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Option<(SnapshotIngest, Applied)>>>,
}

/// The other end of the channel.
struct Arriving {
    pieces: Receiver<Vec<u8>>,
    used: Sender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl<'a> UnpackingTap<'a> {
    pub(super) fn new(
        stack: &'a Stack<'a>,
        image: &'a Image,
        options: UnpackOptions,
        sink: &'a dyn EventSink,
    ) -> Self {
        Self { stack, image, options, sink, begun: Mutex::new(Vec::new()) }
    }

    /// The place of a layer that nobody is unpacking.
    fn claim(&self, layer: &Descriptor) -> Option<(usize, SnapshotIngest)> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.image.manifest.layers.iter().position(|each| each.digest == layer.digest)?;
        if begun.contains(&at) {
            return None;
        }
        let chain = self.stack.chain().get(at)?;
        match self.stack.store().try_begin_snapshot(chain) {
            Ok(Some(SnapshotClaim::Needed(ingest))) => {
                begun.push(at);
                Some((at, ingest))
            }
            _ => None,
        }
    }
}

impl LayerTap for UnpackingTap<'_> {
    fn open<'a>(&'a self, layer: &Descriptor) -> Option<Box<dyn LayerStream + 'a>> {
        let (at, ingest) = self.claim(layer)?;
        let diff_id = self.image.diff_ids().get(at)?;
        let options = self.options.apply_options(diff_id, (self.options.threads / 2).max(1));
        let (sender, pieces) = sync_channel(QUEUE);
        let (give_back, used) = channel();
        let arriving = Arriving { pieces, used: give_back, piece: Vec::new(), at: 0 };
        let unpack = move || {
            let applied = apply(arriving, &ingest.path(), &options).ok()?;
            Some((ingest, applied))
        };
        let thread = Builder::new().name("unpack".to_owned()).spawn(unpack).ok()?;
        let item = layer.digest.to_string();
        Some(Box::new(LayerUnpack { tap: self, at, item, sender: Some(sender), used, thread: Some(thread) }))
    }
}

impl Write for LayerUnpack<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(sender) = &self.sender {
            let mut piece = self.used.try_recv().unwrap_or_default();
            piece.clear();
            piece.extend_from_slice(bytes);
            if sender.send(piece).is_err() {
                // The thread has given up.
                self.sender = None;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LayerStream for LayerUnpack<'_> {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let Some(sender) = self.sender.take() else { return Ok(()) };
        // An empty piece is the end; a channel that closes without one is an interruption.
        let _ = sender.send(Vec::new());
        drop(sender);
        let made = self.thread.take().and_then(|thread| thread.join().ok()).flatten();
        if let Some(made) = made {
            self.tap.stack.deliver(self.at, Prepared::Made(Box::new(made))).map_err(io::Error::other)?;
            self.tap.sink.image(ImageEvent::Unpacked { item: self.item.clone() });
        }
        Ok(())
    }
}

impl Drop for LayerUnpack<'_> {
    fn drop(&mut self) {
        drop(self.sender.take());
        // The thread removes what it made; waiting for it keeps the claim from outliving the transfer.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.piece.len() {
            let next = self.pieces.recv().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            // The last ones are not needed again.
            let _ = self.used.send(std::mem::replace(&mut self.piece, next));
            self.at = 0;
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.at += length;
        Ok(length)
    }
}
