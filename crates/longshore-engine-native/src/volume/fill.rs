//! Copying what an image has into a new volume.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use longshore_engine::{EngineError, Fault};
use longshore_layer::{ApplyOptions, Devices, Ownership, PackOptions, Whiteouts, apply, pack};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

/// Copies the directory at `target` below an image's root into an empty directory. There may be nothing to copy.
pub(super) fn copy(root: BorrowedFd<'_>, target: &str, into: &Path) -> Result<(), EngineError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let Ok(source) = openat2(root, target, flags, Mode::empty(), resolve) else { return Ok(()) };
    let path = format!("/proc/self/fd/{}/.", source.as_raw_fd());
    copy_tree(Path::new(&path), into).map_err(|error| {
        EngineError::new(
            Fault::Environment,
            format!("failed to copy `{target}` of the image into the new volume"),
        )
        .because(error)
    })
}

fn copy_tree(source: &Path, into: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let metadata = fs::metadata(source)?;
    let is_root = rustix::process::geteuid().is_root();
    let ownership = if is_root { Ownership::Keep } else { Ownership::Ignore };
    let devices = if is_root { Devices::Create } else { Devices::Refuse };
    let (reader, writer) = io::pipe()?;
    std::thread::scope(|scope| {
        let packing = scope
            .spawn(move || pack(source, writer, &PackOptions { fractions: true, ..PackOptions::default() }));
        let options =
            ApplyOptions { whiteouts: Whiteouts::Delete, ownership, devices, ..ApplyOptions::default() };
        let applied = apply(reader, into, &options);
        let packed = packing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        packed?;
        applied?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    if is_root {
        chown(into, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    fs::set_permissions(into, fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
    Ok(())
}
