//! Making the group of a container, and writing its limits.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::absence::{Unsupported, Why};
use crate::cgroup::Cgroup;
use crate::controller::Controller;
use crate::delegation;
use crate::device_filter::device_filter;
use crate::error::CgroupError;
use crate::file;
use crate::hierarchy::{Hierarchy, check_name};
use crate::limits::{Limit, Limits};
use crate::setting::{self, Setting};

/// A group that was made, and what it cannot do.
#[must_use = "limits that are not kept must be told"]
#[derive(Debug)]
pub struct Created {
    /// The group.
    pub cgroup: Cgroup,
    /// The limits that were asked for and are not kept.
    pub unsupported: Vec<Unsupported>,
}

impl Hierarchy {
    /// Makes the group of a container. Without control groups, it has no directories and keeps no limits.
    ///
    /// # Errors
    ///
    /// When limits contradict themselves, when the kernel refuses a value, or when a directory cannot be made. Then
    /// nothing is left behind.
    pub fn create(&self, name: &str, limits: &Limits) -> Result<Created, CgroupError> {
        check_name(name)?;
        limits.validate().map_err(CgroupError::Limits)?;
        let mut cgroup =
            Cgroup { name: name.to_owned(), hierarchy: self.clone(), unified: None, legacy: BTreeMap::new() };
        let made = cgroup.make_directories(limits).and_then(|()| {
            let mut unsupported = cgroup.apply(limits)?;
            unsupported.extend(cgroup.filter_devices(limits)?);
            Ok(unsupported)
        });
        match made {
            Ok(unsupported) => Ok(Created { cgroup, unsupported }),
            Err(error) => {
                // Nobody is inside yet; what still resists is found as a leftover.
                cgroup.directories().into_iter().for_each(|path| drop(std::fs::remove_dir(path)));
                Err(error)
            }
        }
    }
}

impl Cgroup {
    /// Makes what limits need and is not there.
    pub(crate) fn make_directories(&mut self, limits: &Limits) -> Result<(), CgroupError> {
        let hierarchy = self.hierarchy.clone();
        if let Some(unified) = hierarchy.unified().filter(|_| self.unified.is_none()) {
            self.unified = Some(make(&unified.parent, &self.name, |_| Ok(()))?);
        }
        if let Hierarchy::V2(unified) = &hierarchy {
            delegation::enable(unified, limits)?;
        }
        let is_tracked = self.unified.is_some();
        for (controller, parent) in hierarchy.legacy_parents() {
            if self.legacy.contains_key(&controller) || !controller.is_needed(limits, is_tracked) {
                continue;
            }
            let path = parent.join(&self.name);
            if !self.legacy.values().any(|other| *other == path) {
                make(parent, &self.name, |made| inherit_set(controller, made))?;
            }
            self.legacy.insert(controller, path);
        }
        Ok(())
    }

    /// Writes limits, and lists those that cannot be kept.
    pub(crate) fn apply(&self, limits: &Limits) -> Result<Vec<Unsupported>, CgroupError> {
        let (settings, absent) = match self.hierarchy {
            Hierarchy::V2(_) => setting::unified(limits),
            Hierarchy::V1(_) | Hierarchy::None(_) => (setting::legacy(limits), Vec::new()),
        };
        let mut unsupported: Vec<Unsupported> =
            absent.into_iter().map(|limit| Unsupported { limit, why: Why::NotInVersion }).collect();
        let (mut writer, mut deferred) = (file::Writer::default(), Vec::new());
        for setting in &settings {
            match self.set(setting, &mut writer) {
                // Bounds of memory and of both may only be moved in an order that depends on where they were.
                Err(CgroupError::Set { source, .. }) if source.kind() == io::ErrorKind::InvalidInput => {
                    deferred.push(setting);
                }
                other => unsupported.extend(other?),
            }
        }
        for setting in deferred {
            unsupported.extend(self.set(setting, &mut writer)?);
        }
        // Rules for devices are many lines, and one thing that is missing.
        unsupported.dedup();
        Ok(unsupported)
    }

