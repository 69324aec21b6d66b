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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Surroundings;
    use crate::absence::Absence;
    use crate::controller::Controller;
    use crate::hierarchy::Hierarchy;

    fn detect(mountinfo: &str, cgroup: &str) -> Hierarchy {
        Hierarchy::detect_in(Surroundings { mountinfo, cgroup, parent: "longshore" })
    }

    fn mount(point: &Path, options: &str, kind: &str, controllers: &str) -> String {
        format!("1 2 0:3 / {} {options} - {kind} none rw,{controllers}\n", point.display())
    }

    /// Makes directories with the files that say whether they are delegated.
    fn groups(root: &Path, paths: &[&str]) {
        for path in paths {
            let path = root.join(path);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("cgroup.procs"), "").unwrap();
            fs::write(path.join("cgroup.subtree_control"), "").unwrap();
        }
    }

    #[test]
    fn each_layout_is_recognised() {
        let place = tempfile::tempdir().unwrap();
        let [memory, cpu, unified] = ["memory", "cpu,cpuacct", "unified"].map(|name| place.path().join(name));
        for path in [&memory, &cpu, &unified] {
            fs::create_dir(path).unwrap();
        }
        let legacy = mount(&memory, "rw", "cgroup", "memory") + &mount(&cpu, "rw", "cgroup", "cpu,cpuacct");
        let new = mount(&unified, "rw", "cgroup2", "nsdelegate");
        let Hierarchy::V1(alone) = detect(&legacy, "") else { panic!("version 1") };
        assert_eq!(alone.unified, None);
        let Hierarchy::V1(hybrid) = detect(&(legacy + &new), "") else { panic!("hybrid") };
        assert_eq!(hybrid.parents[&Controller::Memory], memory.join("longshore"));
        assert_eq!(hybrid.parents[&Controller::Cpu], hybrid.parents[&Controller::Cpuacct]);
        assert_eq!(hybrid.unified.map(|unified| unified.top), Some(unified.clone()));
        let Hierarchy::V2(found) = detect(&new, "") else { panic!("version 2") };
        assert_eq!(found.parent, unified.join("longshore"));
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        assert_eq!(detect("", ""), Hierarchy::None(Absence::NotMounted));
        let systemd = mount(Path::new("/nowhere"), "rw", "cgroup", "name=systemd");
        assert_eq!(detect(&systemd, ""), Hierarchy::None(Absence::NotMounted));
        let read_only = mount(Path::new("/nowhere"), "ro", "cgroup2", "");
        assert_eq!(detect(&read_only, ""), Hierarchy::None(Absence::ReadOnly("/nowhere".into())));
        // Root may write everywhere, so the words are asked for alone.
        let other = crate::mounts::parse(&mount(Path::new("/nowhere"), "rw", "cgroup2", ""));
        assert_eq!(super::absence(&other), Absence::NotDelegated("/nowhere".into()));
    }

    #[test]
    fn the_highest_delegated_directory_is_taken() {
        let place = tempfile::tempdir().unwrap();
        groups(place.path(), &["user", "user/session", "user/session/scope"]);
        // The slice of all users is there, and lacks what a delegated one has.
        fs::create_dir_all(place.path().join("slice/user/scope")).unwrap();
        groups(place.path(), &["slice/user", "slice/user/scope"]);
        let mount = crate::mounts::CgroupMount {
            root: "/".into(),
            point: place.path().to_owned(),
            controllers: None,
            is_read_only: false,
        };
        let delegated = |own: &str| super::delegated(&mount, own);
        assert_eq!(delegated("0::/user/session/scope\n"), Some(place.path().join("user")));
        assert_eq!(delegated("0::/slice/user/scope\n"), Some(place.path().join("slice/user")));
        assert_eq!(delegated("0::/slice\n"), None);
        assert_eq!(delegated("0::/\n"), None);
        assert_eq!(delegated("0::/../other\n"), None);
        assert_eq!(delegated("4:memory:/user\n"), None);
    }
}
