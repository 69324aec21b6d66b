//! Unpacking the layers of an image.
//!
//! The layers are independent of each other, so each is unpacked on a worker of its own; only publishing them has an
//! order, see [`Stack`]. An image that is unpacked already costs a look at each of its layers and nothing else: no lock,
//! no lease.

mod stack;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use longshore_event::{EventSink, ImageEvent, Silent};
use longshore_layer::{AdoptError, ApplyError, ApplyOptions, Devices, Ownership, Whiteouts, apply};
use longshore_oci::{ChainId, Descriptor, Digest};
use longshore_store::{SnapshotClaim, Store, StoreError};
use rustix::fs::getxattr;

use crate::{Image, Images};

pub(crate) use stack::{Prepared, Stack};

/// How layers are unpacked.
#[derive(Debug, Clone, Copy)]
pub struct UnpackOptions {
    /// Who unpacks.
    pub unpacker: Unpacker,
    /// How many threads work.
    pub threads: usize,
}

/// Who unpacks, which decides what the files can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpacker {
    /// Root of the machine.
    Root,
    /// Root of a user namespace, who has its ids, but makes no devices and no attributes of the kernel's.
    RootOfNamespace,
    /// An ordinary user, who can neither change owners nor make devices.
    User,
}

impl Unpacker {
    /// Whoever this process is.
    pub fn of_this_process() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::User;
        }
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let mut counts = map.lines().filter_map(|line| line.split_whitespace().nth(2));
        match (counts.next(), counts.next()) {
            // All ids of the machine; and where that cannot be read, root is taken for root.
            (Some("4294967295") | None, None) => Self::Root,
            // One id: whoever else files belong to does not exist.
            (Some("1"), None) => Self::User,
            _ => Self::RootOfNamespace,
        }
    }

    /// The attribute of a directory that hides what lower layers have in it.
    fn opaque_attribute(self) -> &'static str {
        if self == Self::Root { "trusted.overlay.opaque" } else { "user.overlay.opaque" }
    }
}

impl UnpackOptions {
    /// For whoever this process is, on all processors.
    pub fn for_this_process() -> Self {
        Self {
            unpacker: Unpacker::of_this_process(),
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        }
    }

    /// How one layer is unpacked by `threads` threads.
    pub(crate) fn apply_options(&self, diff_id: &Digest, threads: usize) -> ApplyOptions {
        let (whiteouts, ownership, devices) = match self.unpacker {
            Unpacker::Root => (Whiteouts::Overlay, Ownership::Keep, Devices::Create),
            Unpacker::RootOfNamespace => (Whiteouts::OverlayUser, Ownership::Keep, Devices::Refuse),
            Unpacker::User => (Whiteouts::OverlayUser, Ownership::Ignore, Devices::Refuse),
        };
        let expected_diff_id = Some(diff_id.clone());
        ApplyOptions { whiteouts, ownership, devices, threads, expected_diff_id, ..ApplyOptions::default() }
    }
}

/// Why the layers of an image were not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The store failed, or lacks a layer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A layer cannot be unpacked.
    #[error("failed to unpack the layer `{layer}`")]
    Layer {
        /// Its digest.
        layer: Digest,
        /// Why.
        source: ApplyError,
    },
    /// Directories of a layer cannot be given the attributes of those below.
    #[error("failed to complete the layer `{layer}`")]
    Adopt {
        /// Its chain id.
        layer: ChainId,
        /// Why.
        source: AdoptError,
    },
}

/// One layer that must be unpacked.
pub(crate) struct Work<'a> {
    pub(crate) at: usize,
    pub(crate) layer: &'a Descriptor,
    pub(crate) chain: &'a ChainId,
}

impl Images {
    /// The directories of an image's layers, uppermost first, as overlayfs takes them; what is missing is unpacked. An
    /// image without layers has none.
    pub fn unpack(&self, image: &Image, options: &UnpackOptions) -> Result<Vec<PathBuf>, UnpackError> {
        self.unpack_telling(image, options, &Silent)
    }

