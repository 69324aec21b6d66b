//! Ending all processes of a group, however fast they multiply.

use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::cgroup::{Cgroup, Tracker, processes_below};
use crate::error::CgroupError;
use crate::file;

/// How long one round of the loop on version 1 waits for what it has stopped or killed.
const ROUND: Duration = Duration::from_millis(200);

impl Cgroup {
    /// Kills all processes, with what the container made below, and waits until none is left. A stopped group is killed
    /// as well.
    ///
    /// With `cgroup.kill` (Linux 5.14, version 2) the kernel does it in one step. Without, the group is stopped so that it
    /// cannot grow, everybody gets the signal, and the group continues into it, until it is empty.
    ///
    /// # Errors
    ///
    /// When processes cannot be killed, or are not gone in time: one that waits for a broken disk dies only after that.
    pub fn kill(&self, limit: Duration) -> Result<(), CgroupError> {
        let Some(tracker) = self.tracker() else { return Ok(()) };
        if let Tracker::Unified(path) = tracker {
            match file::write(&path.join("cgroup.kill"), "1") {
                Ok(()) => return self.wait_until_empty(limit),
                // A group that is gone already, or an older kernel.
                Err(error) if file::is_gone(&error) && !path.exists() => return Ok(()),
                Err(error) if file::is_gone(&error) => {}
                Err(source) => {
                    let path = path.join("cgroup.kill");
                    return Err(CgroupError::Write { path, value: "1".to_owned(), source });
                }
            }
        }
        self.kill_each(tracker, limit)
    }

    /// Waits until the last process is gone.
    ///
    /// # Errors
    ///
    /// When it is not gone in time.
    pub fn wait_until_empty(&self, limit: Duration) -> Result<(), CgroupError> {
        match self.tracker() {
            None => Ok(()),
            Some(Tracker::Unified(path)) => self.wait_for_event(path, "populated", 0, "run empty", limit),
            Some(tracker) => {
                self.poll_until("run empty", limit, || Ok(processes_below(tracker.path())?.is_empty()))
            }
        }
    }

    /// Signals each process until none is left.
    fn kill_each(&self, tracker: Tracker<'_>, limit: Duration) -> Result<(), CgroupError> {
        let start = Instant::now();
        let can_freeze = !matches!(tracker, Tracker::Plain(_));
        while tracker.path().exists() {
            let rest = limit.saturating_sub(start.elapsed());
            if can_freeze {
                // A group that does not stop in time is killed on the run; the next round catches who escaped.
                match self.freeze(rest.min(ROUND)) {
                    Ok(()) | Err(CgroupError::TimedOut { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            let signalled = self.signal_all(tracker);
            if can_freeze {
                self.thaw()?;
            }
            if signalled? == 0 {
                return Ok(());
            }
            match self.wait_until_empty(rest.min(ROUND)) {
                Err(CgroupError::TimedOut { .. }) if !rest.is_zero() => {}
                Err(CgroupError::TimedOut { .. }) => return Err(self.timed_out("run empty", limit)),
                other => return other,
            }
        }
        Ok(())
    }

    fn signal_all(&self, tracker: Tracker<'_>) -> Result<usize, CgroupError> {
        let processes = processes_below(tracker.path())?;
        for pid in &processes {
            let Some(process) = Pid::from_raw(*pid) else { continue };
            match kill_process(process, Signal::KILL) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => {
                    return Err(CgroupError::Kill {
                        pid: *pid,
                        name: self.name.clone(),
                        source: error.into(),
                    });
                }
            }
        }
        Ok(processes.len())
    }
}
