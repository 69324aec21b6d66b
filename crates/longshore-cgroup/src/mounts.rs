//! Where hierarchies are mounted, from `/proc/self/mountinfo` (proc(5)).

use std::path::{Path, PathBuf};

use crate::controller::Controller;

/// A mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CgroupMount {
    /// The directory of the hierarchy that is mounted.
    pub(crate) root: String,
    /// Where.
    pub(crate) point: PathBuf,
    /// Its controllers on version 1; `None` on version 2.
    pub(crate) controllers: Option<Vec<Controller>>,
    /// Whether nothing can be changed there.
    pub(crate) is_read_only: bool,
}

/// The mounted hierarchies. A mount over another's place hides it.
pub(crate) fn parse(mountinfo: &str) -> Vec<CgroupMount> {
    let mut mounts: Vec<CgroupMount> = Vec::new();
    for line in mountinfo.lines() {
        let Some((point, mount)) = parse_line(line) else { continue };
        mounts.retain(|other| !other.point.starts_with(&point));
        mounts.extend(mount);
    }
    mounts
}

/// The place of any mount, and the mount if it is a hierarchy.
fn parse_line(line: &str) -> Option<(PathBuf, Option<CgroupMount>)> {
    let (mount, system) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let (root, point, options) = (fields.next()?, fields.next()?, fields.next()?);
    let mut system = system.split(' ');
    let (kind, super_options) = (system.next()?, system.nth(1).unwrap_or_default());
    let has = |options: &str, name: &str| options.split(',').any(|option| option == name);
    let point = PathBuf::from(unescape(point));
    let controllers = match kind {
        "cgroup2" => None,
        "cgroup" => {
            let named = Controller::ALL.into_iter();
            Some(named.filter(|controller| has(super_options, controller.legacy_name())).collect())
        }
        _ => return Some((point, None)),
    };
    let is_read_only = has(options, "ro") || has(super_options, "ro");
    let mount = CgroupMount { root: unescape(root), point: point.clone(), controllers, is_read_only };
    Some((point, Some(mount)))
}

/// Undoes the octal escapes of blanks and backslashes.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code.filter(u8::is_ascii) {
            plain.push(char::from(code));
            plain.push_str(part.get(3..).unwrap_or_default());
        } else {
            plain.push('\\');
            plain.push_str(part);
        }
    }
    plain
}

/// The path of the own control group in the tree of version 2, from `/proc/self/cgroup`.
pub(crate) fn own_unified_path(cgroup: &str) -> Option<&Path> {
    cgroup.lines().find_map(|line| line.strip_prefix("0::")).map(Path::new)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{own_unified_path, parse, unescape};
    use crate::controller::Controller;

    #[test]
    fn mounts_are_read() {
        let text = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 /docker/1 /sys/fs/cgroup/uni\\040fied ro,relatime - cgroup2 cgroup2 rw,nsdelegate
42 31 0:39 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
43 42 0:40 / /sys/fs/cgroup/cpuset rw - tmpfs tmpfs rw
nonsense
";
        let mounts = parse(text);
        let [first, second, third] = mounts.as_slice() else { panic!("{mounts:?}") };
        assert_eq!(first.controllers, Some(vec![Controller::Cpu, Controller::Cpuacct]));
        assert_eq!(second.controllers, Some(vec![]));
        assert_eq!((third.root.as_str(), third.is_read_only), ("/docker/1", true));
        assert_eq!(third.point, Path::new("/sys/fs/cgroup/uni fied"));
    }

    #[test]
    fn escapes_are_octal() {
        assert_eq!(unescape(r"a\134b\9\04"), r"a\b\9\04");
    }

    #[test]
    fn the_own_group_is_the_one_without_a_number() {
        assert_eq!(own_unified_path("4:memory:/x\n0::/user.slice\n"), Some(Path::new("/user.slice")));
        assert_eq!(own_unified_path("4:memory:/x\n"), None);
    }
}
