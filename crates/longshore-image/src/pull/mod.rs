//! Pulling images from registries, and pushing them.
//!
//! Layers are unpacked while they arrive: what is downloaded passes through a channel to a thread that decompresses and
//! writes, see [`tap`]. Nothing is published before all bytes have come and are what their digest says.

mod tap;

use std::time::SystemTime;

use longshore_event::EventSink;
use longshore_oci::{Descriptor, Platform, Reference};
use longshore_registry::{BlobOrigins, LeasedStore, NoTap, RegistryClient, RegistryError};
use longshore_store::{Namespace, RefRecord, StoreError};

use crate::document::{ReadError, read_image};
use crate::name::REPOSITORY_LABEL;
use crate::naming::check_name;
use crate::resolve::assembled;
use crate::unpack::{Stack, fill};
use crate::{Image, ImageName, Images, NameError, ResolveError, UnpackError, UnpackOptions, host_platform};

use tap::UnpackingTap;

/// When to ask the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PullPolicy {
    /// Whatever is here.
    #[default]
    Always,
    /// Only if the image is not here.
    Missing,
    /// Never.
    Never,
}

/// How an image is pulled.
pub struct PullOptions<'a> {
    /// For which platform; nothing for this machine's.
    pub platform: Option<Platform>,
    /// When to ask.
    pub policy: PullPolicy,
    /// How layers are unpacked; nothing if they are not.
    pub unpack: Option<UnpackOptions>,
    /// The time of pulling.
    pub now: SystemTime,
    /// Who is told of unpacking; the client has its own.
    pub sink: &'a dyn EventSink,
}

/// What was pulled.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// The name it has now.
    pub name: ImageName,
    /// The image.
    pub image: Image,
    /// Whether anything is new.
    pub changed: bool,
}

/// Why an image was not pulled.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The name is the engine's own, or too long.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] Box<RegistryError>),
    /// It may not be asked for.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// What came is no image.
    #[error(transparent)]
    Read(#[from] Box<ReadError>),
    /// A layer cannot be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an image was not pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// There is no such image.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] Box<RegistryError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Images {
    /// Pulls an image, as far as it is not here, and gives it its name.
    pub fn pull(
        &self,
        reference: &Reference,
        options: &PullOptions<'_>,
        client: &RegistryClient,
    ) -> Result<Pulled, PullError> {
        if reference.digest().is_none() {
            check_name(reference)?;
        }
        let name = ImageName::of(reference);
        if options.policy != PullPolicy::Always {
            match self.resolve(&reference.to_string(), options.platform.as_ref()) {
                Ok(image) => return Ok(Pulled { name, image, changed: false }),
                Err(error) if options.policy == PullPolicy::Never => return Err(error.into()),
                Err(_) => {}
            }
        }
        let lease = self.store.lease("pull an image")?;
        let leased = LeasedStore::new(&self.store, &lease);
        let platform = options.platform.clone().unwrap_or_else(host_platform);
        let found = client.resolve(reference, &platform, &leased).map_err(Box::new)?;
        let before = self.store.reference(&name.to_ref().map_err(NameError::from)?)?;
        let missing = client.missing_layers(&found, &leased).map_err(Box::new)?;
        let changed =
            !missing.is_empty() || before.is_none_or(|before| before.target.digest != found.root.digest);
        let absent = || StoreError::MissingBlob(found.manifest_descriptor.digest.clone());
        let documents = read_image(&self.store, &found.manifest_descriptor).map_err(Box::new)?;
        let image = assembled(Some(name.clone()), &found.root, documents.ok_or_else(absent)?);
        lease.hold_tree(&image.manifest_descriptor)?;
        match options.unpack.filter(|_| is_native(&image)) {
            Some(unpack) => {
                let chain = image.chain_ids();
                lease.hold_snapshots(&chain)?;
                let stack = Stack::new(&self.store, &chain);
                let tap = UnpackingTap::new(&stack, &image, unpack, options.sink);
                client.fetch_layers(&found, &leased, &tap).map_err(Box::new)?;
                drop(tap);
                fill(&stack, &image, &unpack, options.sink)?;
            }
            None => client.fetch_layers(&found, &leased, &NoTap).map_err(Box::new)?,
        }
        let record = RefRecord::new(found.root, options.now).with_label(REPOSITORY_LABEL, reference.name());
        self.assign(&name, &record)?;
        Ok(Pulled { name, image, changed })
    }

    /// Pushes an image under one of its names, as it was pulled or made; its digest is the one of what is returned.
    pub fn push(&self, reference: &Reference, client: &RegistryClient) -> Result<Descriptor, PushError> {
        let text = reference.clone().or_latest().to_string();
        let image = self.resolve(&text, None)?;
        let lease = self.store.lease("push an image")?;
        lease.hold_tree(&image.root)?;
        let root = self.pushable(&image)?;
        let leased = LeasedStore::new(&self.store, &lease);
        let target = reference.clone().or_latest();
        client.push(&leased, &root, &target, &self.origins(&image)?).map_err(Box::new)?;
        Ok(root)
    }

    /// What can be pushed: the whole index if all of it is here, else the manifest of the one image.
    fn pushable(&self, image: &Image) -> Result<Descriptor, PushError> {
        if image.root.digest == image.manifest_descriptor.digest {
            return Ok(image.root.clone());
        }
        let failed =
            |source| ResolveError::Read { text: image.root.digest.to_string(), source: Box::new(source) };
        let whole = crate::document::is_whole(&self.store, &image.root).map_err(failed)?;
        Ok(if whole { image.root.clone() } else { image.manifest_descriptor.clone() })
    }

    /// Other names under which layers of an image are known, from where a registry may take them.
    fn origins(&self, image: &Image) -> Result<BlobOrigins, StoreError> {
        let mut origins = BlobOrigins::new();
        for each in self.store.refs(Namespace::Image)? {
            let Some(ImageName::Named(name)) = ImageName::of_ref(&each.name) else { continue };
            let Ok(other) = self.image("", None, &each.record.target, None) else { continue };
            for layer in &other.manifest.layers {
                if image.manifest.layers.iter().any(|own| own.digest == layer.digest) {
                    origins.entry(layer.digest.clone()).or_insert_with(|| name.clone());
                }
            }
        }
        Ok(origins)
    }
}

/// Whether this machine runs an image.
pub(crate) fn is_native(image: &Image) -> bool {
    let host = host_platform();
    host.candidates().iter().any(|candidate| candidate.matches(&image.config.platform))
}
