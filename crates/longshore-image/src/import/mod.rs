//! Making an image of a root file system: an archive, as `docker import` takes it, or a directory.
//!
//! The archive stays as it came, compressed or not; the digest of what it decompresses to stands in the configuration, so
//! the image's id does not depend on the compression.

mod change;
mod hashed;
mod words;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use longshore_event::EventSink;
use longshore_layer::archive::{ArchiveError, Entries};
use longshore_layer::{
    Compression, DecompressError, Ownership, PackError, PackOptions, archive, compress, decompress, pack,
};
use longshore_oci::{
    Descriptor, Digest, ExecutionConfig, History, ImageConfig, Manifest, MediaType, MediaTypeError, Platform,
    Reference, RootFs,
};
use longshore_store::{Blob, Lease, RefRecord, StoreError};
use serde_json::Map;

use crate::document::Documents;
use crate::naming::check_name;
use crate::outer::Outer;
use crate::resolve::assembled;
use crate::{Image, ImageName, Images, NameError, UnpackError, UnpackOptions};

pub use change::ChangeError;
use hashed::{HashingReader, Tee};

/// How much of a header may be extended.
const HEADER_LIMIT: u64 = 1 << 20;

/// What the image is to be.
pub struct ImportOptions<'a> {
    /// Its name; without it the image has none.
    pub name: Option<Reference>,
    /// Instructions of a Dockerfile that say how it wants to be run.
    pub changes: Vec<String>,
    /// The remark in its history.
    pub message: String,
    /// What it runs on.
    pub platform: Platform,
    /// When it was made. Two images of the same content, time and options are the same.
    pub created: SystemTime,
    /// The time of importing.
    pub now: SystemTime,
    /// How a directory's layer is compressed; an archive stays as it is.
    pub compression: Compression,
    /// How the layer is unpacked at once; nothing if it is not.
    pub unpack: Option<UnpackOptions>,
    /// Who is told.
    pub sink: &'a dyn EventSink,
}