    /// The same, telling of each layer.
    pub fn unpack_telling(
        &self,
        image: &Image,
        options: &UnpackOptions,
        sink: &dyn EventSink,
    ) -> Result<Vec<PathBuf>, UnpackError> {
        let chain = image.chain_ids();
        if let Some(paths) = present(&self.store, &chain)? {
            return Ok(visible(paths, options.unpacker));
        }
        let lease = self.store.lease("unpack an image")?;
        lease.hold_tree(&image.manifest_descriptor)?;
        lease.hold_snapshots(&chain)?;
        let stack = Stack::new(&self.store, &chain);
        fill(&stack, image, options, sink)?;
        Ok(visible(stack.finish(), options.unpacker))
    }

    /// The same if all layers are unpacked already, and none otherwise.
    pub fn unpacked(&self, image: &Image, unpacker: Unpacker) -> Result<Option<Vec<PathBuf>>, StoreError> {
        let paths = present(&self.store, &image.chain_ids())?;
        Ok(paths.map(|paths| visible(paths, unpacker)))
    }
}

/// The directories of all layers, lowest first, if all are here.
fn present(store: &Store, chain: &[ChainId]) -> Result<Option<Vec<PathBuf>>, StoreError> {
    let mut paths = Vec::with_capacity(chain.len());
    for id in chain {
        match store.snapshot(id)? {
            Some(snapshot) => paths.push(snapshot.path().to_owned()),
            None => return Ok(None),
        }
    }
    Ok(Some(paths))
}

/// What overlayfs is to be given: uppermost first, down to a layer that hides everything below it. Overlayfs itself
/// does not look at that mark on the root of a layer.
fn visible(lowest_first: Vec<PathBuf>, unpacker: Unpacker) -> Vec<PathBuf> {
    let mut paths = Vec::with_capacity(lowest_first.len());
    for path in lowest_first.into_iter().rev() {
        let mut value = [0_u8; 1];
        let opaque = getxattr(&path, unpacker.opaque_attribute(), &mut value).is_ok() && value == *b"y";
        paths.push(path);
        if opaque {
            break;
        }
    }
    paths
}

/// Unpacks what a stack lacks from the blobs of the store.
///
/// Workers take layers from the lowest up. That order is what keeps two processes that unpack the same layers from
/// waiting for each other: whoever has the lowest layer that is not published waits for nobody.
pub(crate) fn fill(
    stack: &Stack<'_>,
    image: &Image,
    options: &UnpackOptions,
    sink: &dyn EventSink,
) -> Result<(), UnpackError> {
    let missing = stack.missing();
    let workers = missing.len().min(options.threads.max(1));
    let threads = (options.threads / workers.max(1)).max(1);
    let next = AtomicUsize::new(0);
    let given_up = AtomicBool::new(false);
    let failure: Mutex<Option<UnpackError>> = Mutex::new(None);
    let worker = || {
        while let Some(at) = missing.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            if given_up.load(Ordering::Relaxed) {
                return;
            }
            let (Some(layer), Some(diff_id), Some(chain)) =
                (image.manifest.layers.get(at), image.diff_ids().get(at), stack.chain().get(at))
            else {
                continue;
            };
            let work = Work { at, layer, chain };
            if let Err(error) = unpack_layer(stack, &work, &options.apply_options(diff_id, threads)) {
                given_up.store(true, Ordering::Relaxed);
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            } else {
                sink.image(ImageEvent::Unpacked { item: layer.digest.to_string() });
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(worker);
        }
        worker();
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

fn unpack_layer(stack: &Stack<'_>, work: &Work<'_>, options: &ApplyOptions) -> Result<(), UnpackError> {
    let prepared = match stack.store().begin_snapshot(work.chain)? {
        SnapshotClaim::Present(snapshot) => Prepared::Present(snapshot.path().to_owned()),
        SnapshotClaim::Needed(ingest) => {
            let blob = stack.store().open_blob(&work.layer.digest)?;
            let applied = apply(blob, &ingest.path(), options)
                .map_err(|source| UnpackError::Layer { layer: work.layer.digest.clone(), source })?;
            Prepared::Made(Box::new((ingest, applied)))
        }
    };
    stack.deliver(work.at, prepared)
}
