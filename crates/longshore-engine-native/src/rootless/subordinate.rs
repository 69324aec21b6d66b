//! Subordinate ids: further users and groups that belong to an ordinary user.
//!
//! Source: `subuid(5)`, `subgid(5)`, `newuidmap(1)`.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Where the two programs are looked for. A monitor has no search path, and a set-user-id program should not come from one.
const DIRECTORIES: [&str; 6] =
    ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin", "/run/wrappers/bin"];

/// How many ranges a map can have besides the user's own id; the kernel takes 340 lines.
const RANGES: usize = 339;

/// A range of ids of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u32,
    pub(super) count: u32,
}

/// What maps the ids of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SubordinateIds {
    pub(super) users: Mapping,
    pub(super) groups: Mapping,
}

/// One of the two maps, and the program that writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) program: PathBuf,
    /// Who is root inside.
    pub(super) own: u32,
    pub(super) ranges: Vec<Range>,
}

/// Why a user has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Absence {
    /// No line of a file is about the user.
    #[error("`{0}` has no range for this user")]
    Ranges(&'static str),
    /// A program is missing, or has no right to do what it is for.
    #[error("`{0}` is not installed with the rights that it needs")]
    Program(&'static str),
    /// This process has given up to gain rights by starting programs.
    #[error("this process may not gain rights by starting programs (no_new_privs)")]
    Privileges,
}

impl SubordinateIds {
    /// Those of whoever this process is, if they can be used.
    pub(super) fn of_this_user() -> Result<Self, Absence> {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let name = user_name(&text("/etc/passwd"), uid);
        let mapping = |own, file, program| {
            let ranges = ranges(&text(file), uid, name.as_deref());
            if ranges.is_empty() {
                return Err(Absence::Ranges(file));
            }
            Ok(Mapping { program: find(program).ok_or(Absence::Program(program))?, own, ranges })
        };
        let found = Self {
            users: mapping(uid, "/etc/subuid", "newuidmap")?,
            groups: mapping(gid, "/etc/subgid", "newgidmap")?,
        };
        if rustix::thread::no_new_privs().unwrap_or(false) {
            return Err(Absence::Privileges);
        }
        Ok(found)
    }
}

impl SubordinateIds {
    /// How many users a container has.
    pub(super) fn count(&self) -> u64 {
        self.users.ranges.iter().map(|range| u64::from(range.count)).sum::<u64>() + 1
    }
}

impl Mapping {
    /// The arguments of its program for a process: triples of the first id inside, the first outside, and a count.
    pub(super) fn arguments(&self, pid: u32) -> Vec<String> {
        let mut arguments = vec![pid.to_string(), "0".to_owned(), self.own.to_string(), "1".to_owned()];
        let mut inside: u32 = 1;
        for range in &self.ranges {
            let count = range.count.min(u32::MAX - 1 - inside);
            if count == 0 {
                break;
            }
            arguments.extend([inside, range.first, count].map(|number| number.to_string()));
            inside += count;
        }
        arguments
    }
}

/// The name of a user in the text of `/etc/passwd`.
pub(super) fn user_name(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// The ranges of a user, by number or by name, in the order of the file. What is no range, or would wrap around, is left
/// out; so is what overlaps with a range before, because no id can be mapped twice.
fn ranges(text: &str, uid: u32, name: Option<&str>) -> Vec<Range> {
    let mut found: Vec<Range> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.trim().split(':');
        let (Some(owner), Some(first), Some(count), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (Ok(first), Ok(count)) = (first.parse::<u32>(), count.parse::<u32>()) else { continue };
        let is_owner = Some(owner) == name || owner.parse() == Ok(uid);
        let Some(end) = first.checked_add(count).filter(|_| count > 0 && is_owner) else { continue };
        let own = (first..end).contains(&uid);
        let overlaps = found.iter().any(|other| first < other.first + other.count && other.first < end);
        if !own && !overlaps && found.len() < RANGES {
            found.push(Range { first, count });
        }
    }
    found
}

/// A program that may write maps: it is root's and set-user-id, or has capabilities.
fn find(name: &str) -> Option<PathBuf> {
    DIRECTORIES.iter().map(|directory| Path::new(directory).join(name)).find(|path| {
        let Ok(metadata) = fs::metadata(path) else { return false };
        let is_set_uid = metadata.uid() == 0 && metadata.permissions().mode() & 0o4001 == 0o4001;
        is_set_uid || rustix::fs::getxattr(path, "security.capability", &mut [0_u8; 64]).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::{Mapping, Range, ranges, user_name};

    fn range(first: u32, count: u32) -> Range {
        Range { first, count }
    }

    #[test]
    fn ranges_are_found_by_name_and_number() {
        let text = "root:1:1\nada:100000:65536\n# ada:7:7\n1000:300000:10\nbob:500000:9\n ada:400000:5 \n";
        let expected = [range(100_000, 65536), range(300_000, 10), range(400_000, 5)];
        assert_eq!(ranges(text, 1000, Some("ada")), expected);
        assert_eq!(ranges(text, 1000, None), [range(300_000, 10)]);
        assert_eq!(ranges(text, 5, None), []);
    }

    #[test]
    fn what_is_no_range_is_left_out() {
        for text in [
            "ada:x:1",
            "ada:1:0",
            "ada:1",
            "ada:1:2:3",
            "ada:4294967295:2",
            "ada:-1:5",
            "ada::",
            "",
            ":::",
            // The user's own id is root inside already.
            "ada:900:200",
        ] {
            assert_eq!(ranges(text, 1000, Some("ada")), [], "{text}");
        }
        assert_eq!(
            ranges("ada:10:10\nada:15:10\nada:20:5", 1000, Some("ada")),
            [range(10, 10), range(20, 5)]
        );
    }

    #[test]
    fn names_are_found_by_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(user_name(passwd, 1000).as_deref(), Some("ada"));
        assert_eq!(user_name(passwd, 7), None);
    }

    #[test]
    fn ids_are_mapped_one_after_the_other() {
        let mapping = Mapping {
            program: PathBuf::new(),
            own: 1000,
            ranges: vec![range(100_000, 65536), range(300_000, 10)],
        };
        let expected = "42 0 1000 1 1 100000 65536 65537 300000 10";
        assert_eq!(mapping.arguments(42).join(" "), expected);
    }

    proptest! {
        #[test]
        fn no_text_gives_a_map_that_wraps_or_repeats(text in "([a0-9]{1,3}:[0-9]{1,10}:[0-9]{1,10}\n){0,8}") {
            let found = ranges(&text, 12, Some("a"));
            let mapping = Mapping { program: PathBuf::new(), own: 12, ranges: found.clone() };
            prop_assert_eq!(mapping.arguments(1).len() % 3, 1);
            for (index, one) in found.iter().enumerate() {
                prop_assert!(one.first.checked_add(one.count).is_some());
                for other in &found[index + 1..] {
                    prop_assert!(one.first + one.count <= other.first || other.first + other.count <= one.first);
                }
            }
        }
    }
}
