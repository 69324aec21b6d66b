//! What is on disk of a container.
//!
//! ```text
//! containers/ID/
//!   record.json      what it is; its networks may change: written by its monitor, or by who holds its lock
//!   name             its name
//!   state.json       what it is doing; written by its monitor, or by who starts and removes it while there is none
//!   control          the monitor's socket
//!   log, log.1, …    what it wrote, in the format of Kubernetes' container logs
//!   hosts, hostname, resolv.conf
//!   upper, work      what it changed in its root file system
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use longshore_engine::{
    ContainerId, ContainerSpec, ContainerState, EngineError, ExitStatus, Fault, HealthStatus, ImageId,
    NetworkStatus, PortBinding, SandboxId,
};
use serde::{Deserialize, Serialize};

use crate::home::{Home, io_error, replace};
use crate::process::ProcessDto;

/// What a container is. Only its networks, and with them its name, are ever written anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordDto {
    /// The version of this format: 1.
    pub version: u32,
    /// Its id.
    pub id: ContainerId,
    /// When it was made: nanoseconds since 1970.
    pub created: i64,
    /// The sandbox it is in.
    pub sandbox: Option<SandboxId>,
    /// What the user asked for, with what the image says filled in.
    pub spec: ContainerSpec,
    /// What it was made of.
    pub image: ImageId,
    /// The digest of the image's manifest, which keeps the image from being collected.
    pub manifest: Option<String>,
    /// Directories of its image's layers, top first.
    pub layers: Vec<PathBuf>,
    /// Ports that the image names, such as `80/tcp`.
    pub exposed: Vec<String>,
    /// The shell of health checks, if the image has one.
    pub shell: Vec<String>,
    /// Volumes without a name, made for it.
    pub anonymous_volumes: Vec<String>,
}

/// What a container is doing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StateDto {
    /// Where it is in its life.
    pub state: ContainerState,
    /// Its process on the machine.
    pub process: Option<ProcessDto>,
    /// Its monitor.
    pub monitor: Option<ProcessDto>,
    /// How it ended.
    pub exit: Option<ExitStatus>,
    /// Why it could not be started.
    pub error: Option<String>,
    /// When it was last started: nanoseconds since 1970.
    pub started: Option<i64>,
    /// When it last ended: nanoseconds since 1970.
    pub finished: Option<i64>,
    /// How often its restart policy started it again.
    pub restarts: u32,
    /// Someone asked for its end, so it is not started again.
    pub stopped_by_hand: bool,
    /// Its health.
    pub health: Option<HealthStatus>,
    /// Its networks by name.
    pub networks: BTreeMap<String, NetworkStatus>,
    /// Its published ports.
    pub ports: Vec<PortBinding>,
    /// Whether it has user ids of its own.
    pub own_users: bool,
    /// What could not be done as asked, and does not keep it from running.
    pub warnings: Vec<String>,
}

impl Default for StateDto {
    fn default() -> Self {
        Self {
            state: ContainerState::Created,
            process: None,
            monitor: None,
            exit: None,
            error: None,
            started: None,
            finished: None,
            restarts: 0,
            stopped_by_hand: false,
            health: None,
            networks: BTreeMap::new(),
            ports: Vec::new(),
            own_users: false,
            warnings: Vec::new(),
        }
    }
}

/// The directory of one container.
#[derive(Debug, Clone)]
pub(crate) struct ContainerDirectory {
    path: PathBuf,
}

impl ContainerDirectory {
    /// The directory of a container; it need not exist.
    pub(crate) fn new(home: &Home, id: &ContainerId) -> Self {
        Self { path: home.container(id) }
    }

    /// The directory at a path.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What the container is.
    pub(crate) fn record(&self) -> Result<RecordDto, EngineError> {
        let path = self.file("record.json");
        let bytes =
            fs::read(&path).map_err(|error| self.missing_or("read the container's record", &path, error))?;
        read_json(&path, &bytes)
    }

    /// What every container has is missing only if the container is, and it may go at any time.
    fn missing_or(&self, attempt: &str, path: &Path, error: io::Error) -> EngineError {
        if error.kind() != io::ErrorKind::NotFound {
            return io_error(attempt, path, error);
        }
        let id = self.path.file_name().unwrap_or_default();
        EngineError::new(Fault::NotFound, format!("there is no container `{}`", id.display()))
    }

    /// Writes what the container is.
    pub(crate) fn write_record(&self, record: &RecordDto) -> Result<(), EngineError> {
        write_json(&self.file("record.json"), record)
    }

    /// What the container is doing, as it was last written down.
    pub(crate) fn state(&self) -> Result<StateDto, EngineError> {
        let path = self.file("state.json");
        match fs::read(&path) {
            Ok(bytes) => read_json(&path, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(StateDto::default()),
            Err(error) => Err(io_error("read the container's state", &path, error)),
        }
    }

    /// Writes what the container is doing.
    pub(crate) fn write_state(&self, state: &StateDto) -> Result<(), EngineError> {
        write_json(&self.file("state.json"), state)
    }

    /// Its name.
    pub(crate) fn name(&self) -> Result<String, EngineError> {
        let path = self.file("name");
        fs::read_to_string(&path).map_err(|error| self.missing_or("read the container's name", &path, error))
    }

    /// Writes its name.
    pub(crate) fn write_name(&self, name: &str) -> Result<(), EngineError> {
        let path = self.file("name");
        replace(&path, name.as_bytes()).map_err(|error| io_error("write the container's name", &path, error))
    }
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path, bytes: &[u8]) -> Result<T, EngineError> {
    serde_json::from_slice(bytes).map_err(|error| {
        EngineError::new(Fault::Environment, format!("failed to understand `{}`", path.display()))
            .because(error)
            .help("another version of Longshore, or a damaged disk, wrote it; `longshore container rm -f` removes it")
    })
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), EngineError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| EngineError::new(Fault::Bug, "failed to write down a container").because(error))?;
    replace(path, &bytes).map_err(|error| io_error("write", path, error))
}

/// The lock that the monitor of a container holds as long as it lives, and others while they change what stands still.
#[derive(Debug)]
pub(crate) struct LiveLock {
    file: File,
    path: PathBuf,
}

impl LiveLock {
    /// Takes the lock; `None` if a monitor, or somebody who is about to become one, has it.
    pub(crate) fn take(home: &Home, id: &ContainerId) -> Result<Option<Self>, EngineError> {
        let path = home.live().join(id.as_str());
        loop {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(|error| io_error("open the lock", &path, error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(io_error("lock", &path, error)),
            }
            // Who had it before us may have removed the file; then the lock is on nothing.
            if same_file(&file, &path) {
                return Ok(Some(Self { file, path }));
            }
        }
    }

    /// Gives the lock back and removes its file: nothing of the container is alive, nothing is to be cleaned up.
    pub(crate) fn end(self) {
        let _ = fs::remove_file(&self.path);
    }

    /// The open file, to hand on to another process.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => open.ino() == there.ino() && open.dev() == there.dev(),
        _ => false,
    }
}
