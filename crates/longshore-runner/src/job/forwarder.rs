//! The process that hands ports on to a job, see [`forward_main`](crate::forward_main).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_engine::{ExecSpec, Mount, Output, ProcessIo, RunningExec, Stream};

use super::place::bind;
use super::toolkit::SERVICES;
use super::{Place, chain};
use crate::forward::BESIDE;

/// The word that makes the program forward.
const FORWARD: &str = "__forward";

/// This program, as a process of this machine starts it.
const PROGRAM: &str = "/proc/self/exe";

/// The same inside, for engines that start no programs beside containers.
const PROGRAM_INSIDE: &str = "/run/longshore/longshore";

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A port of the job's loopback, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) listen: u16,
    pub(super) target: Target,
}

/// Where a port leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A port of a container in the job's network.
    Container(String, u16),
    /// A socket in the job's directory of services.
    Socket(&'static str),
}

/// The process that hands ports on. It ends when it is dropped.
pub(super) struct Forwarder(Box<dyn RunningExec>);

impl Forwarder {
    /// What a job's container must see so that one can be started.
    pub(super) fn mounts(place: &Place, program: &Path, with_sockets: bool) -> Vec<Mount> {
        if place.engine().capabilities().beside {
            return Vec::new();
        }
        let mut mounts = vec![bind(program, PROGRAM_INSIDE, true)];
        if with_sockets {
            mounts.push(bind(&place.paths.services(), SERVICES, true));
        }
        mounts
    }

    /// Starts it, and waits until it listens.
    pub(super) fn start(place: &Place, rules: &[Rule]) -> Result<Self, String> {
        let is_beside = place.engine().capabilities().beside;
        let program = if is_beside { PROGRAM } else { PROGRAM_INSIDE };
        let mut command = vec![program.to_owned(), FORWARD.to_owned()];
        command.extend(is_beside.then(|| BESIDE.to_owned()));
        // Beside the container it works in the directory of the sockets, to which the way may be closed to it.
        let sockets = if is_beside { Path::new(".") } else { Path::new(SERVICES) };
        command.extend(rules.iter().map(|rule| rule.argument(sockets)));
        let has_sockets = rules.iter().any(|rule| matches!(rule.target, Target::Socket(_)));
        let directory = if has_sockets { place.paths.services() } else { PathBuf::from("/") };
        let said = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let hearing = Arc::clone(&said);
        let sink = move |_: Stream, bytes: &[u8]| {
            let (text, heard) = &*hearing;
            let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&String::from_utf8_lossy(bytes));
            drop(text);
            heard.notify_all();
        };
        let output = Output::Sink(Arc::new(sink));
        let failed = |why: &str| format!("failed to forward ports to the job: {why}");
        let started = if let Some(container) = place.container().filter(|_| is_beside) {
            place.engine().start_beside(container, &directory, &command, output)
        } else {
            let spec = ExecSpec { command, user: Some("0".to_owned()), ..ExecSpec::default() };
            place.exec(&spec, ProcessIo { output, ..ProcessIo::default() })
        };
        let exec = started.map(Self).map_err(|error| failed(&chain(&error)))?;
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

impl Rule {
    /// As the process reads it.
    fn argument(&self, sockets: &Path) -> String {
        match &self.target {
            Target::Container(name, port) => format!("{}={name}:{port}", self.listen),
            Target::Socket(name) => format!("{}=unix:{}/{name}", self.listen, sockets.display()),
        }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        let _ = self.0.signal(9);
        // A process that nobody reaps keeps its container from ending.
        let _ = self.0.wait_process();
    }
}
