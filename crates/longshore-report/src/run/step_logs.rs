//! Where reports of runs that have ended get the logs from.

use std::io;

use longshore_event::{JobKey, RunId, StepNumber};

/// Reads the logs of steps, which no display keeps.
pub trait StepLogs {
    /// Gives every line of the log of a step, in order.
    fn read(
        &mut self,
        run: RunId,
        job: &JobKey,
        step: StepNumber,
        line: &mut dyn FnMut(&str),
    ) -> io::Result<()>;
}

impl<F> StepLogs for F
where
    F: FnMut(RunId, &JobKey, StepNumber, &mut dyn FnMut(&str)) -> io::Result<()>,
{
    fn read(
        &mut self,
        run: RunId,
        job: &JobKey,
        step: StepNumber,
        line: &mut dyn FnMut(&str),
    ) -> io::Result<()> {
        self(run, job, step, line)
    }
}
