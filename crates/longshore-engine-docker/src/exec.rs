//! Further processes in a container.

use std::io::{self, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use longshore_engine::{
    ContainerId, EngineError, ExecSpec, ExitStatus, Fault, Input, Output, ProcessIo, RunningExec, Stream,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::document::{ExecDto, IdDto};
use crate::engine::Api;
use crate::failure;
use crate::http::Body;
use crate::stream::{Frames, Piece};

/// An exec that was started.
struct DockerExec {
    api: Api,
    id: String,
    /// Ends when all output was handed on; gives what looked like a complaint of the runtime and was held back.
    carrier: Mutex<Option<JoinHandle<Held>>>,
    output: Output,
    exit: Mutex<Option<Result<ExitStatus, (Fault, String)>>>,
}

/// How the runtime's words begin when a process could not be started. Docker puts them where the output should be.
const COMPLAINT: &[u8] = b"OCI runtime exec failed";

/// Output that may be a complaint.
type Held = Option<(Stream, Vec<u8>)>;

/// Starts a process in a container.
pub(crate) fn start(
    api: &Api,
    container: &ContainerId,
    spec: &ExecSpec,
    io: ProcessIo,
) -> Result<Box<dyn RunningExec>, EngineError> {
    let attempt = format!("run a command in container {}", container.short());
    if spec.command.is_empty() {
        return Err(EngineError::new(Fault::Invalid, format!("failed to {attempt}: there is no command")));
    }
    let body = json!({
        "AttachStdin": !matches!(io.input, Input::Null),
        "AttachStdout": true,
        "AttachStderr": true,
        "Tty": spec.tty,
        "Cmd": spec.command,
        "Env": spec.env,
        "User": spec.user.clone().unwrap_or_default(),
        "WorkingDir": spec.working_directory.clone().unwrap_or_default(),
        "Privileged": spec.privileged,
    });
    let path = format!("/containers/{container}/exec");
    let made: IdDto = api.read(&attempt, "POST", &path, Body::Json(&body))?;
    let body = json!({ "Detach": false, "Tty": spec.tty });
    let response = api.hijack(&attempt, &format!("/exec/{}/start", made.id), &body)?;
    let (reading, writing) =
        response.into_stream().map_err(|error| failure::unintelligible(&attempt, error))?;
    carry_input(io.input, writing);
    let (tty, output) = (spec.tty, io.output.clone());
    let carrier = std::thread::spawn(move || carry_output(reading, tty, &output));
    let exec = DockerExec {
        api: api.clone(),
        id: made.id,
        carrier: Mutex::new(Some(carrier)),
        output: io.output,
        exit: Mutex::new(None),
    };
    exec.await_process()?;
    Ok(Box::new(exec))
}

impl DockerExec {
    fn document(&self) -> Result<ExecDto, EngineError> {
        self.api.read("inspect the command", "GET", &format!("/exec/{}/json", self.id), Body::None)
    }

    /// Docker answers before the process exists; a started exec is one that can be sent signals.
    fn await_process(&self) -> Result<(), EngineError> {
        loop {
            let document = self.document()?;
            let carried = self
                .carrier
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .as_ref()
                .is_none_or(JoinHandle::is_finished);
            if document.pid > 0 || document.exit_code.is_some() || carried {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    fn finish(&self) -> Result<Result<ExitStatus, (Fault, String)>, EngineError> {
        let carrier = self.carrier.lock().unwrap_or_else(PoisonError::into_inner).take();
        let held = carrier.and_then(|carrier| carrier.join().ok()).flatten();
        // The streams may end a moment before the process does.
        let code = loop {
            let document = self.document()?;
            if let (false, Some(code)) = (document.running, document.exit_code) {
                break code;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        if let Some((stream, bytes)) = held {
            if matches!(code, 126 | 127) {
                let complaint = String::from_utf8_lossy(&bytes).trim().to_owned();
                let fault = failure::program(&complaint).unwrap_or(Fault::Environment);
                return Ok(Err((fault, complaint)));
            }
            // A program that happens to write the same.
            hand_on(&self.output, stream, &bytes);
        }
        Ok(Ok(ExitStatus { code, out_of_memory: false }))
    }
}

impl RunningExec for DockerExec {
    fn wait(&self) -> Result<ExitStatus, EngineError> {
        let mut exit = self.exit.lock().unwrap_or_else(PoisonError::into_inner);
        if exit.is_none() {
            *exit = Some(self.finish()?);
        }
        match exit.clone() {
            Some(Ok(status)) => Ok(status),
            Some(Err((fault, message))) => Err(EngineError::new(fault, message)),
            None => Err(EngineError::new(Fault::Bug, "an exec ended without an exit code")),
        }
    }

    fn signal(&self, signal: i32) -> Result<(), EngineError> {
        let document = self.document()?;
        if !document.running {
            return Ok(());
        }
        // Docker has no call for this. Its daemon is on this machine, and tells the process's number here.
        let Some(pid) = Pid::from_raw(document.pid).filter(|_| document.pid > 1) else {
            let message = "Docker does not tell the number of the process, so it cannot be sent a signal";
            return Err(EngineError::new(Fault::Unsupported, message));
        };
        let Some(signal) = Signal::from_named_raw(signal) else {
            return Err(EngineError::new(Fault::Invalid, format!("there is no signal {signal}")));
        };
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(rustix::io::Errno::PERM) => Err(EngineError::new(
                Fault::Unsupported,
                "Docker has no call that sends a signal to a command, and this user may not do it directly",
            )
            .help("run Longshore as root, or use the native engine")),
            Err(errno) => {
                Err(EngineError::new(Fault::Environment, "failed to send a signal to the command")
                    .because(errno))
            }
        }
    }
}

/// Carries input until either end. Nobody waits for this thread: a reader may block for ever.
fn carry_input(input: Input, mut stream: UnixStream) {
    let mut reader: Box<dyn Read + Send> = match input {
        Input::Null => return,
        Input::Inherit => Box::new(io::stdin()),
        Input::Reader(reader) => reader,
    };
    std::thread::spawn(move || {
        // An error means that the process is gone, or the reader is done for; both end the input.
        let _ = io::copy(&mut reader, &mut stream);
        let _ = stream.shutdown(Shutdown::Write);
    });
}

/// Hands output on until it ends. What begins like a complaint of the runtime is held back.
fn carry_output(mut reader: BufReader<UnixStream>, tty: bool, output: &Output) -> Held {
    let mut held: Held = None;
    let mut first = true;
    let mut take = |stream: Stream, bytes: &[u8]| {
        let begins = std::mem::take(&mut first) && bytes.starts_with(COMPLAINT);
        match &mut held {
            Some((_, held)) => held.extend_from_slice(bytes),
            None if begins => held = Some((stream, bytes.to_vec())),
            None => hand_on(output, stream, bytes),
        }
    };
    if tty {
        let mut buffer = vec![0; 32 * 1024];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            take(Stream::Stdout, &buffer[..length]);
        }
    } else {
        let mut frames = Frames::new(reader);
        while let Ok(Some(piece)) = frames.next() {
            match piece {
                Piece::Output { stream, bytes, .. } => take(stream, &bytes),
                Piece::Complaint(words) => take(Stream::Stderr, &words),
            }
        }
    }
    held
}

fn hand_on(output: &Output, stream: Stream, bytes: &[u8]) {
    match output {
        Output::Discard => {}
        // A closed output is no reason to hold up the process.
        Output::Inherit => {
            let _ = match stream {
                Stream::Stdout => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()),
                Stream::Stderr => io::stderr().write_all(bytes),
            };
        }
        Output::Sink(sink) => sink.write(stream, bytes),
    }
}
