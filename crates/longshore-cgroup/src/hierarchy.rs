//! What this machine offers, and the groups below the one parent that belongs to Longshore.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::absence::Absence;
use crate::cgroup::Cgroup;
use crate::controller::Controller;
use crate::error::CgroupError;
use crate::file;

/// Where control groups of containers are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hierarchy {
    /// Version 2: one tree with all controllers.
    V2(Unified),
    /// Version 1: a tree for each controller, perhaps with a tree of version 2 beside them.
    V1(Legacy),
    /// None that can be used, and why.
    None(Absence),
}

/// The place in a tree of version 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unified {
    /// The directory that belongs to this user: the whole tree for root, else what is delegated.
    pub(crate) top: PathBuf,
    /// The parent of all containers' groups, below `top`.
    pub(crate) parent: PathBuf,
}

/// The places in the trees of version 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legacy {
    /// The parent of all containers' groups for each controller. Controllers that are mounted together share it.
    pub(crate) parents: BTreeMap<Controller, PathBuf>,
    /// The place in a tree of version 2 that is mounted as well.
    pub(crate) unified: Option<Unified>,
}

impl Hierarchy {
    /// The controllers that containers can have here.
    pub fn controllers(&self) -> BTreeSet<Controller> {
        match self {
            Self::V1(legacy) => legacy.parents.keys().copied().collect(),
            Self::V2(unified) => {
                let text = fs::read_to_string(unified.top.join("cgroup.controllers")).unwrap_or_default();
                let names: Vec<&str> = text.split_whitespace().collect();
                let is_there = |controller: &Controller| match controller.unified_name() {
                    Some(name) => names.contains(&name),
                    // Parts of every group of version 2.
                    None => *controller != Controller::Devices,
                };
                Controller::ALL.into_iter().filter(is_there).collect()
            }
            Self::None(_) => BTreeSet::new(),
        }
    }

    /// Whether a tree of version 2 stops, counts and kills, be it alone or beside those of version 1.
    pub const fn has_unified(&self) -> bool {
        self.unified().is_some()
    }

    /// Why there are none, if so.
    pub const fn absence(&self) -> Option<&Absence> {
        match self {
            Self::None(absence) => Some(absence),
            Self::V1(_) | Self::V2(_) => None,
        }
    }

    /// The tree of version 2, if there is one to use.
    pub(crate) const fn unified(&self) -> Option<&Unified> {
        match self {
            Self::V2(unified) => Some(unified),
            Self::V1(legacy) => legacy.unified.as_ref(),
            Self::None(_) => None,
        }
    }

    /// The parents of version 1.
    pub(crate) fn legacy_parents(&self) -> impl Iterator<Item = (Controller, &Path)> {
        let parents = match self {
            Self::V1(legacy) => Some(&legacy.parents),
            Self::V2(_) | Self::None(_) => None,
        };
        parents.into_iter().flatten().map(|(controller, path)| (*controller, path.as_path()))
    }

    /// All parents, each once.
    fn parents(&self) -> BTreeSet<&Path> {
        let unified = self.unified().map(|unified| unified.parent.as_path());
        self.legacy_parents().map(|(_, path)| path).chain(unified).collect()
    }

    /// The group of a container that is there already; `None` if nothing of it is.
    ///
    /// # Errors
    ///
    /// When the name is no name of a directory.
    pub fn open(&self, name: &str) -> Result<Option<Cgroup>, CgroupError> {
        check_name(name)?;
        let legacy = self
            .legacy_parents()
            .map(|(controller, parent)| (controller, parent.join(name)))
            .filter(|(_, path)| path.is_dir())
            .collect::<BTreeMap<_, _>>();
        let unified = self.unified().map(|unified| unified.parent.join(name)).filter(|path| path.is_dir());
        if legacy.is_empty() && unified.is_none() {
            return Ok(None);
        }
        Ok(Some(Cgroup { name: name.to_owned(), hierarchy: self.clone(), unified, legacy }))
    }

    /// The names of all groups that are there, whoever made them and however much of each is left.
    ///
    /// # Errors
    ///
    /// When a parent cannot be read.
    pub fn leftovers(&self) -> Result<BTreeSet<String>, CgroupError> {
        let mut names = BTreeSet::new();
        for parent in self.parents() {
            let found = file::subdirectories(parent)?;
            let texts = found.iter().filter_map(|path| path.file_name()?.to_str());
            names.extend(texts.map(str::to_owned));
        }
        Ok(names)
    }

    /// Removes the parents, if no container has a group.
    ///
    /// # Errors
    ///
    /// When one still has children or cannot be removed.
    pub fn remove_parents(&self) -> Result<(), CgroupError> {
        for path in self.parents() {
            match fs::remove_dir(path) {
                Err(error) if !file::is_gone(&error) => {
                    return Err(CgroupError::Remove { path: path.to_owned(), source: error });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a name is one directory's, and none of the kernel's files can be meant.
pub(crate) fn check_name(name: &str) -> Result<(), CgroupError> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_name = !name.is_empty() && name.len() <= 128 && name.bytes().all(is_fine);
    if is_name { Ok(()) } else { Err(CgroupError::Name(name.to_owned())) }
}
