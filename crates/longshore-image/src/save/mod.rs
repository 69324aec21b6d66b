//! Saving images as archives and directories.
//!
//! The usual form is the one of Docker since version 25: a layout of the OCI that also has Docker's `manifest.json`, so
//! that everybody can load it, and with the manifests as they were pulled, so that all digests stay. The same images give
//! the same bytes.

mod docker;
mod layout;
mod target;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use longshore_layer::archive::ArchiveError;
use longshore_layer::{Compression, compress};
use longshore_oci::{Descriptor, Digest, Reference};
use longshore_store::{Namespace, StoreError};

use crate::{Image, ImageName, Images, ReadError, ResolveError};

use target::{Archive, Directory, Target};

/// The form of what is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveFormat {
    /// A layout with Docker's lists.
    Docker,
    /// Docker's form from before version 25, whose layers are not compressed.
    DockerArchive,
    /// A layout of the OCI.
    OciArchive,
}

/// Why images were not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is no such image.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The archive cannot be written.
    #[error("failed to write the archive")]
    Archive(#[from] ArchiveError),
    /// The archive cannot be written.
    #[error("failed to write the archive")]
    Write(#[source] io::Error),
    /// The directory cannot be written.
    #[error("failed to write `{}`", path.display())]
    Path {
        /// What in it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is something in the directory.
    #[error("the directory `{}` is not empty", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A layer cannot be decompressed.
    #[error("failed to decompress the layer `{layer}`")]
    Layer {
        /// Its digest.
        layer: Digest,
        /// Why.
        source: io::Error,
    },
    /// A layer is not what the configuration says.
    #[error("the layer `{layer}` does not have the digest `{diff_id}` that the configuration says")]
    DiffId {
        /// Its digest.
        layer: Digest,
        /// What it should be without compression.
        diff_id: Digest,
    },
    /// A document cannot be read.
    #[error(transparent)]
    Read(Box<ReadError>),
    /// A document cannot be written.
    #[error("failed to write the list of images")]
    List(#[source] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReadError> for SaveError {
    fn from(error: ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}

/// An image with the names to save it under.
struct Chosen {
    image: Image,
    names: Vec<Reference>,
}

impl Chosen {
    fn root(&self) -> &Descriptor {
        &self.image.root
    }
}

impl Images {
    /// Saves images as one archive.
    pub fn save<W: Write + Send>(
        &self,
        texts: &[String],
        writer: W,
        format: SaveFormat,
        compression: Compression,
    ) -> Result<(), SaveError> {
        let (_lease, chosen) = self.chosen(texts)?;
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let compressor = compress(writer, compression, None, threads);
        let mut archive = Archive::new(compressor);
        self.write(&chosen, &mut archive, format)?;
        let mut writer = archive.finish()?.finish().map_err(SaveError::Write)?;
        writer.flush().map_err(SaveError::Write)
    }

    /// Saves images as a layout of the OCI in a directory, which must be empty or is made.
    pub fn save_directory(&self, texts: &[String], directory: &Path) -> Result<(), SaveError> {
        let (_lease, chosen) = self.chosen(texts)?;
        let mut target = Directory::create(directory)?;
        self.write(&chosen, &mut target, SaveFormat::OciArchive)
    }

    fn write(&self, chosen: &[Chosen], target: &mut dyn Target, format: SaveFormat) -> Result<(), SaveError> {
        match format {
            SaveFormat::Docker => layout::write(&self.store, chosen, target, true),
            SaveFormat::OciArchive => layout::write(&self.store, chosen, target, false),
            SaveFormat::DockerArchive => docker::write(&self.store, chosen, target),
        }
    }

    /// The images, each once, with a lease that keeps them meanwhile.
    fn chosen(&self, texts: &[String]) -> Result<(longshore_store::Lease, Vec<Chosen>), SaveError> {
        let lease = self.store.lease("save images")?;
        let mut chosen: Vec<Chosen> = Vec::new();
        for text in texts {
            for (image, name) in self.expanded(text)? {
                lease.hold_tree(&image.root)?;
                match chosen.iter_mut().find(|each| each.root().digest == image.root.digest) {
                    Some(same) => same.names.extend(name.filter(|name| !same.names.contains(name))),
                    None => chosen.push(Chosen { image, names: name.into_iter().collect() }),
                }
            }
        }
        Ok((lease, chosen))
    }

    /// What a text stands for: a repository without tag for all its tags, as with Docker.
    fn expanded(&self, text: &str) -> Result<Vec<(Image, Option<Reference>)>, SaveError> {
        let mut found = Vec::new();
        if let Ok(asked) = Reference::parse(text)
            && asked.tag().is_none()
            && asked.digest().is_none()
        {
            for each in self.store.refs(Namespace::Image)? {
                let Some(ImageName::Named(name)) = ImageName::of_ref(&each.name) else { continue };
                if name.name() == asked.name() && name.tag().is_some() {
                    let image_name = Some(ImageName::Named(name.clone()));
                    found.push((self.image(text, image_name, &each.record.target, None)?, Some(name)));
                }
            }
        }
        if found.is_empty() {
            let image = self.resolve(text, None)?;
            let name = image.name.as_ref().and_then(ImageName::tagged).cloned();
            found.push((image, name));
        }
        Ok(found)
    }
}
