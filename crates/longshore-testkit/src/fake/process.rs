//! Processes that are threads: each plays the script that somebody answered for its command.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use longshore_engine::{ContainerId, EngineError, ExitStatus, Fault, Output, Stream};

use super::answer::{Answer, Refusal, Step, Trap};
use super::files::Files;
use super::invocation::{Invocation, Occasion};
use super::signal;
use super::world::{Core, World, by_signal};

/// From look to look for a file that may come to the machine.
const PACE: Duration = Duration::from_millis(5);
/// Enough for a script, so that hundreds of processes cost little.
const STACK: usize = 256 * 1024;

/// A process that has not ended.
#[derive(Debug)]
pub(super) struct Process {
    container: ContainerId,
    /// It is the first process of its container.
    pub(super) first: bool,
    pub(super) traps: BTreeMap<i32, Trap>,
    /// What a signal makes it do.
    pub(super) interrupt: Option<Vec<Step>>,
    /// How it will end as soon as its thread notices.
    pub(super) ending: Option<ExitStatus>,
    /// Its thread waits for something.
    pub(super) blocked: bool,
    /// What it has not read yet.
    pub(super) input: Vec<u8>,
    /// No more input comes.
    pub(super) input_ended: bool,
    ended: Arc<OnceLock<ExitStatus>>,
}

/// Makes a process of an answer, and what plays it.
pub(super) fn begin(
    core: &Arc<Core>,
    world: &mut World,
    invocation: &Invocation,
    answer: Answer,
    output: Destination,
) -> Player {
    let number = world.number();
    let ended = Arc::new(OnceLock::new());
    let init = world.containers.get(&invocation.container).is_some_and(|container| container.spec.init);
    world.processes.insert(
        number,
        Process {
            container: invocation.container.clone(),
            first: invocation.occasion == Occasion::Start && !init,
            traps: answer.traps,
            interrupt: None,
            ending: None,
            blocked: false,
            input: Vec::new(),
            // Nobody attaches to containers of the fake.
            input_ended: invocation.occasion == Occasion::Start,
            ended: ended.clone(),
        },
    );
    Player {
        core: core.clone(),
        number,
        ended,
        files: invocation.files.clone(),
        directory: invocation.working_directory.clone(),
        tty: invocation.tty,
        output,
        steps: answer.steps.into(),
    }
}

/// Ends the further processes of a container whose first one ended.
pub(super) fn end_others(world: &mut World, id: &ContainerId) {
    for process in world.processes.values_mut().filter(|process| process.container == *id) {
        process.ending = process.ending.or(Some(by_signal(signal::KILL)));
    }
}

/// Forgets a process that ended.
pub(super) fn finish(world: &mut World, number: u64, exit: ExitStatus) {
    if let Some(process) = world.processes.remove(&number) {
        // Nobody else sets it.
        let _ = process.ended.set(exit);
    }
}

/// Why a command cannot be run, as an error of the engine.
pub(super) fn refused(refusal: Refusal, invocation: &Invocation) -> EngineError {
    let command = invocation.command.first().map(String::as_str).unwrap_or_default();
    match refusal {
        Refusal::NotFound => EngineError::new(
            Fault::CommandNotFound,
            format!("failed to run `{command}`: it is not in the container `{}`", invocation.name),
        )
        .help("have the fake answer for the command, see `FakeEngine::on`"),
        Refusal::NotRunnable => EngineError::new(
            Fault::CommandNotRunnable,
            format!("failed to run `{command}` in the container `{}`: permission denied", invocation.name),
        ),
    }
}

/// Starts a thread of the engine.
pub(super) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    let builder = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
    builder.spawn(run).map(drop).map_err(|source| {
        EngineError::new(Fault::Environment, "failed to start a thread of the fake engine").because(source)
    })
}

/// Where a process writes to.
pub(super) enum Destination {
    Log(ContainerId),
    Stream(Output),
}

/// Plays the script of one process.
pub(super) struct Player {
    core: Arc<Core>,
    pub(super) number: u64,
    pub(super) ended: Arc<OnceLock<ExitStatus>>,
    files: Files,
    directory: String,
    tty: bool,
    output: Destination,
    steps: VecDeque<Step>,
}

