//! The process in a job's container that hands ports on, see [`forward_main`](crate::forward_main).

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_engine::{ExecSpec, Output, ProcessIo, RunningExec, Stream};

use super::{Place, chain};

/// Where the program lies inside.
pub(crate) const FORWARDER: &str = "/run/longshore/longshore";

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process that hands ports on. It ends when it is dropped.
pub(super) struct Forwarder(Box<dyn RunningExec>);

impl Forwarder {
    /// Starts it with rules as it reads them, and waits until it listens.
    pub(super) fn start(place: &Place, rules: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let command = [FORWARDER.to_owned(), "__forward".to_owned()].into_iter().chain(rules).collect();
        let spec = ExecSpec { command, user: Some("0".to_owned()), ..ExecSpec::default() };
        let said = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let hearing = Arc::clone(&said);
        let sink = move |_: Stream, bytes: &[u8]| {
            let (text, heard) = &*hearing;
            let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&String::from_utf8_lossy(bytes));
            drop(text);
            heard.notify_all();
        };
        let io = ProcessIo { output: Output::Sink(Arc::new(sink)), ..ProcessIo::default() };
        let failed = |why: &str| format!("failed to forward ports to the job: {why}");
        let exec = place.exec(&spec, io).map(Self).map_err(|error| failed(&chain(&error)))?;
        let (text, heard) = &*said;
        let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + PATIENCE;
        while !text.contains('\n') && Instant::now() < until {
            text = heard
                .wait_timeout(text, Duration::from_millis(100))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        if text.starts_with("ready") { Ok(exec) } else { Err(failed(text.trim())) }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        let _ = self.0.signal(9);
        // A process that nobody reaps keeps its container from ending.
        let _ = self.0.wait_process();
    }
}
