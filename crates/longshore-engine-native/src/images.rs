//! The images that containers are made of.

use std::path::{Path, PathBuf};

use longshore_engine::{ContainerId, ContainerSpec, EngineError, Fault, ImageSource};
use longshore_image::{Image, ReadError, ResolveError, UnpackError, UnpackOptions, Unpacker};
use longshore_oci::{Descriptor, ExecutionConfig, Platform};
use longshore_store::{Namespace, RefName, RefRecord, Store, StoreError};

use crate::home::{Home, io_error};
use crate::rootless::Worker;

/// Finds images.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    store: PathBuf,
    worker: Worker,
}

/// An image that was found, ready to be mounted.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) manifest: Option<String>,
    pub(crate) layers: Vec<PathBuf>,
    pub(crate) config: ExecutionConfig,
    target: Option<Descriptor>,
}

impl Images {
    /// The images of a store. It is opened when it is needed.
    pub(crate) fn of(store: PathBuf, worker: Worker) -> Self {
        Self { store, worker }
    }

    fn open(&self) -> Result<Store, EngineError> {
        Store::open(&self.store).map_err(|error| {
            EngineError::new(Fault::Environment, "failed to open the store of images").because(error)
        })
    }

    /// Finds the image of a specification and unpacks what is not unpacked.
    pub(crate) fn find(&self, spec: &ContainerSpec) -> Result<Found, EngineError> {
        match &spec.image {
            ImageSource::Host => Ok(Found {
                id: ImageSource::HOST.to_owned(),
                config: ExecutionConfig {
                    cmd: Some(vec!["/bin/sh".to_owned()]),
                    ..ExecutionConfig::default()
                },
                ..Found::default()
            }),
            ImageSource::Directory(path) => {
                let path = path.canonicalize().map_err(|error| io_error("find", path, error))?;
                Ok(Found { id: path.display().to_string(), ..Found::default() })
            }
            ImageSource::Image(name) => self.find_image(name, spec.platform.as_deref()),
        }
    }

    /// Finds an image by its name, and unpacks what is not unpacked.
    pub(crate) fn find_image(&self, name: &str, platform: Option<&str>) -> Result<Found, EngineError> {
        let images = longshore_image::Images::open(self.open()?);
        let image = resolve(&images, name, platform)?;
        let unpacked = images
            .unpacked(&image, Unpacker::of_this_process())
            .map_err(|error| not_unpacked(name, error.into()))?;
        if let Some(layers) = unpacked {
            return Ok(found(image, layers));
        }
        self.worker.unpack(&self.store, name, platform)?;
        let layers = images
            .unpack(&image, &UnpackOptions::for_this_process())
            .map_err(|error| not_unpacked(name, error))?;
        Ok(found(image, layers))
    }
}

fn resolve(
    images: &longshore_image::Images,
    name: &str,
    platform: Option<&str>,
) -> Result<Image, EngineError> {
    let host = longshore_image::host_platform();
    let platform = platform
        .map(|text| {
            Platform::parse(text, &host).map_err(|error| {
                EngineError::new(Fault::Invalid, format!("`{text}` is not a platform")).because(error)
            })
        })
        .transpose()?;
    images.resolve(name, platform.as_ref()).map_err(|error| unresolved(name, error))
}

/// Unpacks an image with the ids of the user namespace that this process is in.
pub(crate) fn unpack(store: &Path, name: &str, platform: Option<&str>) -> Result<(), EngineError> {
    let images = longshore_image::Images::open(Images::of(store.to_owned(), Worker::within()).open()?);
    let image = resolve(&images, name, platform)?;
    images.unpack(&image, &UnpackOptions::for_this_process()).map_err(|error| not_unpacked(name, error))?;
    Ok(())
}

