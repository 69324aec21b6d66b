//! Places that something is mounted on in every container, as a layer below those of all images.
//!
//! Images rarely have `/etc/hosts` and its like. What is missing would have to be made in each container's own layer, on the disk
//! and on its way to the user's program, and removed again. From a layer below, it is seen where the image has nothing else,
//! and an image that has or hides a place wins, as upper layers do.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::home::Home;

const DIRECTORIES: [&str; 4] = ["dev", "etc", "proc", "sys"];
const FILES: [&str; 3] = ["etc/hostname", "etc/hosts", "etc/resolv.conf"];

/// The directory of the layer, made if it is not there. None if it cannot be: what is missing is made in each container then.
pub(super) fn below(home: &Home) -> Option<PathBuf> {
    let path = home.root().join("places");
    (path.exists() || make(&path).is_ok()).then_some(path)
}

/// Makes it elsewhere and renames it, so that it is never seen in part.
fn make(path: &Path) -> io::Result<()> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    // Of a process of the same number that was killed.
    let _ = fs::remove_dir_all(&new);
    // Whatever the mask of the process is, these are what programs of any user find.
    let open = || fs::Permissions::from_mode(0o755);
    fs::create_dir(&new)?;
    fs::set_permissions(&new, open())?;
    for name in DIRECTORIES {
        fs::create_dir(new.join(name))?;
        fs::set_permissions(new.join(name), open())?;
    }
    for name in FILES {
        File::create(new.join(name))?.set_permissions(open())?;
    }
    match fs::rename(&new, path) {
        // Somebody else was quicker.
        Err(_) if path.exists() => fs::remove_dir_all(&new),
        result => result,
    }
}
