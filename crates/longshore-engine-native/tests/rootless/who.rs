//! The users as whom the cases run.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use rustix::fs::{Gid, Uid};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};

/// The ids of a user who does not exist on the machine.
const STRANGER: u32 = 65_533;

/// The first of the stranger's subordinate ids.
pub(crate) const SUBORDINATE: u32 = 2_000_000_000;

/// A user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// One without further ids.
    Single,
    /// One with subordinate ids.
    Subordinate,
    /// One without further ids, and with a home on a file system that no overlay takes its changes to.
    Unlayered,
    /// Whoever runs the tests, who is not root.
    Own,
}

impl Who {
    /// Those that this process can become.
    pub(crate) fn all() -> Vec<Self> {
        if rustix::process::geteuid().is_root() {
            vec![Self::Single, Self::Subordinate, Self::Unlayered]
        } else {
            vec![Self::Own]
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Subordinate => "subordinate",
            Self::Unlayered => "unlayered",
            Self::Own => "own",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Single, Self::Subordinate, Self::Unlayered, Self::Own]
            .into_iter()
            .find(|who| who.name() == name)
    }

    /// Makes a home that the user can reach and nobody else needs to.
    pub(crate) fn prepare(self, place: &Path, home: &Path) {
        fs::create_dir(home).expect("a home");
        if self != Self::Own {
            fs::set_permissions(place, fs::Permissions::from_mode(0o755)).expect("a place for others");
            chown(home, Some(STRANGER), Some(STRANGER)).expect("a home of a stranger");
        }
    }

    /// Becomes this user, and this program again, with other arguments.
    pub(crate) fn become_and_run(self, home: &Path, arguments: &[&str]) -> ExitCode {
        if matches!(self, Self::Subordinate | Self::Unlayered) {
            // Only here is the stranger what the case needs; the machine's own files and mounts stay as they are.
            longshore_sys::unshare_mounts().expect("mounts of one's own");
            mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
                .expect("private mounts");
        }
        if self == Self::Unlayered {
            cover(home);
        }
        if self == Self::Subordinate {
            let line = format!("stranger:{SUBORDINATE}:65536\n");
            add(home, "/etc/passwd", &format!("stranger:x:{STRANGER}:{STRANGER}::/:/bin/sh\n"));
            add(home, "/etc/group", &format!("stranger:x:{STRANGER}:\n"));
            add(home, "/etc/subuid", &line);
            add(home, "/etc/subgid", &line);
        }
        if self != Self::Own {
            let (uid, gid) = (Uid::from_raw(STRANGER), Gid::from_raw(STRANGER));
            rustix::thread::set_thread_groups(&[]).expect("no groups");
            rustix::thread::set_thread_res_gid(gid, gid, gid).expect("a stranger's group");
            rustix::thread::set_thread_res_uid(uid, uid, uid).expect("a stranger");
        }
        // One who was root may not look at its own files below /proc; the next program may.
        let error = Command::new("/proc/self/exe").args(arguments).exec();
        panic!("failed to start over: {error}");
    }
}

/// Puts an overlay over a home: the changes of one overlay cannot go to another.
fn cover(home: &Path) {
    let [lower, upper, work] = ["lower", "upper", "work"].map(|name| home.with_file_name(name));
    for directory in [&lower, &upper, &work] {
        fs::create_dir(directory).expect("a directory of the overlay");
    }
    chown(&upper, Some(STRANGER), Some(STRANGER)).expect("a home of a stranger");
    let options =
        format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
    let options = CString::new(options).expect("options without zeros");
    mount("overlay", home, "overlay", MountFlags::empty(), options.as_c_str()).expect("an overlay");
}

/// Adds a line to a file of the machine, as this process sees it.
fn add(home: &Path, file: &str, line: &str) {
    if !Path::new(file).exists() {
        return;
    }
    let name = Path::new(file).file_name().expect("a name").to_string_lossy().into_owned();
    let copy = home.with_file_name(format!("etc-{name}"));
    let text = fs::read_to_string(file).unwrap_or_default();
    fs::write(&copy, format!("{text}{line}")).expect("a copy of the file");
    mount_bind(&copy, file).expect("a mount over the file");
}