/// Why no image was made.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// An instruction is wrong.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The archive cannot be decompressed.
    #[error("failed to decompress the root file system")]
    Decompress(#[source] DecompressError),
    /// What came is no archive.
    #[error("failed to read the root file system, which must be a tar archive")]
    Archive(#[from] ArchiveError),
    /// What came cannot be read to its end.
    #[error("failed to read the root file system")]
    Read(#[source] io::Error),
    /// A directory cannot be packed.
    #[error("failed to pack the directory")]
    Pack(#[from] PackError),
    /// The time cannot be written.
    #[error("the time of making cannot be written")]
    Time(#[source] jiff::Error),
    /// A document cannot be written.
    #[error("failed to write the image's documents")]
    Document(#[source] serde_json::Error),
    /// A media type is malformed.
    #[error(transparent)]
    MediaType(#[from] MediaTypeError),
    /// The layer cannot be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The name cannot be given.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The one layer of the image.
struct Layer {
    blob: Blob,
    diff_id: Digest,
    compression: Compression,
}

impl Images {
    /// Makes an image of an archive.
    pub fn import(&self, archive: impl Read, options: &ImportOptions<'_>) -> Result<Image, ImportError> {
        let config = prepared(options)?;
        let lease = self.store.lease("import an image")?;
        let archive = Outer::new(archive).map_err(ImportError::Read)?;
        let layer = self.take_archive(archive, &lease)?;
        self.make(&layer, config, &lease, options)
    }

    /// Makes an image of a directory. As an ordinary user, everything in it belongs to root in the image.
    pub fn import_directory(
        &self,
        directory: &Path,
        options: &ImportOptions<'_>,
    ) -> Result<Image, ImportError> {
        let config = prepared(options)?;
        let lease = self.store.lease("import an image")?;
        let layer = self.take_directory(directory, &lease, options)?;
        self.make(&layer, config, &lease, options)
    }

    /// Makes an image of a directory with a configuration that somebody else makes, when the digest of the layer is
    /// known. Of the options, neither changes nor message nor platform count.
    pub fn import_described(
        &self,
        directory: &Path,
        describe: impl FnOnce(Digest) -> ImageConfig,
        options: &ImportOptions<'_>,
    ) -> Result<Image, ImportError> {
        prepared(options)?;
        let lease = self.store.lease("import an image")?;
        let layer = self.take_directory(directory, &lease, options)?;
        let config = describe(layer.diff_id.clone());
        self.publish(&layer, config, &lease, options)
    }

    fn take_archive(&self, archive: impl Read, lease: &Lease) -> Result<Layer, ImportError> {
        let mut ingest = self.store.ingest(None, None)?;
        let mut source = Tee::new(archive, &mut ingest);
        let stream = decompress(&mut source).map_err(ImportError::Decompress)?;
        let compression = stream.compression();
        let mut hashing = HashingReader::new(stream);
        let mut entries = Entries::new(BufReader::with_capacity(1 << 20, &mut hashing), HEADER_LIMIT);
        while entries.next_entry()?.is_some() {}
        entries.drain()?;
        let diff_id = hashing.finish();
        // What a decompressor leaves behind its end belongs to the blob all the same.
        io::copy(&mut source, &mut io::sink()).map_err(ImportError::Read)?;
        Ok(Layer { blob: ingest.commit_held(lease)?, diff_id, compression })
    }

    fn take_directory(
        &self,
        directory: &Path,
        lease: &Lease,
        options: &ImportOptions<'_>,
    ) -> Result<Layer, ImportError> {
        let root = rustix::process::geteuid().is_root();
        let ownership = if root { Ownership::Keep } else { Ownership::Ignore };
        let latest = options.created.duration_since(SystemTime::UNIX_EPOCH).ok();
        let seconds = latest.and_then(|since| i64::try_from(since.as_secs()).ok());
        let latest_time = seconds.map(archive::Timestamp::from_seconds);
        let pack_options = PackOptions { ownership, latest_time, ..PackOptions::default() };
        let threads = options.unpack.unwrap_or_else(UnpackOptions::for_this_process).threads;
        let mut ingest = self.store.ingest(None, None)?;
        let mut compressor = compress(&mut ingest, options.compression, None, threads);
        let packed = pack(directory, &mut compressor, &pack_options)?;
        compressor.finish().and_then(Write::flush).map_err(ImportError::Read)?;
        let blob = ingest.commit_held(lease)?;
        Ok(Layer { blob, diff_id: packed.diff_id, compression: options.compression })
    }

    fn make(
        &self,
        layer: &Layer,
        config: ExecutionConfig,
        lease: &Lease,
        options: &ImportOptions<'_>,
    ) -> Result<Image, ImportError> {
        let created = Timestamp::try_from(options.created).map_err(ImportError::Time)?.to_string();
        let history = History {
            created: Some(created.clone()),
            comment: Some(options.message.clone()),
            ..History::default()
        };
        let config = ImageConfig {
            created: Some(created),
            author: None,
            platform: options.platform.clone(),
            config: Some(config),
            rootfs: RootFs { kind: RootFs::LAYERS.to_owned(), diff_ids: vec![layer.diff_id.clone()] },
            history: vec![history],
            extra: Map::new(),
        };
        self.publish(layer, config, lease, options)
    }

    /// Writes the documents, unpacks the layer and gives the name.
    fn publish(
        &self,
        layer: &Layer,
        config: ImageConfig,
        lease: &Lease,
        options: &ImportOptions<'_>,
    ) -> Result<Image, ImportError> {
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MediaType::parse(MediaType::OCI_MANIFEST)?),
            artifact_type: None,
            config: self.put(MediaType::OCI_CONFIG, &config, lease)?,
            layers: vec![described(layer.compression, &layer.blob)?],
            subject: None,
            annotations: BTreeMap::new(),
            extra: Map::new(),
        };
        let descriptor = self.put(MediaType::OCI_MANIFEST, &manifest, lease)?;
        lease.hold_tree(&descriptor)?;
        let name = match &options.name {
            Some(name) => ImageName::of(name),
            None => ImageName::Dangling(descriptor.digest.clone()),
        };
        let documents = Documents { descriptor: descriptor.clone(), manifest, config };
        let image = assembled(Some(name.clone()), &descriptor, documents);
        if let Some(unpack) = &options.unpack {
            self.unpack_telling(&image, unpack, options.sink)?;
        }
        self.assign(&name, &RefRecord::new(descriptor, options.now))?;
        Ok(image)
    }

    fn put(
        &self,
        media: &str,
        document: &impl serde::Serialize,
        lease: &Lease,
    ) -> Result<Descriptor, ImportError> {
        let bytes = serde_json::to_vec(document).map_err(ImportError::Document)?;
        let descriptor = Descriptor::of(MediaType::parse(media)?, &bytes);
        lease.hold(&descriptor.digest)?;
        self.store.put_blob(&bytes)?;
        Ok(descriptor)
    }
}

/// What can be found wrong before the root file system is read.
fn prepared(options: &ImportOptions<'_>) -> Result<ExecutionConfig, ImportError> {
    if let Some(name) = &options.name {
        check_name(name)?;
    }
    let mut config = ExecutionConfig::default();
    for text in &options.changes {
        change::apply(text, &mut config)?;
    }
    Ok(config)
}

fn described(compression: Compression, blob: &Blob) -> Result<Descriptor, ImportError> {
    let media = match compression {
        Compression::None => MediaType::OCI_LAYER,
        Compression::Gzip => MediaType::OCI_LAYER_GZIP,
        Compression::Zstd => MediaType::OCI_LAYER_ZSTD,
    };
    let empty = Descriptor::of(MediaType::parse(media)?, b"");
    Ok(Descriptor { digest: blob.digest.clone(), size: blob.size, ..empty })
}
