//! The root file system of the suite's containers: a busybox.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Where a statically linked busybox may be.
const PLACES: [&str; 3] = ["/bin/busybox", "/usr/bin/busybox", "/usr/lib/initramfs-tools/bin/busybox"];

/// The programs that cases use.
const APPLETS: [&str; 43] = [
    "cat", "chmod", "chown", "cp", "cut", "date", "dd", "df", "echo", "env", "false", "grep", "head",
    "hostname", "id", "ip", "kill", "ln", "ls", "mkdir", "mknod", "mount", "nc", "nslookup", "ping",
    "printf", "ps", "pwd", "readlink", "rm", "sed", "seq", "sh", "sleep", "stat", "tail", "test", "touch",
    "tr", "true", "tty", "uname", "wc",
];

/// The root file system cannot be made.
#[derive(Debug, Error)]
pub enum RootfsError {
    /// There is no busybox to make it of.
    #[error(
        "there is no statically linked busybox on this machine (Debian's package `busybox-static` has one)"
    )]
    Missing,
    /// A file cannot be written.
    #[error("failed to write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// Makes root file systems.
#[derive(Debug, Clone)]
pub struct Rootfs {
    busybox: PathBuf,
}

impl Rootfs {
    /// Finds what is needed on this machine.
    ///
    /// # Errors
    ///
    /// If there is no busybox.
    pub fn find() -> Result<Self, RootfsError> {
        let place = PLACES.iter().map(Path::new).find(|path| path.exists());
        place.map(|busybox| Self { busybox: busybox.to_owned() }).ok_or(RootfsError::Missing)
    }

    /// Makes a root file system in a directory that is empty.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), RootfsError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| RootfsError::Write { path, source }
        };
        for (name, mode) in [
            ("", 0o755),
            ("bin", 0o755),
            ("dev", 0o755),
            ("etc", 0o755),
            ("home", 0o755),
            ("proc", 0o755),
            ("root", 0o700),
            ("sys", 0o755),
            ("tmp", 0o1777),
            ("var", 0o755),
            ("var/content", 0o755),
        ] {
            let path = root.join(name);
            fs::create_dir_all(&path).map_err(failed(&path))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed(&path))?;
        }
        for (name, content) in [
            ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n"),
            ("etc/group", "root:x:0:\nuser:x:1000:\nextra:x:1001:user\n"),
            ("etc/hosts", ""),
            ("etc/resolv.conf", ""),
            ("var/content/file", "of the image\n"),
        ] {
            let path = root.join(name);
            fs::write(&path, content).map_err(failed(&path))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).map_err(failed(&path))?;
        }
        let path = root.join("bin/busybox");
        // A copy, not a link: a container with the directory as its root could write through it.
        fs::copy(&self.busybox, &path).map_err(failed(&path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(failed(&path))?;
        for applet in APPLETS {
            let path = root.join("bin").join(applet);
            symlink("busybox", &path).map_err(failed(&path))?;
        }
        Ok(())
    }

    /// The same as a tar archive, every file root's.
    ///
    /// # Errors
    ///
    /// If it cannot be written to a temporary directory.
    pub fn archive(&self) -> Result<Vec<u8>, RootfsError> {
        let failed = |source| RootfsError::Write { path: PathBuf::from("rootfs.tar"), source };
        let directory = super::scratch().map_err(failed)?;
        let root = directory.path().join("rootfs");
        self.write(&root)?;
        let mut builder = tar::Builder::new(Vec::new());
        builder.mode(tar::HeaderMode::Complete);
        builder.follow_symlinks(false);
        pack(&mut builder, &root, Path::new("")).and_then(|()| builder.into_inner()).map_err(failed)
    }
}

fn pack(builder: &mut tar::Builder<Vec<u8>>, root: &Path, below: &Path) -> io::Result<()> {
    let mut names: Vec<PathBuf> = fs::read_dir(root.join(below))?
        .map(|entry| Ok(below.join(entry?.file_name())))
        .collect::<io::Result<_>>()?;
    names.sort();
    for name in names {
        let path = root.join(&name);
        let metadata = fs::symlink_metadata(&path)?;
        let mut header = tar::Header::new_gnu();
        header.set_metadata(&metadata);
        header.set_uid(0);
        header.set_gid(0);
        if metadata.is_symlink() {
            header.set_size(0);
            builder.append_link(&mut header, &name, fs::read_link(&path)?)?;
        } else if metadata.is_dir() {
            header.set_size(0);
            builder.append_data(&mut header, &name, io::empty())?;
            pack(builder, root, &name)?;
        } else {
            builder.append_data(&mut header, &name, fs::File::open(&path)?)?;
        }
    }
    Ok(())
}
