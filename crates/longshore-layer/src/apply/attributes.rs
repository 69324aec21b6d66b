//! Owner, mode, extended attributes and times, in the order in which none undoes another.
//!
//! A change of the owner clears set-user-id and file capabilities, and so does writing; so content comes first, then the
//! owner, then attributes and mode, and the time last.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat, fchmod, fchown,
    fsetxattr, futimens, openat, setxattr, utimensat,
};
use rustix::io::Errno;

use super::{ApplyError, Ownership};
use crate::archive::{Entry, EntryKind, Timestamp};

/// Attributes by which overlayfs is told where to look. A layer must not set them: they would let it show files of other
/// layers, or hide them.
const OVERLAY: [&[u8]; 2] = [b"trusted.overlay.", b"user.overlay."];

/// The access rules that new files take from their directory. It must not be there while files are made.
const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";

const CAPABILITY: &[u8] = b"security.capability";

const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;

/// The attributes of an entry.
#[derive(Debug, Clone)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) modified: Timestamp,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// How attributes are set.
pub(crate) struct AttributePolicy {
    ownership: Ownership,
    /// What new files are owned by, if that is certain.
    made_as: Option<(u32, u32)>,
    left_out: AtomicU64,
}

impl Attributes {
    /// Takes an entry's attributes, without those that are nobody's to set.
    pub(crate) fn of(entry: &Entry) -> Self {
        let xattrs = entry.xattrs.iter().filter(|(name, _)| !is_overlay(name)).cloned().collect();
        let mode = if matches!(entry.kind, EntryKind::Symlink(_)) { 0o777 } else { entry.mode };
        Self { mode, uid: entry.uid, gid: entry.gid, modified: entry.modified, xattrs }
    }

    /// Those of a directory that has no entry of its own.
    pub(crate) fn implied() -> Self {
        Self { mode: 0o755, uid: 0, gid: 0, modified: Timestamp::default(), xattrs: Vec::new() }
    }
}

/// Whether an attribute belongs to overlayfs.
pub(crate) fn is_overlay(name: &[u8]) -> bool {
    OVERLAY.iter().any(|prefix| name.starts_with(prefix))
}

impl AttributePolicy {
    /// `inherits` says that new files may get their group from their directory.
    pub(crate) fn new(ownership: Ownership, inherits: bool) -> Self {
        let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self { ownership, made_as: (!inherits).then_some(own), left_out: AtomicU64::new(0) }
    }

    /// How many attributes could not be set so far.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Sets everything of a file that was just made.
    pub(crate) fn set_file(
        &self,
        file: &OwnedFd,
        attributes: &Attributes,
        entry: &[u8],
    ) -> Result<(), ApplyError> {
        if self.made_as != Some((attributes.uid, attributes.gid)) {
            self.chown(file, attributes, entry)?;
        }
        self.set_opened(file, attributes, entry)
    }

    /// Sets everything of a directory, once everything in it was made.
    pub(crate) fn set_directory(
        &self,
        directory: &OwnedFd,
        attributes: &Attributes,
        entry: &[u8],
    ) -> Result<(), ApplyError> {
        self.chown(directory, attributes, entry)?;
        self.set_opened(directory, attributes, entry)
    }

    /// Sets everything of something that cannot be opened: a link, a device, a pipe.
    pub(crate) fn set_at(
        &self,
        directory: &OwnedFd,
        name: &[u8],
        attributes: &Attributes,
        is_link: bool,
        entry: &[u8],
    ) -> Result<(), ApplyError> {
        let failed = |action| move |source: Errno| ApplyError::system(action, entry, source);
        if self.ownership == Ownership::Keep && self.made_as != Some((attributes.uid, attributes.gid)) {
            let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
            chownat(directory, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(failed("set the owner of"))?;
        }
        if !attributes.xattrs.is_empty() {
            // There is no call for attributes of a name in a directory; the descriptor's name in /proc stands for it.
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = openat(directory, name, flags, Mode::empty()).map_err(failed("open"))?;
            let path = format!("/proc/self/fd/{}", opened.as_raw_fd());
            for (name, value) in &attributes.xattrs {
                let result = setxattr(path.as_str(), name.as_slice(), value, XattrFlags::empty());
                self.tolerate(name, result, entry)?;
            }
        }
        if !is_link {
            // Nobody else works in the target: under this name is what was just made, and that is no link.
            chmodat(directory, name, self.mode(attributes), AtFlags::empty())
                .map_err(failed("set the mode of"))?;
        }
        utimensat(directory, name, &times(attributes.modified), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(failed("set the time of"))
    }

    fn set_opened(&self, fd: &OwnedFd, attributes: &Attributes, entry: &[u8]) -> Result<(), ApplyError> {
        let failed = |action| move |source: Errno| ApplyError::system(action, entry, source);
        for (name, value) in &attributes.xattrs {
            self.tolerate(name, fsetxattr(fd, name.as_slice(), value, XattrFlags::empty()), entry)?;
        }
        fchmod(fd, self.mode(attributes)).map_err(failed("set the mode of"))?;
        futimens(fd, &times(attributes.modified)).map_err(failed("set the time of"))
    }

    fn chown(&self, fd: &OwnedFd, attributes: &Attributes, entry: &[u8]) -> Result<(), ApplyError> {
        if self.ownership == Ownership::Ignore {
            return Ok(());
        }
        fchown(fd.as_fd(), Some(Uid::from_raw(attributes.uid)), Some(Gid::from_raw(attributes.gid)))
            .map_err(|source| ApplyError::system("set the owner of", entry, source))
    }

    /// The mode to set; see [`Ownership::Ignore`] for what is taken from it.
    fn mode(&self, attributes: &Attributes) -> Mode {
        let mut mode = attributes.mode;
        if self.ownership == Ownership::Ignore {
            if attributes.uid != 0 {
                mode &= !SET_UID;
            }
            if attributes.gid != 0 {
                mode &= !SET_GID;
            }
        }
        Mode::from_raw_mode(mode)
    }

    /// Decides about an attribute that could not be set.
    ///
    /// File systems without a kind of attribute are fine, but a lost file capability breaks programs and is an error if
    /// everything is to be kept. What the kernel keeps for root cannot be had without root.
    fn tolerate(&self, name: &[u8], result: Result<(), Errno>, entry: &[u8]) -> Result<(), ApplyError> {
        let ignored = self.ownership == Ownership::Ignore;
        let privileged = name.starts_with(b"security.") || name.starts_with(b"trusted.");
        match result {
            Ok(()) => return Ok(()),
            Err(Errno::OPNOTSUPP) if ignored || name != CAPABILITY => {}
            Err(Errno::PERM) if ignored && privileged => {}
            Err(source) => {
                return Err(ApplyError::system(
                    "set an extended attribute of",
                    entry,
                    io::Error::from(source),
                ));
            }
        }
        self.left_out.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Whether new files in a directory may get a group or access rules from it.
pub(crate) fn inherits(directory: &OwnedFd) -> bool {
    let set_gid = rustix::fs::fstat(directory).is_ok_and(|stat| stat.st_mode & SET_GID != 0);
    set_gid || rustix::fs::fgetxattr(directory, DEFAULT_ACL, &mut [0_u8; 0][..]).is_ok()
}

fn times(modified: Timestamp) -> Timestamps {
    let time = Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}
