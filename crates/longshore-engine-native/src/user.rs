//! Whom a process runs as: `--user` and the image's user, looked up in the container's own files.
//!
//! The forms are Docker's: `name`, `uid`, `name:group`, `uid:gid` and mixtures. A number need not be in the files.

use std::io::Read as _;
use std::os::fd::BorrowedFd;

use longshore_engine::{EngineError, Fault};
use rustix::fs::OFlags;

use crate::inside::open_inside;

/// A file of users is not read further than this.
const LIMIT: u64 = 4 * 1024 * 1024;

/// Whom a process runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    pub(crate) home: String,
}

/// The files of a root file system that tell about users.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    passwd: String,
    group: String,
}

struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl Accounts {
    /// Reads them below an open root directory. Links lead nowhere else; what cannot be read is empty.
    pub(crate) fn read(root: BorrowedFd<'_>) -> Self {
        Self { passwd: file(root, "etc/passwd"), group: file(root, "etc/group") }
    }

    #[cfg(test)]
    fn of(passwd: &str, group: &str) -> Self {
        Self { passwd: passwd.to_owned(), group: group.to_owned() }
    }

    fn users(&self) -> impl Iterator<Item = Entry<'_>> {
        self.passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Entry { name, uid, gid, home: fields.nth(1).unwrap_or_default() })
        })
    }

    fn groups(&self) -> impl Iterator<Item = (&str, u32, &str)> {
        self.group.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let gid = fields.nth(1)?.parse().ok()?;
            Some((name, gid, fields.next().unwrap_or_default()))
        })
    }

    /// Whom a text means; an empty one is root. `further` are groups by name or number.
    pub(crate) fn find(&self, text: &str, further: &[String]) -> Result<User, EngineError> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let user = if user.is_empty() { "0" } else { user };
        let entry = self.users().find(|entry| entry.name == user).or_else(|| {
            let number: u32 = user.parse().ok()?;
            self.users().find(|entry| entry.uid == number)
        });
        let mut found = match &entry {
            Some(entry) => User {
                uid: entry.uid,
                gid: entry.gid,
                groups: self.memberships(entry.name),
                home: entry.home.to_owned(),
            },
            None => {
                User { uid: Self::number("user", user)?, gid: 0, groups: Vec::new(), home: String::new() }
            }
        };
        if let Some(group) = group.filter(|group| !group.is_empty()) {
            found.gid = self.group(group)?;
            // With a group given, Docker leaves the memberships of the file out.
            found.groups = Vec::new();
        }
        if found.home.is_empty() {
            "/".clone_into(&mut found.home);
        }
        // Else a file that denies its group more than others could be opened all the same (CVE-2022-36109).
        found.groups.push(found.gid);
        for group in further {
            found.groups.push(self.group(group)?);
        }
        found.groups.sort_unstable();
        found.groups.dedup();
        Ok(found)
    }

    fn memberships(&self, user: &str) -> Vec<u32> {
        let member = |members: &str| members.split(',').any(|member| member == user);
        self.groups().filter(|(_, _, members)| member(members)).map(|(_, gid, _)| gid).collect()
    }

    fn group(&self, text: &str) -> Result<u32, EngineError> {
        match self.groups().find(|(name, ..)| *name == text) {
            Some((_, gid, _)) => Ok(gid),
            None => Self::number("group", text),
        }
    }

    /// A number that stands for itself.
    fn number(kind: &str, text: &str) -> Result<u32, EngineError> {
        let number = text.parse::<u32>().ok().filter(|number| *number <= i32::MAX.unsigned_abs());
        number.ok_or_else(|| {
            let file = if kind == "user" { "passwd" } else { "group" };
            let message = if text.bytes().all(|byte| byte.is_ascii_digit()) {
                format!("{kind} ids are between 0 and {}, `{text}` is not", i32::MAX)
            } else {
                format!("unable to find {kind} {text}: no matching entries in {file} file")
            };
            EngineError::new(Fault::Invalid, message)
        })
    }
}

fn file(root: BorrowedFd<'_>, path: &str) -> String {
    let Ok(file) = open_inside(root, path, OFlags::RDONLY | OFlags::NONBLOCK) else {
        return String::new();
    };
    let mut bytes = Vec::new();
    // A file that cannot be read to its end tells what it told so far.
    let _ = std::fs::File::from(file).take(LIMIT).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Accounts, User};

    fn accounts() -> Accounts {
        Accounts::of(
            "root:x:0:0:root:/root:/bin/bash\nbroken line\nweb:x:33:33::/var/www:/bin/false\n1000:x:5:5::/odd:\n",
            "root:x:0:\nwww-data:x:33:\nadm:x:4:web,syslog\nvideo:x:44:web\n",
        )
    }

    fn user(uid: u32, gid: u32, groups: &[u32], home: &str) -> User {
        User { uid, gid, groups: groups.to_vec(), home: home.to_owned() }
    }

    #[test]
    fn users_are_found_as_docker_finds_them() {
        let accounts = accounts();
        for (text, expected) in [
            ("", user(0, 0, &[0], "/root")),
            ("root", user(0, 0, &[0], "/root")),
            ("web", user(33, 33, &[4, 33, 44], "/var/www")),
            ("33", user(33, 33, &[4, 33, 44], "/var/www")),
            ("web:adm", user(33, 4, &[4], "/var/www")),
            ("4711", user(4711, 0, &[0], "/")),
            ("4711:4712", user(4711, 4712, &[4712], "/")),
            (":video", user(0, 44, &[44], "/root")),
            ("1000", user(5, 5, &[5], "/odd")),
        ] {
            assert_eq!(accounts.find(text, &[]).unwrap(), expected, "{text}");
        }
        assert_eq!(accounts.find("web", &["adm".into(), "7".into()]).unwrap().groups, [4, 7, 33, 44]);
    }

    #[test]
    fn unknown_users_are_refused() {
        for text in ["nobody", "web:nogroup", "-1", "4294967295", "a b"] {
            assert!(accounts().find(text, &[]).is_err(), "{text}");
        }
    }
}
