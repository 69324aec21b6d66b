//! The engine that is looked at.

use std::path::PathBuf;
use std::sync::Arc;

use longshore_engine::{Engine, ImageSource};

/// Gives an image for one container.
type Images = dyn Fn() -> Result<ImageSource, String> + Send + Sync;

/// An engine and the image that its containers are made of.
#[derive(Clone)]
pub struct Subject {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    images: Arc<Images>,
}

impl Subject {
    /// An engine that makes all containers of one image.
    pub fn new(engine: Arc<dyn Engine>, image: ImageSource) -> Self {
        Self { engine, images: Arc::new(move || Ok(image.clone())) }
    }

    /// An engine whose containers change their image, so that each needs one of its own.
    pub fn with_images(
        engine: Arc<dyn Engine>,
        images: impl Fn() -> Result<ImageSource, String> + Send + Sync + 'static,
    ) -> Self {
        Self { engine, images: Arc::new(images) }
    }

    /// An image for a container.
    pub(crate) fn image(&self) -> Result<ImageSource, String> {
        (self.images)()
    }
}

/// A directory for files that containers see: below the temporary directory, where every user may look.
pub fn scratch() -> std::io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    let root: PathBuf = std::env::temp_dir();
    let directory = tempfile::Builder::new().prefix("longshore-conformance-").tempdir_in(root)?;
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(directory)
}
