//! Where the engine keeps what it knows.
//!
//! ```text
//! engine/
//!   version            the layout's version
//!   containers/ID/     one directory for each container, see `record`
//!   names/NAME         the id of the container of that name
//!   live/ID            locked by the monitor of a container as long as it lives
//!   sandboxes/NAME     what a sandbox is
//!   volumes/NAME/      one directory for each volume
//!   networks/          see `longshore-network`
//!   places/            a layer below all images, see `rootfs::places`
//!   trash/             what is being deleted
//! ```
//!
//! **Invariant:** what stands under `containers` is complete: directories are made under another name and renamed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use longshore_engine::{ContainerId, EngineError, Fault};

/// The version of the layout that is written.
const VERSION: &str = "1\n";

/// The engine's directory.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// Opens the directory, and makes it if it does not exist.
    ///
    /// # Errors
    ///
    /// If it cannot be made or read, or a newer Longshore made it.
    pub fn open(root: &Path) -> Result<Self, EngineError> {
        let home = Self { root: root.to_owned() };
        match fs::read_to_string(home.root.join("version")) {
            Ok(version) if version == VERSION => Ok(home),
            Ok(version) => Err(EngineError::new(
                Fault::Environment,
                format!(
                    "`{}` has layout {}, which this version does not know",
                    root.display(),
                    version.trim()
                ),
            )
            .help("use the newer Longshore that made it, or another LONGSHORE_HOME")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                home.make().map_err(|error| {
                    io_error("make the engine's directory", root, error)
                        .help("set LONGSHORE_HOME to a directory that you may write to")
                })?;
                Ok(home)
            }
            Err(error) => Err(io_error("read the engine's directory", root, error)),
        }
    }

    fn make(&self) -> io::Result<()> {
        for part in ["containers", "names", "live", "sandboxes", "volumes", "networks", "trash"] {
            fs::create_dir_all(self.root.join(part))?;
        }
        // Containers that root starts with ids of their own must be able to pass, and nobody else may look.
        let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(&self.root, mode)?;
        replace(&self.root.join("version"), VERSION.as_bytes())
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the networks are.
    pub fn networks(&self) -> PathBuf {
        self.root.join("networks")
    }

    /// Where the volumes are.
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// Where the containers are.
    pub fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// The directory of a container.
    pub fn container(&self, id: &ContainerId) -> PathBuf {
        self.root.join("containers").join(id.as_str())
    }

    /// Where names are.
    pub fn names(&self) -> PathBuf {
        self.root.join("names")
    }

    /// Where sandboxes are.
    pub fn sandboxes(&self) -> PathBuf {
        self.root.join("sandboxes")
    }

    /// Where locks of monitors are.
    pub fn live(&self) -> PathBuf {
        self.root.join("live")
    }

    /// Where things are put to be deleted.
    pub fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }
}

/// Writes a file so that it is there whole or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    fs::write(&new, bytes)?;
    fs::rename(&new, path)
}

/// An error of the machine on a path.
pub(crate) fn io_error(attempt: &str, path: &Path, error: io::Error) -> EngineError {
    EngineError::new(Fault::Environment, format!("failed to {attempt} `{}`", path.display())).because(error)
}
