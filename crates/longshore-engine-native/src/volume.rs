//! Volumes: directories of the engine that outlive containers.
//!
//! ```text
//! volumes/NAME/volume.json   what it is
//! volumes/NAME/_data/        what is in it
//! ```

mod fill;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use longshore_engine::{EngineError, Fault, Mount, MountKind};
use serde::{Deserialize, Serialize};

use crate::home::{Home, io_error};
use crate::launch::Privilege;
use crate::rootfs::copy::Keeping;

/// What a volume is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeDto {
    /// The version of this format: 1.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// When it was made: nanoseconds since 1970.
    pub created: i64,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Options, as the user gave them.
    pub options: BTreeMap<String, String>,
    /// Nobody named it: it was made for one container.
    pub anonymous: bool,
}

/// All volumes.
#[derive(Debug, Clone)]
pub struct Volumes {
    root: PathBuf,
}

impl Volumes {
    /// The volumes of an engine.
    pub fn open(home: &Home) -> Self {
        Self { root: home.volumes() }
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Where what is in a volume lies.
    pub fn data(&self, name: &str) -> PathBuf {
        self.directory(name).join("_data")
    }

    /// Makes a volume; one that exists stays as it is.
    ///
    /// # Errors
    ///
    /// If the name is none for a volume, the options are none, or the directory cannot be made.
    pub fn create(&self, volume: &VolumeDto) -> Result<VolumeDto, EngineError> {
        if !is_name(&volume.name) {
            let message = format!(
                "volume name `{}` is invalid: only letters, digits, `_`, `.` and `-` are allowed, and two at least",
                volume.name
            );
            return Err(EngineError::new(Fault::Invalid, message)
                .help("if you meant a directory of the machine, write its absolute path"));
        }
        let _ = volume.bound()?;
        let directory = self.directory(&volume.name);
        match self.inspect(&volume.name) {
            Err(error) if error.is_not_found() => {}
            result => return result,
        }
        let new = self.root.join(format!(".{}.{}.new", volume.name, std::process::id()));
        let make = || -> io::Result<()> {
            fs::create_dir_all(new.join("_data"))?;
            fs::write(new.join("volume.json"), serde_json::to_vec(volume)?)?;
            fs::rename(&new, &directory)
        };
        match make() {
            Ok(()) => Ok(volume.clone()),
            Err(error) => {
                let _ = fs::remove_dir_all(&new);
                // Somebody else may have been quicker, which is as good.
                self.inspect(&volume.name).map_err(|_| io_error("make the volume", &directory, error))
            }
        }
    }

    /// What a volume is.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn inspect(&self, name: &str) -> Result<VolumeDto, EngineError> {
        let path = self.directory(name).join("volume.json");
        let missing = || EngineError::new(Fault::NotFound, format!("no such volume: {name}"));
        if !is_name(name) {
            return Err(missing());
        }
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| io_error("understand the volume", &path, error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
            Err(error) => Err(io_error("read the volume", &path, error)),
        }
    }

    /// All volumes, by name.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn list(&self) -> Result<Vec<VolumeDto>, EngineError> {
        let entries = fs::read_dir(&self.root).map_err(|error| io_error("list", &self.root, error))?;
        let mut volumes: Vec<VolumeDto> =
            entries.flatten().filter_map(|entry| self.inspect(entry.file_name().to_str()?).ok()).collect();
        volumes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(volumes)
    }

    /// Removes a volume and what is in it. Whether it is used is the caller's to know.
    ///
    /// # Errors
    ///
    /// If there is none of that name, or it cannot be removed.
    pub fn remove(&self, home: &Home, name: &str) -> Result<(), EngineError> {
        self.inspect(name)?;
        let directory = self.directory(name);
        crate::directory::throw_away(home, &directory)
            .map_err(|error| io_error("remove the volume", &directory, error))
    }

    /// Puts into empty volumes what the image has at the place where they are mounted, as Docker does when a container is
    /// made. `lower` are the image's layers, top first.
    pub(crate) fn fill(
        &self,
        mounts: &[Mount],
        lower: &dyn Fn() -> Vec<PathBuf>,
        (privilege, keeping): (Privilege, Keeping),
    ) -> Result<(), EngineError> {
        let mut root = None;
        for mount in mounts {
            let MountKind::Volume { name: Some(name), no_copy: false, subpath: None } = &mount.kind else {
                continue;
            };
            let bound = self.create(&VolumeDto::named(name))?.bound()?;
            let data = bound.unwrap_or_else(|| self.data(name));
            if is_empty(&data) {
                let root = match &root {
                    Some(root) => root,
                    None => root.insert(crate::rootfs::read_only(&lower(), privilege)?),
                };
                fill::copy_directory(root.as_fd(), &mount.target, &data, keeping)?;
            }
        }
        Ok(())
    }

    /// The directory of a mounted volume; one that does not exist is made.
    pub(crate) fn source(&self, mount: &Mount) -> Result<PathBuf, EngineError> {
        let MountKind::Volume { name: Some(name), subpath, .. } = &mount.kind else {
            return Err(EngineError::new(Fault::Bug, "a volume without a name was not given one"));
        };
        let data = match self.create(&VolumeDto::named(name))?.bound()? {
            None => self.data(name),
            Some(path) if path.is_dir() => path,
            Some(path) => {
                let message = format!("the volume {name} is at {}, which is no directory", path.display());
                return Err(EngineError::new(Fault::Environment, message).help("make it first"));
            }
        };
        match subpath {
            None => Ok(data),
            Some(subpath) => below(&data, subpath),
        }
    }
}

impl VolumeDto {
    /// A volume that somebody named.
    pub fn named(name: &str) -> Self {
        Self {
            version: 1,
            name: name.to_owned(),
            created: i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            anonymous: false,
        }
    }

    /// The directory of the machine that its options name, if they do: `type=none`, `o=bind`, `device=PATH`.
    ///
    /// # Errors
    ///
    /// If they say something else.
    pub fn bound(&self) -> Result<Option<PathBuf>, EngineError> {
        let wrong = |option: &str| {
            let message = format!("option `{option}` of a volume is not possible");
            Err(EngineError::new(Fault::Invalid, message)
                .help("a volume is a directory of its own, or one of the machine: `-o type=none -o o=bind -o device=PATH`"))
        };
        for (name, value) in &self.options {
            let known = match name.as_str() {
                "type" => matches!(value.as_str(), "none" | "bind"),
                "o" => value.split(',').all(|word| matches!(word, "bind" | "rbind" | "rw")),
                "device" => value.starts_with('/'),
                _ => false,
            };
            if !known {
                return wrong(&format!("{name}={value}"));
            }
        }
        match (self.options.get("o"), self.options.get("device")) {
            (Some(_), Some(path)) => Ok(Some(PathBuf::from(path))),
            (None, None) if self.options.is_empty() => Ok(None),
            _ => wrong("device"),
        }
    }
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// A directory below another, without a way out of it.
fn below(data: &Path, subpath: &str) -> Result<PathBuf, EngineError> {
    let failed = |error: io::Error| io_error("find in the volume", &data.join(subpath), error);
    let whole = data.join(subpath.trim_start_matches('/')).canonicalize().map_err(failed)?;
    let root = data.canonicalize().map_err(failed)?;
    if whole.starts_with(&root) {
        return Ok(whole);
    }
    Err(EngineError::new(Fault::Invalid, format!("`{subpath}` leads out of the volume")))
}

/// Docker's rule for names of volumes and containers: two at least, the first a letter or digit.
pub(crate) fn is_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    name.len() >= 2
        && name.len() <= 200
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && name.bytes().all(rest)
}
