//! What of this machine's root directory the image `host` does not show as it is, when root starts the container: passwords
//! of its users, private keys of its servers, and what other engines keep.
//!
//! It is put into the container's own changes before they are mounted. Programs that add users find the files that they
//! expect, with every account in them and no password. An ordinary user cannot read these files anyway.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat};
use rustix::io::Errno;

/// Files of passwords, one account in a line; see `shadow(5)` and `gshadow(5)`.
const PASSWORDS: [&str; 4] = ["etc/shadow", "etc/gshadow", "etc/shadow-", "etc/gshadow-"];

/// Directories that look empty.
const DIRECTORIES: [&str; 10] = [
    "etc/NetworkManager/system-connections",
    "etc/kubernetes",
    "etc/rancher",
    "etc/ssl/private",
    "etc/wireguard",
    "var/lib/containerd",
    "var/lib/containers",
    "var/lib/docker",
    "var/lib/kubelet",
    "var/lib/rancher",
];

/// What tells an overlay that nothing of the layers below is to be seen in a directory.
const OPAQUE: &str = "trusted.overlay.opaque";

/// Where the keys are by which an SSH server is known.
const SSH: &str = "etc/ssh";

/// Prepares the directory of changes; again, it finds what the container made of it, and leaves it alone. `base` is who
/// the container's root is on the machine.
pub(super) fn prepare(changes: &Path, base: u32) -> io::Result<()> {
    Privacy { machine: Path::new("/"), changes, upper: &changes.join("upper"), base }.prepare()
}

/// Says that all was prepared. Without it, whoever began was killed.
const COMPLETE: &str = "private";

struct Privacy<'a> {
    machine: &'a Path,
    changes: &'a Path,
    upper: &'a Path,
    base: u32,
}

impl Privacy<'_> {
    fn prepare(&self) -> io::Result<()> {
        let complete = self.changes.join(COMPLETE);
        if complete.exists() {
            return Ok(());
        }
        fs::create_dir_all(self.upper)?;
        for directory in DIRECTORIES.into_iter().filter(|directory| self.machine.join(directory).is_dir()) {
            self.empty(directory)?;
        }
        for file in PASSWORDS {
            match fs::read_to_string(self.machine.join(file)) {
                Ok(text) => self.show(file, &without_passwords(&text))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // What cannot be read here is hidden altogether.
                Err(_) => self.hide(file)?,
            }
        }
        for entry in fs::read_dir(self.machine.join(SSH)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_key =
                name.to_str().is_some_and(|name| name.starts_with("ssh_host_") && name.ends_with("_key"));
            if is_key {
                self.hide(&format!("{SSH}/{}", name.display()))?;
            }
        }
        fs::write(&complete, "")
    }

    /// Shows a file with this content in place of the machine's.
    fn show(&self, file: &str, text: &str) -> io::Result<()> {
        let place = self.place(file)?;
        fs::write(&place, text)?;
        self.take_after(Path::new(file), &place)
    }

    /// Makes a file look absent: to an overlay, a device of number zero says that there is nothing.
    fn hide(&self, file: &str) -> io::Result<()> {
        let place = self.place(file)?;
        match mknodat(CWD, &place, FileType::CharacterDevice, Mode::empty(), 0) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Shows a directory without what is in it.
    fn empty(&self, directory: &str) -> io::Result<()> {
        let place = self.directory(Path::new(directory))?;
        rustix::fs::setxattr(&place, OPAQUE, b"y", XattrFlags::empty())?;
        Ok(())
    }

    /// The place of a file in the changes.
    fn place(&self, file: &str) -> io::Result<PathBuf> {
        let file = Path::new(file);
        let directory = self.directory(file.parent().unwrap_or(Path::new("")))?;
        Ok(directory.join(file.file_name().unwrap_or_default()))
    }

    /// A directory of the changes. It and those above it are made like the machine's.
    fn directory(&self, path: &Path) -> io::Result<PathBuf> {
        let mut directory = PathBuf::new();
        for part in path.components() {
            directory.push(part);
            let place = self.upper.join(&directory);
            match fs::create_dir(&place) {
                Ok(()) => self.take_after(&directory, &place)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.upper.join(directory))
    }

    /// Gives a file the owner and the mode of the machine's.
    fn take_after(&self, file: &Path, place: &Path) -> io::Result<()> {
        let metadata = fs::metadata(self.machine.join(file))?;
        chown(place, Some(metadata.uid() + self.base), Some(metadata.gid() + self.base))?;
        fs::set_permissions(place, fs::Permissions::from_mode(metadata.mode() & 0o7777))
    }
}

/// The text with `*`, by which nobody can log in, for what might be a password.
fn without_passwords(text: &str) -> String {
    let line = |line: &str| {
        let mut fields: Vec<&str> = line.split(':').collect();
        if let Some(password) = fields.get_mut(1)
            && password.len() > 2
        {
            *password = "*";
        }
        fields.join(":") + "\n"
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};

    use super::{Privacy, without_passwords};

    #[test]
    fn accounts_stay_and_passwords_go() {
        let text =
            "root:$y$j9T$abc:19000:0:99999:7:::\nbin:*:19000::::::\nada:!$6$x:1:\nnew:!!:\nfree::\nodd\n";
        let expected = "root:*:19000:0:99999:7:::\nbin:*:19000::::::\nada:*:1:\nnew:!!:\nfree::\nodd\n";
        assert_eq!(without_passwords(text), expected);
    }

    #[test]
    fn the_container_gets_files_of_its_own() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root gives files away and makes devices");
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (machine, upper) = (place.path().join("machine"), place.path().join("upper"));
        for directory in ["etc/ssh", "etc/ssl/private"] {
            fs::create_dir_all(machine.join(directory)).unwrap();
        }
        fs::write(machine.join("etc/shadow"), "ada:$6$secret:1:\n").unwrap();
        fs::set_permissions(machine.join("etc/shadow"), fs::Permissions::from_mode(0o640)).unwrap();
        for name in ["ssh_host_rsa_key", "ssh_host_rsa_key.pub", "ssh_config"] {
            fs::write(machine.join("etc/ssh").join(name), "x").unwrap();
        }
        let privacy = Privacy { machine: &machine, changes: place.path(), upper: &upper, base: 7000 };
        privacy.prepare().unwrap();
        fs::remove_file(place.path().join(super::COMPLETE)).unwrap();
        // One who was killed is followed by one who begins anew.
        privacy.prepare().unwrap();
        let shadow = fs::metadata(upper.join("etc/shadow")).unwrap();
        assert_eq!((shadow.uid(), shadow.mode() & 0o777), (7000, 0o640));
        assert_eq!(fs::read_to_string(upper.join("etc/shadow")).unwrap(), "ada:*:1:\n");
        let key = fs::symlink_metadata(upper.join("etc/ssh/ssh_host_rsa_key")).unwrap();
        assert!(key.file_type().is_char_device() && key.rdev() == 0);
        let shown: Vec<_> = fs::read_dir(upper.join("etc/ssh")).unwrap().collect();
        assert_eq!(shown.len(), 1);
        assert!(upper.join("etc/ssl/private").is_dir() && !upper.join("var").exists());
        // What the container changed stays when it starts again.
        fs::write(upper.join("etc/shadow"), "bob:$6$own:1:\n").unwrap();
        privacy.prepare().unwrap();
        assert_eq!(fs::read_to_string(upper.join("etc/shadow")).unwrap(), "bob:$6$own:1:\n");
    }
}
