//! The images that containers are made of.

use std::path::PathBuf;

use longshore_engine::{ContainerId, ContainerSpec, EngineError, Fault, ImageSource};
use longshore_oci::ExecutionConfig;

use crate::home::{Home, io_error};

/// Finds images. It is here so that what is started knows nothing of stores.
#[derive(Debug, Clone)]
pub(crate) struct Images {}

/// An image that was found, ready to be mounted.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) manifest: Option<String>,
    pub(crate) layers: Vec<PathBuf>,
    pub(crate) config: ExecutionConfig,
}

impl Images {
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
            ImageSource::Image(name) => {
                Err(EngineError::new(Fault::NotFound, format!("no such image: {name}")))
            }
        }
    }
}

impl Found {
    /// Keeps the image from being collected as long as the container exists.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "until the store is joined")]
    pub(crate) fn keep(&self, _home: &Home, _id: &ContainerId) -> Result<(), EngineError> {
        Ok(())
    }
}

/// The container is gone; its image may go.
pub(crate) fn forget(_home: &Home, _id: &ContainerId) {}
