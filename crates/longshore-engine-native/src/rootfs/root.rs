//! The root file system of one container, however it comes about: an overlay, a copy, a directory as it is, or a view of
//! this machine in parts.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use longshore_engine::{EngineError, Fault, ImageSource};

use super::{Overlay, copy, detached, host, lower_directories, places, private};
use crate::home::{Home, io_error};
use crate::launch::Privilege;
use crate::launch::users::UserMap;
use crate::record::{ContainerDirectory, RecordDto};
use crate::user::Accounts;

/// What a root file system is made of.
pub(crate) struct RootSource<'a> {
    pub(crate) home: &'a Home,
    pub(crate) directory: &'a ContainerDirectory,
    pub(crate) record: &'a RecordDto,
    pub(crate) privilege: Privilege,
    /// Whether the changes may be lost if the machine fails.
    pub(crate) disposable: bool,
    /// The container's own ids.
    pub(crate) users: Option<UserMap>,
    /// The user namespace by which its files are shown.
    pub(crate) mapping: Option<BorrowedFd<'a>>,
}

/// A root file system that is attached nowhere.
pub(crate) struct Root {
    pub(crate) mount: OwnedFd,
    /// What is attached to it first, and where.
    pub(crate) parts: Vec<(OwnedFd, PathBuf)>,
    /// What is not as it was asked for.
    pub(crate) warnings: Vec<String>,
    /// Mounts that it was made of and that nobody needs any more. To close one, the kernel waits for all processors, so it is
    /// done when nobody waits.
    pub(crate) spent: Vec<OwnedFd>,
}

impl From<OwnedFd> for Root {
    fn from(mount: OwnedFd) -> Self {
        Self { mount, parts: Vec::new(), warnings: Vec::new(), spent: Vec::new() }
    }
}

impl RootSource<'_> {
    /// Mounts it.
    pub(crate) fn mount(&self) -> Result<Root, EngineError> {
        let image = &self.record.spec.image;
        let container = self.directory.path();
        if let ImageSource::Directory(path) = image {
            return bound(path, true);
        }
        if let Some(copy) = copy::existing(container) {
            return bound(&copy, false);
        }
        let rootless = self.privilege != Privilege::Root;
        if rootless && *image == ImageSource::Host {
            let host::View { root, parts } = host::compose(container, self.disposable)?;
            return Ok(Root { parts, ..Root::from(root) });
        }
        let base = self.users.map_or(0, |users| users.base);
        if *image == ImageSource::Host {
            private::prepare(container, base).map_err(|error| io_error("prepare", container, error))?;
        }
        let lower = self.lower();
        let places = (*image != ImageSource::Host).then(|| places::below(self.home)).flatten();
        let layers: Vec<PathBuf> = lower.iter().cloned().chain(places).collect();
        let overlay = Overlay {
            lower: &layers,
            changes: container,
            disposable: self.disposable,
            rootless,
            users: self.mapping,
            base,
        };
        match overlay.mount() {
            // What the kernel cannot show with other ids is tried without, and only then copied.
            Err(error)
                if error.fault == Fault::Unsupported
                    && self.users.is_none()
                    && *image != ImageSource::Host =>
            {
                self.copy(&lower, &error)
            }
            result => result,
        }
    }

    fn copy(&self, lower: &[PathBuf], error: &EngineError) -> Result<Root, EngineError> {
        let mut root = bound(&copy::make(self.directory.path(), lower, self.privilege)?, false)?;
        let reason = error.source.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        root.warnings.push(format!("the image was copied for the container: {error}{reason}"));
        Ok(root)
    }

    /// The directories of the image, top first.
    pub(crate) fn lower(&self) -> Vec<PathBuf> {
        lower_directories(&self.record.spec.image, &self.record.layers, self.home)
    }
}

fn bound(path: &Path, recursive: bool) -> Result<Root, EngineError> {
    let mount = detached(path, recursive);
    mount.map(Root::from).map_err(|errno| io_error("mount the directory", path, errno.into()))
}

impl Root {
    /// Its files of users. Where it is a view of the machine in parts, they are the machine's.
    pub(crate) fn accounts(&self) -> Accounts {
        if self.parts.is_empty() {
            return Accounts::read(self.mount.as_fd());
        }
        File::open("/").map_or_else(|_| Accounts::default(), |root| Accounts::read(root.as_fd()))
    }

    /// The mount that a clean path is in, and the path in it.
    pub(crate) fn part_of(self, path: &str) -> (OwnedFd, String) {
        let found = self.parts.into_iter().filter_map(|(mount, place)| {
            let rest = path.strip_prefix(place.to_str()?)?;
            let rest = if rest.is_empty() { "/" } else { rest };
            rest.starts_with('/').then(|| (mount, rest.to_owned()))
        });
        found.max_by_key(|(_, rest)| path.len() - rest.len()).unwrap_or_else(|| (self.mount, path.to_owned()))
    }
}
