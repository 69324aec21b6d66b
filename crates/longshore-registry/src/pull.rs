//! Pulling: all layers of an image, several at a time.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use longshore_event::ImageEvent;
use longshore_oci::{Descriptor, Platform, Reference};

use crate::client::{RegistryClient, Repository};
use crate::download::{Channel, tell_present};
use crate::error::RegistryError;
use crate::resolve::ResolvedImage;
use crate::store::{BlobStore, LayerTap, put};

impl RegistryClient {
    /// Resolves a name and fetches all layers that the store does not have. `tap` hears of the layers as they come.
    pub fn pull(
        &self,
        reference: &Reference,
        platform: &Platform,
        store: &dyn BlobStore,
        tap: &dyn LayerTap,
    ) -> Result<ResolvedImage, RegistryError> {
        let image = self.resolve(reference, platform, store)?;
        self.fetch_layers(&image, store, tap)?;
        Ok(image)
    }

    /// The layers of an image that the store does not have, each once.
    pub fn missing_layers(
        &self,
        image: &ResolvedImage,
        store: &dyn BlobStore,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let mut seen = HashSet::new();
        let mut missing = Vec::new();
        for layer in image.manifest.layers.iter().filter(|layer| seen.insert(layer.digest.clone())) {
            if !is_here(store, layer)? {
                missing.push(layer.clone());
            }
        }
        Ok(missing)
    }

    /// Fetches all layers of an image that the store does not have.
    pub fn fetch_layers(
        &self,
        image: &ResolvedImage,
        store: &dyn BlobStore,
        tap: &dyn LayerTap,
    ) -> Result<(), RegistryError> {
        let missing = self.missing_layers(image, store)?;
        let absent: HashSet<_> = missing.iter().map(|layer| &layer.digest).collect();
        let mut told = HashSet::new();
        for layer in image.manifest.layers.iter().filter(|layer| told.insert(&layer.digest)) {
            if absent.contains(&layer.digest) {
                let (item, total) = (layer.digest.to_string(), Some(layer.size));
                self.tell(ImageEvent::Queued { item, total });
            } else {
                tell_present(self, layer);
                tap.present(layer);
            }
        }
        let given_up = AtomicBool::new(false);
        let channel = Channel { store, tap, given_up: &given_up };
        self.in_parallel(missing, &given_up, |layer| self.fetch_missing(&image.places, layer, &channel))
    }

    /// Brings a blob into the store if it is not there.
    pub(crate) fn fetch_missing(
        &self,
        places: &[Repository],
        descriptor: &Descriptor,
        channel: &Channel<'_>,
    ) -> Result<(), RegistryError> {
        if is_here(channel.store, descriptor)? {
            return Ok(());
        }
        if let Ok(Some(content)) = descriptor.content() {
            let digest = descriptor.digest.clone();
            return put(channel.store, &descriptor.digest, &content)
                .map_err(|source| RegistryError::Store { action: "keep", digest, source })
                .map(|()| channel.tap.arrived(descriptor));
        }
        self.fetch_blob(places, descriptor, channel)
    }

    /// Does something with many things, several at a time, the largest first. The first failure ends it all.
    pub(crate) fn in_parallel(
        &self,
        mut items: Vec<Descriptor>,
        given_up: &AtomicBool,
        work: impl Fn(&Descriptor) -> Result<(), RegistryError> + Sync,
    ) -> Result<(), RegistryError> {
        items.sort_by_key(|item| std::cmp::Reverse(item.size));
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<RegistryError>> = Mutex::new(None);
        let worker = || {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                if given_up.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(error) = work(item) {
                    let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                    given_up.store(true, Ordering::Relaxed);
                    failure.get_or_insert(error);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.parallelism.min(items.len()) {
                scope.spawn(worker);
            }
            worker();
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

fn is_here(store: &dyn BlobStore, descriptor: &Descriptor) -> Result<bool, RegistryError> {
    let failed =
        |source| RegistryError::Store { action: "look for", digest: descriptor.digest.clone(), source };
    Ok(store.size(&descriptor.digest).map_err(failed)?.is_some())
}
