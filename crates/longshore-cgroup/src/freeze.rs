//! Stopping all processes of a group and letting them continue.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::cgroup::{Cgroup, Tracker};
use crate::controller::Controller;
use crate::error::CgroupError;
use crate::file;

/// The first and the longest pause between two looks at what has no event, on version 1.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(5));

impl Cgroup {
    /// Stops all processes and waits until they stand still.
    ///
    /// # Errors
    ///
    /// When there is nothing that stops processes, or some do not stop in time. These stay asked to stop: thaw the group.
    pub fn freeze(&self, limit: Duration) -> Result<(), CgroupError> {
        match self.freezer("freeze")? {
            Tracker::Unified(path) => {
                file::put(&path.join("cgroup.freeze"), "1")?;
                self.wait_for_event(path, "frozen", 1, "freeze", limit)
            }
            Tracker::Freezer(path) | Tracker::Plain(path) => {
                let state = path.join("freezer.state");
                file::put(&state, "FROZEN")?;
                self.poll_until("freeze", limit, || {
                    // Written again for processes that came in meanwhile.
                    let is_frozen = file::read(&state)?.trim_end() == "FROZEN";
                    if !is_frozen {
                        file::put(&state, "FROZEN")?;
                    }
                    Ok(is_frozen)
                })
            }
        }
    }

    /// Lets all processes continue. It does not wait, because they are free at once.
    ///
    /// # Errors
    ///
    /// When there is nothing that stops processes.
    pub fn thaw(&self) -> Result<(), CgroupError> {
        match self.freezer("thaw")? {
            Tracker::Unified(path) => file::put(&path.join("cgroup.freeze"), "0"),
            Tracker::Freezer(path) | Tracker::Plain(path) => file::put(&path.join("freezer.state"), "THAWED"),
        }
    }

    /// Whether the group is stopped, or about to be.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    pub fn is_frozen(&self) -> Result<bool, CgroupError> {
        match self.tracker() {
            Some(Tracker::Unified(path)) => Ok(file::read(&path.join("cgroup.freeze"))?.trim_end() == "1"),
            Some(Tracker::Freezer(path)) => {
                Ok(file::read(&path.join("freezer.state"))?.trim_end() != "THAWED")
            }
            Some(Tracker::Plain(_)) | None => Ok(false),
        }
    }

    /// The tracker, if it can stop processes.
    fn freezer(&self, operation: &'static str) -> Result<Tracker<'_>, CgroupError> {
        match self.require_tracker(operation)? {
            Tracker::Plain(_) => Err(CgroupError::NoController {
                operation,
                name: self.name.clone(),
                controller: Controller::Freezer,
            }),
            tracker => Ok(tracker),
        }
    }

    /// Waits until a line of `cgroup.events` has a value; the kernel wakes who polls that file. A group that is gone has
    /// every value.
    pub(crate) fn wait_for_event(
        &self,
        directory: &Path,
        key: &str,
        value: u64,
        operation: &'static str,
        limit: Duration,
    ) -> Result<(), CgroupError> {
        let path = directory.join("cgroup.events");
        let Some(events) = file::open_if_there(&path)? else { return Ok(()) };
        let start = Instant::now();
        loop {
            let Some(text) = file::reread(&events, &path)? else { return Ok(()) };
            if file::keyed(&text, key) == Some(value) {
                return Ok(());
            }
            let rest = limit.saturating_sub(start.elapsed());
            if rest.is_zero() {
                return Err(self.timed_out(operation, limit));
            }
            let timeout = Timespec::try_from(rest).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
            match poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(CgroupError::Wait { path, source: error.into() }),
            }
        }
    }

    /// Looks until something has come true, at growing distances: for what has no event.
    pub(crate) fn poll_until(
        &self,
        operation: &'static str,
        limit: Duration,
        mut is_done: impl FnMut() -> Result<bool, CgroupError>,
    ) -> Result<(), CgroupError> {
        let (mut pause, longest) = PAUSES;
        let start = Instant::now();
        while !is_done()? {
            if start.elapsed() >= limit {
                return Err(self.timed_out(operation, limit));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(longest);
        }
        Ok(())
    }

    pub(crate) fn timed_out(&self, operation: &'static str, limit: Duration) -> CgroupError {
        CgroupError::TimedOut { name: self.name.clone(), operation, limit }
    }
}
