//! Loading images from archives and directories.
//!
//! An archive is read once, from its first byte to its last, and may come through a pipe: every file of it goes into the
//! store as content, under the digest that it has, and only then the documents among them say which images there are.
//! So it does not matter in which order an archive has its files. What no image needs is collected later, since nothing
//! refers to it.
//!
//! Read are Docker's archives (`manifest.json`), layouts of the OCI (`index.json`), and those that are both, as Docker
//! writes them since version 25; each compressed by gzip or zstd as a whole, or not; and as a directory.
//!
//! **Invariants.** No name of an archive becomes a path of this machine. All content is what its name says, all layers
//! are what their configuration says, before an image gets a name. Size, number and depth are bounded.

mod bounded;
mod contents;
mod directory;
mod docker;
mod error;
mod oci;

use std::io::{BufReader, Read};
use std::path::Path;
use std::time::SystemTime;

use longshore_event::EventSink;
use longshore_layer::archive::{Entries, EntryKind, shown};
use longshore_layer::{DecompressError, decompress};
use longshore_oci::{Descriptor, Layout, Platform, Reference};
use longshore_store::{Lease, RefRecord};

use crate::document::{Choice, all_images, choose};
use crate::naming::check_name;
use crate::outer::Outer;
use crate::pull::is_native;
use crate::resolve::assembled;
use crate::{Image, ImageName, Images, NameError, UnpackOptions};

use bounded::Bounded;
use contents::Contents;

pub(crate) use docker::{MANIFEST_FILE, REPOSITORIES_FILE};
pub use error::LoadError;
pub(crate) use oci::IMAGE_NAME;

/// How much of a header may be extended.
const HEADER_LIMIT: u64 = 1 << 20;
/// How much of an archive is read at once.
const BUFFER: usize = 1 << 20;

/// How images are loaded.
pub struct LoadOptions<'a> {
    /// The time of loading.
    pub now: SystemTime,
    /// How layers are unpacked at once, which also proves that they are what the configuration says. Without it that is
    /// found out when the image is first used. Images for other machines are not unpacked.
    pub unpack: Option<UnpackOptions>,
    /// Which image of an index must be there. Without it, any.
    pub platform: Option<Platform>,
    /// The name of the one image of an archive that gives it none.
    pub name: Option<Reference>,
    /// Who is told.
    pub sink: &'a dyn EventSink,
}

/// An image that was loaded.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Its names; one that says that it has none, if there are none.
    pub names: Vec<ImageName>,
    /// The image.
    pub image: Image,
}

/// An image that an archive holds, before it has names in the store.
#[derive(Debug)]
struct Found {
    root: Descriptor,
    names: Vec<Reference>,
}

impl Images {
    /// Loads all images of an archive.
    pub fn load(&self, archive: impl Read, options: &LoadOptions<'_>) -> Result<Vec<Loaded>, LoadError> {
        let lease = self.store.lease("load images")?;
        let mut contents = Contents::new(&self.store, &lease, options.sink);
        read_archive(archive, &mut contents)?;
        self.adopt(&contents, &lease, options)
    }

