//! An exec that was started.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use longshore_engine::{
    EngineError, ExitStatus, Fault, Input, Output, OutputSink, ProcessIo, RunningExec, Stream,
};
use longshore_sys::Child;

use crate::exec::ExecStreams;
use crate::launch::Streams;

/// The word that makes the program hold a terminal.
pub(crate) const HOLD: &str = "__hold";

/// The main function of the process that holds a terminal, its standard input, and drops what is written there.
pub(crate) fn hold_main() -> ExitCode {
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    ExitCode::SUCCESS
}

/// A further process in a container, and the threads that carry its streams.
#[derive(Debug)]
pub struct NativeExec {
    child: Child,
    terminal: Option<OwnedFd>,
    /// The program that is started under other names.
    program: PathBuf,
    carriers: Mutex<Vec<JoinHandle<()>>>,
    exit: Mutex<Option<ExitStatus>>,
}

/// The streams to ask for, and what is to be carried to and from them afterwards.
pub(crate) fn streams(io: &ProcessIo, tty: bool) -> Result<ExecStreams, EngineError> {
    if tty {
        return Ok(ExecStreams::Terminal);
    }
    let failed = |error: std::io::Error| {
        EngineError::new(Fault::Environment, "failed to prepare the streams of the process").because(error)
    };
    let null = || File::options().read(true).write(true).open("/dev/null").map(OwnedFd::from).map_err(failed);
    let own = |number: i32| -> Result<OwnedFd, EngineError> {
        let result = match number {
            0 => rustix::io::fcntl_dupfd_cloexec(std::io::stdin(), 3),
            1 => rustix::io::fcntl_dupfd_cloexec(std::io::stdout(), 3),
            _ => rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), 3),
        };
        result.map_err(|errno| failed(errno.into()))
    };
    let (input, output) = (&io.input, &io.output);
    if matches!(output, Output::Sink(_)) || matches!(input, Input::Reader(_)) {
        return Ok(ExecStreams::Pipes { input: !matches!(input, Input::Null) });
    }
    let input = if matches!(input, Input::Inherit) { own(0)? } else { null()? };
    let pair = if matches!(output, Output::Inherit) { [own(1)?, own(2)?] } else { [null()?, null()?] };
    let [output, error] = pair;
    let raised =
        |descriptor| longshore_sys::raise_fd(descriptor).map(Arc::new).map_err(|errno| failed(errno.into()));
    Ok(ExecStreams::Given([raised(input)?, raised(output)?, raised(error)?]))
}

impl NativeExec {
    pub(crate) fn new(child: Child, streams: Streams, io: ProcessIo, program: &Path) -> Self {
        let mut carriers = Vec::new();
        let mut terminal = None;
        if let Some(end) = streams.terminal {
            terminal = end.try_clone().ok();
            if let Ok(writing) = end.try_clone() {
                carry_input(io.input, Some(writing));
            }
            carriers.push(carry_output(end, Stream::Stdout, io.output));
        } else {
            carry_input(io.input, streams.input);
            if let Some(output) = streams.output {
                carriers.push(carry_output(output, Stream::Stdout, io.output.clone()));
            }
            if let Some(error) = streams.error {
                carriers.push(carry_output(error, Stream::Stderr, io.output));
            }
        }
        Self {
            child,
            terminal,
            program: program.to_owned(),
            carriers: Mutex::new(carriers),
            exit: Mutex::new(None),
        }
    }

    /// The user's terminal has this many lines and columns.
    pub fn resize(&self, rows: u16, columns: u16) {
        if let Some(terminal) = &self.terminal {
            let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
            let _ = rustix::termios::tcsetwinsize(terminal, size);
        }
    }

    /// Lets the process go on when this one ends. A terminal would hang up if nobody held its other side any more, so a
    /// small process does until nobody in the container has it open.
    ///
    /// # Errors
    ///
    /// If that process cannot be started.
    pub fn leave(&self) -> Result<(), EngineError> {
        let Some(terminal) = &self.terminal else { return Ok(()) };
        let failed = |error: std::io::Error| {
            EngineError::new(Fault::Environment, "failed to leave the terminal to somebody").because(error)
        };
        let terminal = terminal.try_clone().map_err(failed)?;
        let null = File::options().read(true).write(true).open("/dev/null").map_err(failed)?;
        let other = null.try_clone().map_err(failed)?;
        crate::start::aside(&self.program, &[HOLD.as_ref()], [terminal, null.into(), other.into()])
    }

    /// The process on the machine.
    pub fn pid(&self) -> i32 {
        self.child.pid().as_raw_nonzero().get()
    }
}

impl RunningExec for NativeExec {
    fn wait(&self) -> Result<ExitStatus, EngineError> {
        let exit = self.wait_process()?;
        // What the process wrote is handed on before its end is told. A child of it may hold the streams open for
        // longer, as in Docker.
        for carrier in self.carriers.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = carrier.join();
        }
        Ok(exit)
    }

    fn wait_process(&self) -> Result<ExitStatus, EngineError> {
        let mut exit = self.exit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exit) = *exit {
            return Ok(exit);
        }
        let code = self.child.wait().map_err(|errno| {
            EngineError::new(Fault::Environment, "failed to wait for the process").because(errno)
        })?;
        Ok(*exit.insert(ExitStatus { code, out_of_memory: false }))
    }

    fn signal_tree(&self, signal: i32) -> Result<(), EngineError> {
        // The children first: those of a process that has ended are nobody's.
        for process in crate::process::descendants(self.pid()).iter().rev() {
            if let Some(handle) = process.open() {
                let _ = longshore_sys::send_signal(handle.as_fd(), signal);
            }
        }
        self.signal(signal)
    }

    fn signal(&self, signal: i32) -> Result<(), EngineError> {
        match longshore_sys::send_signal(self.child.pidfd().as_fd(), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => {
                Err(EngineError::new(Fault::Invalid, format!("failed to send signal {signal}"))
                    .because(errno))
            }
        }
    }
}

/// Carries input to the process until either ends. Nobody waits for this thread: a reader may block for ever.
fn carry_input(input: Input, stream: Option<OwnedFd>) {
    let Some(stream) = stream else { return };
    let mut reader: Box<dyn std::io::Read + Send> = match input {
        Input::Null => return,
        Input::Inherit => Box::new(std::io::stdin()),
        Input::Reader(reader) => reader,
    };
    std::thread::spawn(move || {
        let mut file = File::from(stream);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    if file.write_all(&buffer[..length]).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
}

fn carry_output(stream: OwnedFd, name: Stream, output: Output) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut file = File::from(stream);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => hand_on(&output, name, &buffer[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // A terminal answers so when nobody has it open any more.
                Err(_) => return,
            }
        }
    })
}

fn hand_on(output: &Output, name: Stream, bytes: &[u8]) {
    match output {
        Output::Discard => {}
        Output::Inherit => {
            let _ = if name == Stream::Stdout {
                std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush())
            } else {
                std::io::stderr().write_all(bytes)
            };
        }
        Output::Sink(sink) => OutputSink::write(&**sink, name, bytes),
    }
}
