//! Further processes in containers that run.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use longshore_engine::{
    ContainerId, EngineError, ExecSpec, ExitStatus, Fault, Input, ProcessIo, RunningExec,
};

use super::invocation::Occasion;
use super::journal::{Call, Method};
use super::process::{Destination, begin, finish, refused, spawn};
use super::record;
use super::signal;
use super::world::Core;

/// How much input waits for a process that does not read it.
const BACKLOG: usize = 1 << 20;

/// Hands the input of a process on.
fn feed(core: &Arc<Core>, number: u64, input: Input) -> Result<(), EngineError> {
    let mut reader: Box<dyn Read + Send> = match input {
        Input::Null => Box::new(io::empty()),
        Input::Inherit => Box::new(io::stdin()),
        Input::Reader(reader) => reader,
    };
    let core = core.clone();
    spawn("fake-input", move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = reader.read(&mut buffer).unwrap_or_default();
            let bytes = buffer.get(..count).unwrap_or_default();
            let goes_on = core.wait_for(|world| {
                let Some(process) = world.processes.get_mut(&number) else { return Some(false) };
                if process.input.len() > BACKLOG {
                    return None;
                }
                process.input.extend_from_slice(bytes);
                process.input_ended = bytes.is_empty();
                world.stirred = true;
                Some(!bytes.is_empty())
            });
            if !goes_on {
                return;
            }
        }
    })
}

/// Starts a further process in a container that runs.
pub(super) fn exec(
    core: &Arc<Core>,
    id: &ContainerId,
    spec: &ExecSpec,
    io: ProcessIo,
    occasion: Occasion,
) -> Result<FakeExec, EngineError> {
    let (invocation, run) = {
        let world = core.lock();
        let container = world.container(id)?;
        if spec.command.is_empty() {
            return Err(EngineError::new(Fault::Invalid, "there is no command to run"));
        }
        (container.further(spec, occasion)?, container.runs)
    };
    if !invocation.files.is_directory(&invocation.working_directory) {
        let message = format!("there is no directory `{}` to run in", invocation.working_directory);
        return Err(EngineError::new(Fault::CommandNotRunnable, message));
    }
    let answer = core.answer(&invocation);
    if let Some(refusal) = answer.refusal {
        return Err(refused(refusal, &invocation));
    }
    let player = core.change(|world| {
        // It may have ended meanwhile, and even have been started again.
        let container = world.container(id)?;
        container.further(spec, occasion)?;
        if container.runs != run {
            return Err(EngineError::new(
                Fault::Conflict,
                format!("the container `{}` ended", container.name),
            ));
        }
        Ok(begin(core, world, &invocation, answer, Destination::Stream(io.output)))
    })?;
    let exec = FakeExec {
        core: core.clone(),
        container: id.clone(),
        command: invocation.command,
        number: player.number,
        ended: player.ended.clone(),
    };
    feed(core, exec.number, io.input)?;
    let core = core.clone();
    spawn("fake-exec", move || {
        let number = player.number;
        let exit = player.play();
        core.change(|world| finish(world, number, exit));
    })?;
    Ok(exec)
}

/// A further process that was started.
pub(super) struct FakeExec {
    core: Arc<Core>,
    container: ContainerId,
    command: Vec<String>,
    pub(super) number: u64,
    pub(super) ended: Arc<OnceLock<ExitStatus>>,
}

impl RunningExec for FakeExec {
    fn wait(&self) -> Result<ExitStatus, EngineError> {
        record::count(&self.core, Method::AwaitExec)?;
        Ok(self.core.wait_for(|_| self.ended.get().copied()))
    }

    fn signal(&self, signal: i32) -> Result<(), EngineError> {
        let call = Call::SignalExec { command: self.command.clone(), signal };
        record::record(&self.core, Some(&self.container), call, || {
            signal::checked(signal)?;
            self.core.change(|world| world.deliver(self.number, signal));
            Ok(())
        })
    }
}