    /// Loads all images of an archive or of a directory.
    pub fn load_path(&self, path: &Path, options: &LoadOptions<'_>) -> Result<Vec<Loaded>, LoadError> {
        let failed = |source| LoadError::Open { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_dir() {
            return self.load(file, options);
        }
        let lease = self.store.lease("load images")?;
        let mut contents = Contents::new(&self.store, &lease, options.sink);
        directory::read(path, &mut contents)?;
        self.adopt(&contents, &lease, options)
    }

    /// Finds the images among what came, checks them, and gives them their names.
    fn adopt(
        &self,
        contents: &Contents<'_>,
        lease: &Lease,
        options: &LoadOptions<'_>,
    ) -> Result<Vec<Loaded>, LoadError> {
        let mut found = if contents.document(Layout::INDEX_FILE).is_some() {
            oci::find(contents)?
        } else if contents.document(docker::MANIFEST_FILE).is_some() {
            docker::find(contents)?
        } else {
            return Err(LoadError::NoImages);
        };
        if let (Some(name), [only]) = (&options.name, found.as_mut_slice())
            && only.names.is_empty()
        {
            only.names.push(name.clone());
        }
        let mut checked = Vec::with_capacity(found.len());
        for each in found {
            each.names.iter().try_for_each(check_name)?;
            lease.hold_tree(&each.root)?;
            let image = self.complete(&each.root, options.platform.as_ref())?;
            checked.push((each, image));
        }
        // No image gets its name before all are known to be whole: an archive is loaded or it is not.
        for (_, image) in &checked {
            self.unpack_native(image, options)?;
        }
        checked.into_iter().map(|(each, image)| self.named(&each, image, options)).collect()
    }

    fn named(&self, found: &Found, image: Image, options: &LoadOptions<'_>) -> Result<Loaded, LoadError> {
        let mut names: Vec<ImageName> = found.names.iter().map(ImageName::of).collect();
        if names.is_empty() {
            names.push(ImageName::Dangling(found.root.digest.clone()));
            if self.is_named(&found.root)? {
                return Ok(Loaded { names, image });
            }
        }
        for name in &names {
            self.assign(name, &RefRecord::new(found.root.clone(), options.now))?;
        }
        Ok(Loaded { names, image })
    }

    /// Whether anything stands for this already.
    fn is_named(&self, root: &Descriptor) -> Result<bool, LoadError> {
        let refs = self.store.refs(longshore_store::Namespace::Image).map_err(NameError::from)?;
        Ok(refs.iter().any(|each| each.record.target.digest == root.digest))
    }

    fn unpack_native(&self, image: &Image, options: &LoadOptions<'_>) -> Result<(), LoadError> {
        let Some(unpack) = &options.unpack else { return Ok(()) };
        if is_native(image) {
            self.unpack_telling(image, unpack, options.sink)?;
        }
        Ok(())
    }

    /// The image below a descriptor, of which nothing may be missing.
    fn complete(&self, root: &Descriptor, platform: Option<&Platform>) -> Result<Image, LoadError> {
        let documents = match choose(&self.store, root, platform)? {
            Choice::Found(documents) => *documents,
            Choice::Absent(digest) => return Err(LoadError::Missing { digest, parent: None }),
            Choice::Other(offered) => {
                let offered = offered.iter().map(ToString::to_string).collect();
                return Err(LoadError::Platform { digest: root.digest.clone(), offered });
            }
        };
        let mut documents = documents;
        if let Err(error) = self.check_layers(&documents) {
            // An index may come with a part of its images; the one for this machine need not be among them.
            let mut whole = all_images(&self.store, root)?
                .into_iter()
                .filter(|_| platform.is_none())
                .filter(|each| self.check_layers(each).is_ok());
            documents = whole.next().ok_or(error)?;
        }
        Ok(assembled(None, root, documents))
    }

    fn check_layers(&self, documents: &crate::document::Documents) -> Result<(), LoadError> {
        for layer in &documents.manifest.layers {
            let parent = Some(documents.descriptor.digest.clone());
            match self.store.contains(&layer.digest)? {
                None => return Err(LoadError::Missing { digest: layer.digest.clone(), parent }),
                Some(actual) if actual != layer.size => {
                    let (digest, stated) = (layer.digest.clone(), layer.size);
                    return Err(LoadError::Size { digest, stated, actual });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Reads an archive to its end.
fn read_archive(archive: impl Read, contents: &mut Contents<'_>) -> Result<(), LoadError> {
    let archive =
        Outer::new(archive).map_err(|source| LoadError::Decompress(DecompressError::Read(source)))?;
    let stream = decompress(archive).map_err(LoadError::Decompress)?;
    let mut entries = Entries::new(BufReader::with_capacity(BUFFER, Bounded::new(stream)), HEADER_LIMIT);
    while let Some(entry) = entries.next_entry()? {
        match &entry.kind {
            EntryKind::File if entry.segments.is_some() => {
                return Err(LoadError::Entry { entry: shown(&entry.path), problem: "it is a sparse file" });
            }
            EntryKind::File => contents.file(&entry.path, entry.size, &mut entries)?,
            EntryKind::Symlink(target) => contents.link(&entry.path, target, false)?,
            EntryKind::HardLink(target) => contents.link(&entry.path, target, true)?,
            EntryKind::Directory => {}
            _ => {
                let problem = "it is neither file nor directory nor link";
                return Err(LoadError::Entry { entry: shown(&entry.path), problem });
            }
        }
    }
    // A writer into a pipe must not be stopped before its last byte.
    Ok(entries.drain()?)
}
