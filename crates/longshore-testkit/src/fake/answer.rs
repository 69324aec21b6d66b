//! What a command of a container does, as data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_engine::{ExitStatus, Stream};

use super::world::Core;

/// One thing that a command does.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Write(Stream, Vec<u8>),
    File { path: String, bytes: Vec<u8>, append: bool },
    CopyInput,
    AwaitFile(String),
    AwaitGate(Gate),
    Forever,
    Exit(ExitStatus),
}

/// Why a command cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    NotFound,
    NotRunnable,
}

/// What a signal does to a command.
#[derive(Debug, Clone)]
pub(super) enum Trap {
    Ignore,
    Do(Vec<Step>),
}

/// What a command does: a script of steps, played in order. After the last one it ends with exit code 0.
///
/// ```
/// use longshore_testkit::fake::Answer;
///
/// let answer = Answer::new().stdout("building\n").append("/github/output", "digest=abc\n").exit(0);
/// let service = Answer::new().on_signal(15, Answer::new().stderr("bye\n")).stdout("ready\n").forever();
/// # let _ = (answer, service);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub(super) steps: Vec<Step>,
    pub(super) traps: BTreeMap<i32, Trap>,
    pub(super) refusal: Option<Refusal>,
}

impl Answer {
    /// A command that does nothing and ends with 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// A command that is not in the container.
    pub fn command_not_found() -> Self {
        Self { refusal: Some(Refusal::NotFound), ..Self::default() }
    }

    /// A command that is there and cannot be run.
    pub fn command_not_runnable() -> Self {
        Self { refusal: Some(Refusal::NotRunnable), ..Self::default() }
    }

    /// Writes to standard output.
    pub fn stdout(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Write(Stream::Stdout, bytes.as_ref().to_vec()))
    }

    /// Writes to standard error.
    pub fn stderr(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Write(Stream::Stderr, bytes.as_ref().to_vec()))
    }

    /// Writes a file of the container, in place of what is there. Through a mount it is written where that leads.
    pub fn write(self, path: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::File { path: path.into(), bytes: bytes.as_ref().to_vec(), append: false })
    }

    /// Writes to the end of a file of the container.
    pub fn append(self, path: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::File { path: path.into(), bytes: bytes.as_ref().to_vec(), append: true })
    }

    /// Copies standard input to standard output until its end.
    pub fn copy_input(self) -> Self {
        self.then(Step::CopyInput)
    }

    /// Waits until there is a file.
    pub fn await_file(self, path: impl Into<String>) -> Self {
        self.then(Step::AwaitFile(path.into()))
    }

    /// Waits until a test opens a gate.
    pub fn await_gate(self, gate: &Gate) -> Self {
        self.then(Step::AwaitGate(gate.clone()))
    }

    /// Waits until a signal ends it.
    pub fn forever(self) -> Self {
        self.then(Step::Forever)
    }

    /// Ends with a code.
    pub fn exit(self, code: i32) -> Self {
        self.then(Step::Exit(ExitStatus { code, out_of_memory: false }))
    }

    /// Ends as one whose container ran out of memory.
    pub fn out_of_memory(self) -> Self {
        self.then(Step::Exit(ExitStatus { code: 137, out_of_memory: true }))
    }

    /// Takes no notice of a signal.
    pub fn ignore(mut self, signal: i32) -> Self {
        self.traps.insert(signal, Trap::Ignore);
        self
    }

    /// When a signal comes, drops what is left of the script and does something else. What that answer says of signals
    /// is not heard; what this one says of them goes on to hold.
    pub fn on_signal(mut self, signal: i32, answer: Self) -> Self {
        self.traps.insert(signal, Trap::Do(answer.steps));
        self
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// What holds commands up until a test opens it, see [`FakeEngine::gate`](super::FakeEngine::gate).
#[derive(Debug, Clone)]
pub struct Gate {
    open: Arc<AtomicBool>,
    core: Arc<Core>,
}

impl Gate {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { open: Arc::new(AtomicBool::new(false)), core }
    }

    /// Lets everybody pass, now and later.
    pub fn open(&self) {
        self.core.change(|_| self.open.store(true, Ordering::SeqCst));
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::SeqCst)
    }
}
