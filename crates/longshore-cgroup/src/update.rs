//! Other limits for a group that is in use.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;

use crate::absence::Unsupported;
use crate::cgroup::{Cgroup, processes_below, processes_of};
use crate::error::CgroupError;
use crate::file;
use crate::limits::Limits;

/// How long processes may take to move.
const MOVING: Duration = Duration::from_secs(5);

impl Cgroup {
    /// Changes the limits. Those that are `None` stay as they are; rules for devices stay whatever is given.
    ///
    /// On version 1, a limit whose controller the container had no need of so far gets its directory now, and all
    /// processes move in. Moving is repeated until no process is left outside: each that is born is born where its parent
    /// is.
    ///
    /// # Errors
    ///
    /// As for [`Hierarchy::create`](crate::Hierarchy::create); then some of the limits may have changed.
    pub fn update(&mut self, limits: &Limits) -> Result<Vec<Unsupported>, CgroupError> {
        limits.validate().map_err(CgroupError::Limits)?;
        let limits = Limits { devices: Vec::new(), ..limits.clone() };
        let before = self.legacy.clone();
        self.make_directories(&limits)?;
        let unsupported = self.apply(&limits)?;
        let is_new = |controller| !before.contains_key(controller);
        let new: BTreeSet<&Path> = self
            .legacy
            .iter()
            .filter(|(controller, _)| is_new(controller))
            .map(|(_, path)| path.as_path())
            .collect();
        for directory in new {
            self.poll_until("move its processes", MOVING, || self.move_into(directory))?;
        }
        Ok(unsupported)
    }

    /// Moves who is outside of a new directory; `true` if nobody was.
    fn move_into(&self, directory: &Path) -> Result<bool, CgroupError> {
        let Some(tracker) = self.tracker() else { return Ok(true) };
        let (all, inside) = (processes_below(tracker.path())?, processes_of(directory)?);
        let outside = all.difference(&inside.into_iter().collect()).copied().collect::<Vec<_>>();
        let path = directory.join("cgroup.procs");
        for pid in &outside {
            match file::write(&path, &pid.to_string()) {
                Ok(()) => {}
                // Gone meanwhile.
                Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => {}
                Err(source) => return Err(CgroupError::Write { path, value: pid.to_string(), source }),
            }
        }
        Ok(outside.is_empty())
    }
}
