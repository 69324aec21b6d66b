//! Attributes for directories that a layer only implies.
//!
//! Overlayfs shows the attributes of the uppermost directory of a name, so a directory that was only made because
//! something is in it must look like the one of the layers below.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, fchmod, fchown, fgetxattr, fsetxattr, fstat, futimens,
};
use rustix::io::Errno;

use crate::apply::{Child, EntryPath, Tree, is_overlay, look, readable};
use crate::xattr;

/// Why attributes of lower directories were not taken over.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// A layer cannot be opened.
    #[error("failed to open the layer `{}`", .path.display())]
    Layer {
        /// Its directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory cannot be read or changed.
    #[error("failed to give the directory `{}` the attributes of the layers below", .path.display())]
    Directory {
        /// The directory, within the layer.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What a lower layer has under a name.
enum Found {
    Directory(OwnedFd),
    /// Nothing, but layers below may.
    Nothing,
    /// Nothing, and what layers below have is hidden.
    Hidden,
}

/// Gives `implied` directories of the layer in `target` owner, mode, time and extended attributes of the same
/// directories of the layers below, `lowers`, the uppermost of which comes first. A directory that none has stays.
pub fn adopt_directories(target: &Path, implied: &[PathBuf], lowers: &[PathBuf]) -> Result<(), AdoptError> {
    if implied.is_empty() || lowers.is_empty() {
        return Ok(());
    }
    let open =
        |path: &Path| Tree::open(path).map_err(|source| AdoptError::Layer { path: path.to_owned(), source });
    let mut tree = open(target)?;
    let mut lowers = lowers.iter().map(|path| open(path)).collect::<Result<Vec<_>, _>>()?;
    // Children first, for the change of a child does not touch its parent, but a mode may close it.
    for path in implied.iter().rev() {
        adopt(&mut tree, path, &mut lowers)
            .map_err(|source| AdoptError::Directory { path: path.clone(), source })?;
    }
    Ok(())
}

fn adopt(tree: &mut Tree, path: &Path, lowers: &mut [Tree]) -> io::Result<()> {
    let Ok(path) = EntryPath::parse(path.as_os_str().as_bytes()) else {
        return Err(Errno::INVAL.into());
    };
    for lower in lowers {
        match find(lower, &path)? {
            Found::Directory(from) => {
                let to = tree.existing(&path)?.ok_or(Errno::NOENT)?;
                return copy(&from, &readable(&to, b".")?);
            }
            Found::Nothing => {}
            Found::Hidden => return Ok(()),
        }
    }
    Ok(())
}

/// Looks for a directory in one layer.
fn find(layer: &mut Tree, path: &EntryPath) -> io::Result<Found> {
    let mut directory = layer.existing(&EntryPath::default())?.ok_or(Errno::NOENT)?;
    for name in path.components() {
        match look(&directory, name)? {
            Child::Directory(child) => directory = child,
            Child::Missing if is_opaque(&directory)? => return Ok(Found::Hidden),
            Child::Missing => return Ok(Found::Nothing),
            // A whiteout, or something else that takes the name.
            Child::Symlink(_) | Child::Other => return Ok(Found::Hidden),
        }
    }
    readable(&directory, b".").map(Found::Directory)
}

fn is_opaque(directory: &Arc<OwnedFd>) -> io::Result<bool> {
    let opened = readable(directory, b".")?;
    let mut value = [0_u8; 1];
    let is =
        |name: &str, value: &mut [u8; 1]| fgetxattr(&opened, name, &mut value[..]).is_ok() && value == b"y";
    Ok(is("trusted.overlay.opaque", &mut value) || is("user.overlay.opaque", &mut value))
}

fn copy(from: &OwnedFd, to: &OwnedFd) -> io::Result<()> {
    let stat = fstat(from)?;
    let own = fstat(to)?;
    if (stat.st_uid, stat.st_gid) != (own.st_uid, own.st_gid) {
        fchown(to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    }
    for (name, value) in xattr::of(from)? {
        if is_overlay(&name) {
            continue;
        }
        match fsetxattr(to, name.as_slice(), &value, XattrFlags::empty()) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    fchmod(to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    let time = Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec.cast_signed() };
    Ok(futimens(to, &Timestamps { last_access: time, last_modification: time })?)
}
