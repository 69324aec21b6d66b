//! What is mounted into a container.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// What is mounted.
    pub kind: MountKind,
    /// Where, inside of the container; absolute.
    pub target: String,
    /// Nothing can be changed through it.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountKind {
    /// A file or directory of the machine.
    Bind(Bind),
    /// A named volume, or an anonymous one without a name; made if it does not exist.
    Volume {
        /// The volume's name.
        name: Option<String>,
        /// Do not copy what the image has at the target into a new volume.
        no_copy: bool,
        /// A directory inside of the volume that is mounted in place of the whole.
        subpath: Option<String>,
    },
    /// Memory.
    Tmpfs(Tmpfs),
}

/// A file or directory of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Where it is; absolute.
    pub source: PathBuf,
    /// Make a directory if there is nothing (`-v` does, `--mount` does not).
    pub create: bool,
    /// Which mounts below it are seen, and when.
    pub propagation: Propagation,
    /// Only this mount, none below it.
    pub non_recursive: bool,
}

/// How mounts on one side appear on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Propagation {
    /// Neither way; what is mounted now is seen.
    #[default]
    Rprivate,
    /// Neither way, this mount only.
    Private,
    /// From the machine into the container.
    Rslave,
    /// From the machine into the container, this mount only.
    Slave,
    /// Both ways.
    Rshared,
    /// Both ways, this mount only.
    Shared,
}

/// Memory as a file system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tmpfs {
    /// How much it takes at most, in bytes; half of the memory, if absent.
    pub size: Option<u64>,
    /// The mode of its root directory; 1777, if absent.
    pub mode: Option<u32>,
    /// Further options, as `mount` takes them: `exec`, `noexec`, `uid=…`.
    pub options: Vec<String>,
}
