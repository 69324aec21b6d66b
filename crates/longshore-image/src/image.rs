//! One image: its documents, read and checked against each other.

use longshore_oci::{ChainId, Descriptor, Digest, ImageConfig, Manifest, chain_ids};
use longshore_store::StoreError;

use crate::{ImageName, Images};

/// An image for one platform, as it was found in the store.
#[derive(Debug, Clone)]
pub struct Image {
    /// The name it was found by; nothing if it was found by its id.
    pub name: Option<ImageName>,
    /// What the name stands for: the manifest, or an index that names it.
    pub root: Descriptor,
    /// The manifest.
    pub manifest_descriptor: Descriptor,
    /// What the manifest says.
    pub manifest: Manifest,
    /// How the image wants to be run.
    pub config: ImageConfig,
}

impl Image {
    /// The image's id: the digest of its configuration, as Docker has it.
    pub fn id(&self) -> &Digest {
        &self.manifest.config.digest
    }

    /// The digests of the uncompressed layers, lowest first.
    pub fn diff_ids(&self) -> &[Digest] {
        &self.config.rootfs.diff_ids
    }

    /// The names of the stacks that end with each layer, lowest first.
    pub fn chain_ids(&self) -> Vec<ChainId> {
        chain_ids(self.diff_ids())
    }
}

impl Images {
    /// How many bytes the files of each layer have, lowest first. Of a layer that is not unpacked it is what is known: its
    /// bytes in the store.
    pub fn layer_sizes(&self, image: &Image) -> Result<Vec<u64>, StoreError> {
        let layers = image.manifest.layers.iter().zip(image.chain_ids());
        layers.map(|(layer, chain)| Ok(self.store.snapshot_size(&chain)?.unwrap_or(layer.size))).collect()
    }

    /// How many bytes the files of an image have, as Docker counts them.
    pub fn size(&self, image: &Image) -> Result<u64, StoreError> {
        Ok(self.layer_sizes(image)?.into_iter().fold(0, u64::saturating_add))
    }
}

/// The first twelve digits of an id, as people see it.
pub fn short_id(id: &Digest) -> &str {
    id.encoded().get(..12).unwrap_or(id.encoded())
}