fn found(image: Image, layers: Vec<PathBuf>) -> Found {
    Found {
        id: image.id().to_string(),
        manifest: Some(image.manifest_descriptor.digest.to_string()),
        layers,
        config: image.config.config.unwrap_or_default(),
        target: Some(image.manifest_descriptor),
    }
}

fn unresolved(name: &str, error: ResolveError) -> EngineError {
    let fault = match &error {
        ResolveError::NotFound { .. } => {
            return EngineError::new(Fault::NotFound, format!("no such image: {name}"))
                .help(format!("get it with `longshore image pull {name}`, or see `longshore image ls`"));
        }
        ResolveError::Platform { platform, .. } => {
            let help = format!("get it with `longshore image pull --platform {platform} {name}`");
            return EngineError::new(Fault::NotFound, format!("no such image: {name} for {platform}"))
                .because(error)
                .help(help);
        }
        ResolveError::Incomplete { .. } => return damaged(name, error),
        ResolveError::Ambiguous { .. } | ResolveError::Malformed { .. } => Fault::Invalid,
        _ if lacks_content(&error) => return damaged(name, error),
        _ => Fault::Environment,
    };
    EngineError::new(fault, format!("failed to find the image {name}")).because(error)
}

fn not_unpacked(name: &str, error: UnpackError) -> EngineError {
    if lacks_content(&error) {
        return damaged(name, error);
    }
    EngineError::new(Fault::Environment, format!("failed to unpack the image {name}")).because(error)
}

/// Some of an image is missing or damaged: it counts as one that is not here, and is fetched again where that is wanted.
fn damaged(name: &str, error: impl std::error::Error + Send + Sync + 'static) -> EngineError {
    EngineError::new(
        Fault::NotFound,
        format!("the image {name} is here, but some of it is missing or damaged"),
    )
    .because(error)
    .help(format!(
        "mend it with `longshore image pull {name}`, or load or import it again if that is where it came from"
    ))
}

/// Whether the store does not have some content, or has found it to be damaged and put it aside.
fn lacks_content(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if matches!(of_store(error), Some(StoreError::MissingBlob(_) | StoreError::CorruptBlob { .. })) {
            return true;
        }
        next = error.source();
    }
    false
}

/// The store's error that another one is, or stands for.
fn of_store<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e StoreError> {
    if let Some(ResolveError::Read { source, .. }) = error.downcast_ref()
        && let ReadError::Store(error) = &**source
    {
        return Some(error);
    }
    if let Some(UnpackError::Store(error)) = error.downcast_ref() {
        return Some(error);
    }
    // An error of reading carries what the reader of the store said.
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.and_then(|inner| inner.downcast_ref()).or_else(|| error.downcast_ref())
}

impl Found {
    /// Keeps the image from being collected as long as the container exists.
    pub(crate) fn keep(&self, images: &Images, id: &ContainerId) -> Result<(), EngineError> {
        let Some(target) = &self.target else { return Ok(()) };
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            EngineError::new(Fault::Environment, "failed to keep the container's image").because(error)
        };
        let name = RefName::new(Namespace::Container, id.as_str()).map_err(|error| failed(error.into()))?;
        // The time of containers, not of their references, is shown to people.
        let record = RefRecord::new(target.clone(), std::time::SystemTime::UNIX_EPOCH);
        images.open()?.put_ref_unsynced(&name, &record).map_err(|error| failed(error.into()))
    }
}

/// Lets the image of a container go. The store is beside the engine's directory.
pub(crate) fn forget(home: &Home, id: &ContainerId) {
    let Ok(name) = RefName::new(Namespace::Container, id.as_str()) else { return };
    let path = store_of(home);
    if !path.exists() {
        return;
    }
    if let Ok(store) = Store::open(path) {
        // A reference that stays keeps an image longer than needed; `doctor` finds it.
        let _ = store.remove_ref(&name);
    }
}

/// Where the store of an engine is.
pub(crate) fn store_of(home: &Home) -> PathBuf {
    home.root().with_file_name("store")
}
