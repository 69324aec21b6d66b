//! Finding the hierarchies that this user may use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::absence::Absence;
use crate::hierarchy::{Hierarchy, Legacy, Unified};
use crate::mounts::{self, CgroupMount};

/// The directory of Longshore in each tree.
const PARENT: &str = "longshore";
const MOUNTS: &str = "/proc/self/mountinfo";
const MEMBERSHIPS: &str = "/proc/self/cgroup";

/// What detection looks at; the kernel's files, except in tests.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What `/proc/self/mountinfo` says.
    pub mountinfo: &'a str,
    /// What `/proc/self/cgroup` says.
    pub cgroup: &'a str,
    /// The name of the parent of all groups.
    pub parent: &'a str,
}

impl Hierarchy {
    /// What this machine offers to this process.
    pub fn detect() -> Self {
        Self::detect_for(PARENT)
    }

    /// What this machine offers, with another parent than usual; for tests on a machine that is in use.
    pub fn detect_for(parent: &str) -> Self {
        let Ok(mountinfo) = std::fs::read_to_string(MOUNTS) else {
            return Self::None(Absence::Unreadable(PathBuf::from(MOUNTS)));
        };
        // Without it, nothing is known to be delegated, and root needs nothing delegated.
        let cgroup = std::fs::read_to_string(MEMBERSHIPS).unwrap_or_default();
        Self::detect_in(Surroundings { mountinfo: &mountinfo, cgroup: &cgroup, parent })
    }

    /// What given surroundings offer.
    pub fn detect_in(surroundings: Surroundings<'_>) -> Self {
        let mounts = mounts::parse(surroundings.mountinfo);
        let mut parents = BTreeMap::new();
        for mount in &mounts {
            if mount.controllers.as_ref().is_some_and(|_| is_usable(mount)) {
                for controller in mount.controllers.iter().flatten() {
                    parents.entry(*controller).or_insert_with(|| mount.point.join(surroundings.parent));
                }
            }
        }
        let unified = mounts.iter().find(|mount| mount.controllers.is_none());
        let unified = unified.and_then(|mount| find_unified(mount, surroundings));
        match (parents.is_empty(), unified) {
            (false, unified) => Self::V1(Legacy { parents, unified }),
            (true, Some(unified)) => Self::V2(unified),
            (true, None) => Self::None(absence(&mounts)),
        }
    }
}

/// Whether groups can be made at the top of a mount.
fn is_usable(mount: &CgroupMount) -> bool {
    !mount.is_read_only && access(&mount.point, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// The whole tree if it is writable, else the highest directory above the own group that is.
fn find_unified(mount: &CgroupMount, surroundings: Surroundings<'_>) -> Option<Unified> {
    if mount.is_read_only {
        return None;
    }
    let top = if is_usable(mount) { mount.point.clone() } else { delegated(mount, surroundings.cgroup)? };
    Some(Unified { parent: top.join(surroundings.parent), top })
}

/// The highest delegated directory. Processes move only below what is writable as a whole, so the first directory that is
/// not ends the search.
fn delegated(mount: &CgroupMount, cgroup: &str) -> Option<PathBuf> {
    let own = mounts::own_unified_path(cgroup)?;
    let below = own.strip_prefix(&mount.root).ok()?;
    // A group outside of the own namespace is shown with `..`.
    if below.components().any(|component| component.as_os_str() == "..") {
        return None;
    }
    let own = mount.point.join(below);
    let is_delegated = |path: &&Path| {
        let is_inside = path.starts_with(&mount.point) && **path != *mount.point;
        let files = [*path, &path.join("cgroup.procs"), &path.join("cgroup.subtree_control")];
        is_inside && files.into_iter().all(|file| access(file, Access::WRITE_OK).is_ok())
    };
    own.ancestors().take_while(is_delegated).last().map(Path::to_owned)
}

fn absence(mounts: &[CgroupMount]) -> Absence {
    match mounts.iter().find(|mount| mount.controllers.as_ref().is_none_or(|list| !list.is_empty())) {
        None => Absence::NotMounted,
        Some(mount) if mount.is_read_only => Absence::ReadOnly(mount.point.clone()),
        Some(mount) => Absence::NotDelegated(mount.point.clone()),
    }
}