    fn set(&self, setting: &Setting, writer: &mut file::Writer) -> Result<Option<Unsupported>, CgroupError> {
        let unsupported = |why| Ok(setting.is_asked.then_some(Unsupported { limit: setting.limit, why }));
        if setting.limit == Limit::Devices && self.needs_device_filter() {
            return Ok(None);
        }
        let Some(directory) = self.controller(setting.controller) else {
            return unsupported(match self.hierarchy.absence() {
                Some(absence) => Why::NoHierarchy(absence.clone()),
                None => Why::NoController(setting.controller),
            });
        };
        let mut path = directory.join(setting.file);
        let mut value = &setting.value;
        let mut written = writer.write(&path, value);
        if let (Err(error), Some((other, other_value))) = (&written, &setting.alternative)
            && file::is_gone(error)
        {
            (path, value) = (directory.join(other), other_value);
            written = writer.write(&path, value);
        }
        let Err(source) = written else { return Ok(None) };
        match source.kind() {
            io::ErrorKind::NotFound if !has_controller(directory, setting.controller) => {
                unsupported(Why::NoController(setting.controller))
            }
            io::ErrorKind::NotFound => unsupported(Why::NoFile(path)),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                unsupported(Why::Refused(path))
            }
            _ => Err(CgroupError::Set { limit: setting.limit, value: value.clone(), path, source }),
        }
    }

    /// Whether rules for devices are kept by a program, because there is no controller for them.
    fn needs_device_filter(&self) -> bool {
        self.unified.is_some() && !self.legacy.contains_key(&Controller::Devices)
    }

    /// Attaches the program that keeps the rules for devices, where there must be one.
    fn filter_devices(&self, limits: &Limits) -> Result<Option<Unsupported>, CgroupError> {
        let Some(path) = self.unified.as_ref().filter(|_| self.needs_device_filter()) else {
            return Ok(None);
        };
        if limits.devices.is_empty() {
            return Ok(None);
        }
        let Some(directory) = self.directory()? else { return Ok(None) };
        match longshore_sys::attach_device_filter(&device_filter(&limits.devices), &directory) {
            Ok(()) => Ok(None),
            Err(source) => match source.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
                // Without privilege, or in a kernel without these programs.
                Some(rustix::io::Errno::PERM | rustix::io::Errno::NOSYS | rustix::io::Errno::INVAL) => {
                    Ok(Some(Unsupported { limit: Limit::Devices, why: Why::Refused(path.clone()) }))
                }
                _ => Err(CgroupError::DeviceFilter { path: path.clone(), source }),
            },
        }
    }
}

/// Whether a group of version 2 has a controller; of version 1 it has, as it stands in its tree.
fn has_controller(directory: &Path, controller: Controller) -> bool {
    let Ok(text) = std::fs::read_to_string(directory.join("cgroup.controllers")) else { return true };
    controller.unified_name().is_none_or(|name| text.split_whitespace().any(|word| word == name))
}

/// Makes a group, and its parent if that is not there. `prepare` is called with each directory that is made.
fn make(
    parent: &Path,
    name: &str,
    prepare: impl Fn(&Path) -> Result<(), CgroupError>,
) -> Result<PathBuf, CgroupError> {
    let path = parent.join(name);
    let failed = |path: &Path, source| CgroupError::Create { path: path.to_owned(), source };
    match std::fs::create_dir(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match std::fs::create_dir(parent) {
                Ok(()) => {}
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(failed(parent, source)),
            }
            prepare(parent)?;
            std::fs::create_dir(&path).map_err(|source| failed(&path, source))?;
        }
        other => other.map_err(|source| failed(&path, source))?,
    }
    prepare(&path)?;
    Ok(path)
}

/// A new group of version 1 has no processors and no memory nodes and takes no process; it gets its parent's. A parent
/// whose maker was interrupted has none either, and gets them first; the top of the tree always has.
fn inherit_set(controller: Controller, made: &Path) -> Result<(), CgroupError> {
    let Some(parent) = made.parent().filter(|_| controller == Controller::Cpuset) else { return Ok(()) };
    for name in ["cpuset.cpus", "cpuset.mems"] {
        if file::read(&made.join(name))?.trim().is_empty() {
            if file::read(&parent.join(name))?.trim().is_empty() {
                inherit_set(controller, parent)?;
            }
            file::put(&made.join(name), file::read(&parent.join(name))?.trim())?;
        }
    }
    Ok(())
}