impl Player {
    /// Plays to the end. Who calls says to the world that it is over.
    pub(super) fn play(mut self) -> ExitStatus {
        loop {
            let step = match self.next() {
                Ok(step) => step,
                Err(exit) => return exit,
            };
            if let Some(exit) = self.carry_out(step) {
                return exit;
            }
        }
    }

    fn next(&mut self) -> Result<Step, ExitStatus> {
        let mut world = self.core.lock();
        let Some(process) = world.processes.get_mut(&self.number) else {
            return Err(by_signal(signal::KILL));
        };
        if let Some(exit) = process.ending {
            return Err(exit);
        }
        if let Some(steps) = process.interrupt.take() {
            self.steps = steps.into();
        }
        process.blocked = false;
        self.steps.pop_front().ok_or_else(ExitStatus::default)
    }

    fn carry_out(&mut self, step: Step) -> Option<ExitStatus> {
        match step {
            Step::Write(stream, bytes) => self.emit(stream, &bytes),
            Step::File { path, bytes, append } => return self.write_file(&path, &bytes, append),
            Step::CopyInput => {
                while let Some(bytes) = self.take_input() {
                    self.emit(Stream::Stdout, &bytes);
                }
            }
            Step::AwaitFile(path) => self.await_file(&path),
            Step::AwaitGate(gate) => self.block(|_| gate.is_open().then_some(())).unwrap_or_default(),
            Step::Forever => self.block(|_| None).unwrap_or_default(),
            Step::Exit(exit) => return Some(exit),
        }
        None
    }

    /// Waits for something; `None` if a signal comes first.
    fn block<T>(&self, mut look: impl FnMut(&mut Process) -> Option<T>) -> Option<T> {
        self.core.wait_for(|world| {
            if self.is_interrupted(world) {
                return Some(None);
            }
            let process = world.processes.get_mut(&self.number)?;
            let found = look(process)?;
            process.blocked = false;
            Some(Some(found))
        })
    }

    /// Whether a signal came; otherwise the process now waits.
    fn is_interrupted(&self, world: &mut World) -> bool {
        let closing = world.closing;
        let Some(process) = world.processes.get_mut(&self.number) else { return true };
        if closing {
            process.ending = process.ending.or(Some(by_signal(signal::KILL)));
        }
        if process.ending.is_some() || process.interrupt.is_some() {
            return true;
        }
        world.stirred |= !std::mem::replace(&mut process.blocked, true);
        false
    }

    fn await_file(&self, path: &str) {
        let path = super::invocation::absolute(&self.directory, path);
        // A file of the machine comes without anybody saying so.
        while !self.files.exists(&path) && !self.core.wait_for(|world| Some(self.is_interrupted(world))) {
            self.core.pause(PACE);
        }
    }

    /// More input; `None` at its end.
    fn take_input(&self) -> Option<Vec<u8>> {
        let taken = self.block(|process| {
            let bytes = std::mem::take(&mut process.input);
            if bytes.is_empty() { process.input_ended.then_some(None) } else { Some(Some(bytes)) }
        });
        self.core.change(|_| ());
        taken.flatten()
    }

    fn write_file(&self, path: &str, bytes: &[u8], append: bool) -> Option<ExitStatus> {
        let path = super::invocation::absolute(&self.directory, path);
        let written = self.files.write(&path, bytes, append);
        self.core.change(|_| ());
        let error = written.err()?;
        self.emit(Stream::Stderr, format!("{error}\n").as_bytes());
        Some(ExitStatus { code: 1, out_of_memory: false })
    }

    fn emit(&self, stream: Stream, bytes: &[u8]) {
        let stream = if self.tty { Stream::Stdout } else { stream };
        match &self.output {
            Destination::Log(id) => self.core.change(|world| {
                let at = world.tick();
                if let Some(container) = world.containers.get_mut(id) {
                    container.log.write(at, stream, bytes);
                }
            }),
            Destination::Stream(Output::Discard) => {}
            Destination::Stream(Output::Sink(sink)) => sink.write(stream, bytes),
            // What a terminal of the test does with it is not for the process to know.
            Destination::Stream(Output::Inherit) => drop(match stream {
                Stream::Stdout => io::stdout().write_all(bytes),
                Stream::Stderr => io::stderr().write_all(bytes),
            }),
        }
    }
}
