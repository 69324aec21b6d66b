//! Why something is not there: no control groups at all, or one limit that cannot be kept.

use std::fmt;
use std::path::PathBuf;

use crate::controller::Controller;
use crate::limits::Limit;

/// Why there are no control groups to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// No hierarchy is mounted.
    NotMounted,
    /// They are mounted, and for reading only, as in many containers.
    ReadOnly(PathBuf),
    /// They belong to someone else, and nothing is delegated to this user.
    NotDelegated(PathBuf),
    /// The kernel's description of the mounts could not be read.
    Unreadable(PathBuf),
}

impl fmt::Display for Absence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMounted => formatter.write_str("no control groups are mounted"),
            Self::ReadOnly(path) => write!(formatter, "`{}` is mounted for reading only", path.display()),
            Self::NotDelegated(path) => {
                write!(formatter, "`{}` is not delegated to this user", path.display())
            }
            Self::Unreadable(path) => write!(formatter, "`{}` could not be read", path.display()),
        }
    }
}

/// A limit that was asked for and is not kept on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Which limit.
    pub limit: Limit,
    /// Why it is not kept.
    pub why: Why,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} cannot be kept here: {}", self.limit, self.why)
    }
}

/// Why a limit is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// There are no control groups to use.
    NoHierarchy(Absence),
    /// The controller is not mounted, not enabled, or not delegated.
    NoController(Controller),
    /// This version of control groups has no such limit.
    NotInVersion,
    /// The kernel was built or started without what the file stands for.
    NoFile(PathBuf),
    /// The kernel refuses the file to this user.
    Refused(PathBuf),
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHierarchy(absence) => absence.fmt(formatter),
            Self::NoController(controller) => {
                write!(formatter, "the controller `{controller}` is not available")
            }
            Self::NotInVersion => formatter.write_str("version 2 of control groups has no such limit"),
            Self::NoFile(path) => write!(formatter, "the kernel has no `{}`", path.display()),
            Self::Refused(path) => write!(formatter, "the kernel refuses `{}` to this user", path.display()),
        }
    }
}
