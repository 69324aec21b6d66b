//! Attributes and id mappings of mounts, see `mount_setattr(2)`.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io;

/// Attributes of a mount; bits of `mount_setattr(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MountAttributes(pub u32);

impl MountAttributes {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Nothing can be changed.
    pub const READ_ONLY: Self = Self(0x1);
    /// Set-user-id bits have no effect.
    pub const NO_SUID: Self = Self(0x2);
    /// Device files have no effect.
    pub const NO_DEVICES: Self = Self(0x4);
    /// Nothing can be run.
    pub const NO_EXECUTE: Self = Self(0x8);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a set contains another.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The kernel's `struct mount_attr`.
#[repr(C)]
struct RawAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

const IDMAP: u64 = 0x0010_0000;

/// Sets attributes of a mount, with those below it if `recursive`.
///
/// # Errors
///
/// What the kernel answers.
pub fn set_mount_attributes(
    mount: BorrowedFd<'_>,
    path: &CStr,
    set: MountAttributes,
    recursive: bool,
) -> io::Result<()> {
    let raw = RawAttributes { set: u64::from(set.0), clear: 0, propagation: 0, user_namespace: 0 };
    set_attributes(mount, path, recursive, &raw)
}

/// Shows the owners of a detached mount's files by the mapping of a user namespace: what is owned by 0 on the disk is
/// owned by the namespace's 0, and so on. With the mounts below it if `recursive`.
///
/// # Errors
///
/// `INVAL` if the file system cannot be mapped, or another part of the kernel does not know how.
pub fn idmap(mount: BorrowedFd<'_>, user_namespace: BorrowedFd<'_>, recursive: bool) -> io::Result<()> {
    let namespace = u64::try_from(user_namespace.as_raw_fd()).map_err(|_| io::Errno::BADF)?;
    let raw = RawAttributes { set: IDMAP, clear: 0, propagation: 0, user_namespace: namespace };
    set_attributes(mount, c"", recursive, &raw)
}

fn set_attributes(
    mount: BorrowedFd<'_>,
    path: &CStr,
    recursive: bool,
    raw: &RawAttributes,
) -> io::Result<()> {
    const AT_RECURSIVE: libc::c_int = 0x8000;
    let empty = if path.is_empty() { libc::AT_EMPTY_PATH } else { 0 };
    let flags = empty | if recursive { AT_RECURSIVE } else { 0 };
    // SAFETY: mount_setattr(2). The descriptor is borrowed and therefore open, the path ends with a zero, and pointer and
    // length describe `raw`, which outlives the call; the kernel only reads them.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            path.as_ptr(),
            flags,
            std::ptr::from_ref(raw),
            size_of::<RawAttributes>(),
        )
    };
    crate::clone::check(answer).map(|_| ())
}
