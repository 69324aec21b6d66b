//! Knowing when processes are killed for want of memory.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify;

use crate::cgroup::Cgroup;
use crate::controller::Controller;
use crate::error::CgroupError;
use crate::file;
use crate::hierarchy::Hierarchy;
use crate::stats::legacy_oom_kills;

/// A descriptor that becomes readable when memory ran out, and perhaps for other reasons such as the end of the group.
/// Whoever wakes asks [`Cgroup::oom_kills`].
#[derive(Debug)]
pub struct OomWatch {
    events: OwnedFd,
    /// Version 1 ends the watch when this is closed.
    _control: Option<File>,
}

impl OomWatch {
    /// Takes what is readable, so that the descriptor becomes readable only at the next event. It does not wait.
    ///
    /// # Errors
    ///
    /// What the kernel answers to reading.
    pub fn drain(&self) -> std::io::Result<()> {
        let mut buffer = [0_u8; 4096];
        loop {
            match rustix::io::read(&self.events, &mut buffer) {
                // A counter of events has all in one number.
                Ok(0 | 8) | Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for OomWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl Cgroup {
    /// How many processes of the group were killed for want of memory; `None` if this machine does not count it.
    ///
    /// # Errors
    ///
    /// When the kernel's file is there and cannot be read.
    pub fn oom_kills(&self) -> Result<Option<u64>, CgroupError> {
        let Some(path) = self.controller(Controller::Memory) else { return Ok(None) };
        if matches!(self.hierarchy, Hierarchy::V2(_)) {
            let text = file::read_if_there(&path.join("memory.events"))?;
            return Ok(text.and_then(|text| file::keyed(&text, "oom_kill")));
        }
        if path.join("memory.oom_control").exists() { legacy_oom_kills(path).map(Some) } else { Ok(None) }
    }

    /// A descriptor to wait on for such kills; `None` if this machine has no control of memory.
    ///
    /// # Errors
    ///
    /// When the watch cannot be set up.
    pub fn watch_oom(&self) -> Result<Option<OomWatch>, CgroupError> {
        let Some(path) = self.controller(Controller::Memory) else { return Ok(None) };
        let watch = if matches!(self.hierarchy, Hierarchy::V2(_)) { watch_unified } else { watch_legacy };
        watch(path)
    }
}

fn watch_unified(path: &Path) -> Result<Option<OomWatch>, CgroupError> {
    let path = path.join("memory.events");
    let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
    let added = inotify::init(flags).and_then(|events| {
        inotify::add_watch(&events, &path, inotify::WatchFlags::MODIFY)?;
        Ok(events)
    });
    match added {
        Ok(events) => Ok(Some(OomWatch { events, _control: None })),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(CgroupError::Wait { path, source: error.into() }),
    }
}

fn watch_legacy(path: &Path) -> Result<Option<OomWatch>, CgroupError> {
    let (control_path, event_path) = (path.join("memory.oom_control"), path.join("cgroup.event_control"));
    let Some(control) = file::open_if_there(&control_path)? else { return Ok(None) };
    let events = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
        .map_err(|error| CgroupError::Wait { path: control_path, source: error.into() })?;
    let value = format!("{} {}", events.as_raw_fd(), control.as_raw_fd());
    file::put(&event_path, &value)?;
    Ok(Some(OomWatch { events, _control: Some(control) }))
}
