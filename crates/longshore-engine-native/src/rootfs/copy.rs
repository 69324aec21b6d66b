//! Root file systems that are copies, where the kernel mounts no overlay.
//!
//! Overlays need the module, the right to mount one, and a file system below `LONGSHORE_HOME` that can hold their marks.
//! Where one of these is missing, the layers are copied over each other once, and the container runs in the copy. It
//! costs time and space, so it is told. A copy is made under another name and renamed: it is complete or not there.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use longshore_engine::{EngineError, Fault};
use longshore_layer::{
    ApplyError, ApplyOptions, Devices, Ownership, PackError, PackOptions, TreeForm, Whiteouts,
};

use crate::launch::Privilege;

/// The copy, in the directory of its container.
const NAME: &str = "root";

/// Why a tree was not copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// A directory could not be read or changed.
    #[error("failed to prepare `{}`", .path.display())]
    Prepare { path: PathBuf, source: io::Error },
    /// The tree could not be read.
    #[error("failed to read `{}`", .path.display())]
    Read { path: PathBuf, source: PackError },
    /// The copy could not be written.
    #[error("failed to write `{}`", .path.display())]
    Write { path: PathBuf, source: ApplyError },
}

/// Whose files a copy has, and what may be in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeping {
    ownership: Ownership,
    devices: Devices,
}

impl Keeping {
    /// What somebody may keep of a tree. `strangers`: its files belong to people who do not exist in the user namespace.
    pub(crate) fn of(privilege: Privilege, strangers: bool) -> Self {
        let is_root = privilege == Privilege::Root;
        let keeps = is_root || (privilege == Privilege::Subordinate && !strangers);
        Self {
            ownership: if keeps { Ownership::Keep } else { Ownership::Ignore },
            devices: if is_root { Devices::Create } else { Devices::Refuse },
        }
    }
}

/// The copy of a container that has one.
pub(crate) fn existing(container: &Path) -> Option<PathBuf> {
    let path = container.join(NAME);
    path.is_dir().then_some(path)
}

/// Copies layers, top first, into the directory of a container.
pub(crate) fn make(
    container: &Path,
    lower: &[PathBuf],
    privilege: Privilege,
) -> Result<PathBuf, EngineError> {
    let (new, path) = (container.join(format!("{NAME}.new")), container.join(NAME));
    let form = if privilege == Privilege::Root { TreeForm::Overlay } else { TreeForm::OverlayUser };
    let failed = |source: io::Error| CopyError::Prepare { path: new.clone(), source };
    let copy = || -> Result<(), CopyError> {
        let _ = fs::remove_dir_all(&new);
        fs::create_dir(&new).map_err(failed)?;
        for layer in lower.iter().rev() {
            tree(layer, &new, form, Keeping::of(privilege, false))?;
        }
        fs::rename(&new, &path).map_err(failed)
    };
    copy().map_err(|error| {
        EngineError::new(Fault::Environment, "failed to copy the image for the container").because(error)
    })?;
    Ok(path)
}

/// Copies a tree over what is in a directory, which takes after the tree's root.
pub(crate) fn tree(source: &Path, into: &Path, form: TreeForm, keeping: Keeping) -> Result<(), CopyError> {
    let prepare = |path: &Path| {
        let path = path.to_owned();
        move |source| CopyError::Prepare { path, source }
    };
    let metadata = fs::metadata(source).map_err(prepare(source))?;
    let Keeping { ownership, devices } = keeping;
    let (reader, writer) = io::pipe().map_err(prepare(into))?;
    std::thread::scope(|scope| {
        let options = PackOptions { tree: form, fractions: true, ..PackOptions::default() };
        let packing = scope.spawn(move || longshore_layer::pack(source, writer, &options));
        let options =
            ApplyOptions { whiteouts: Whiteouts::Delete, ownership, devices, ..ApplyOptions::default() };
        let applied = longshore_layer::apply(reader, into, &options);
        let packed = packing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // One that stops has the other fail as well; the one that wrote knows more.
        applied.map_err(|source| CopyError::Write { path: into.to_owned(), source })?;
        packed.map_err(|error| CopyError::Read { path: source.to_owned(), source: error })
    })?;
    if ownership == Ownership::Keep {
        chown(into, Some(metadata.uid()), Some(metadata.gid())).map_err(prepare(into))?;
    }
    let mode = fs::Permissions::from_mode(metadata.mode() & 0o7777);
    fs::set_permissions(into, mode).map_err(prepare(into))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};
    use std::path::Path;

    use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};

    use super::{existing, make};
    use crate::launch::Privilege;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn layers_are_copied_over_each_other() {
        let place = tempfile::tempdir().unwrap();
        let [low, high, container] = ["low", "high", "container"].map(|name| place.path().join(name));
        for (path, text) in [("a", "low"), ("gone", ""), ("full/x", ""), ("both/low", "")] {
            write(&low.join(path), text);
        }
        fs::hard_link(low.join("a"), low.join("also-a")).unwrap();
        symlink("a", low.join("link")).unwrap();
        for (path, text) in [("a", "high"), ("full/y", ""), ("both/high", "")] {
            write(&high.join(path), text);
        }
        mknodat(CWD, high.join("gone"), FileType::CharacterDevice, Mode::empty(), 0).unwrap();
        if setxattr(high.join("full"), "user.overlay.opaque", b"y", XattrFlags::empty()).is_err() {
            eprintln!("skipped: the file system for temporary files has no extended attributes");
            return;
        }
        fs::create_dir(&container).unwrap();
        assert_eq!(existing(&container), None);
        let copy = make(&container, &[high, low.clone()], Privilege::SingleUser).unwrap();
        assert_eq!(existing(&container).as_ref(), Some(&copy));
        assert_eq!(fs::read_to_string(copy.join("a")).unwrap(), "high");
        assert_eq!(fs::read_to_string(copy.join("also-a")).unwrap(), "low");
        assert_eq!(fs::read_link(copy.join("link")).unwrap(), Path::new("a"));
        for (path, is_there) in
            [("gone", false), ("full/x", false), ("full/y", true), ("both/low", true), ("both/high", true)]
        {
            assert_eq!(copy.join(path).exists(), is_there, "{path}");
        }
        assert_eq!(fs::metadata(copy.join("a")).unwrap().uid(), rustix::process::geteuid().as_raw());
        // What a killed process has begun is begun anew.
        fs::rename(&copy, container.join("root.new")).unwrap();
        assert!(make(&container, &[low], Privilege::SingleUser).unwrap().join("gone").exists());
    }
}
