//! Copying what an image has into a new volume.

use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::path::Path;

use longshore_engine::{EngineError, Fault};
use longshore_layer::TreeForm;
use rustix::fs::OFlags;

use crate::inside::open_inside;
use crate::rootfs::copy::{self, Keeping};

/// Copies the directory at `target` below an image's root into an empty directory. There may be nothing to copy.
pub(super) fn copy_directory(
    root: BorrowedFd<'_>,
    target: &str,
    into: &Path,
    keeping: Keeping,
) -> Result<(), EngineError> {
    let Ok(source) = open_inside(root, target, OFlags::RDONLY | OFlags::DIRECTORY) else { return Ok(()) };
    let path = format!("/proc/self/fd/{}/.", source.as_raw_fd());
    copy::tree(Path::new(&path), into, TreeForm::Plain, keeping).map_err(|error| {
        EngineError::new(
            Fault::Environment,
            format!("failed to copy `{target}` of the image into the new volume"),
        )
        .because(error)
    })
}
