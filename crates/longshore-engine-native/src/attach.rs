//! Being attached to a container: its output comes, input goes, and its end is told.

use std::io;
use std::os::unix::net::UnixStream;

use longshore_engine::{EngineError, ExitStatus, Fault, Stream};

use crate::control::{AnswerDto, Client, Frame, RequestDto};

/// A connection to the streams of a container.
#[derive(Debug)]
pub struct Attached {
    client: Client,
    /// How it ended, if that is known.
    exit: Option<ExitStatus>,
}

/// What came over the connection.
#[derive(Debug)]
pub enum Incoming {
    /// The container wrote something.
    Output(Stream, Vec<u8>),
    /// It ended.
    Exited(ExitStatus),
    /// It is no longer watched: its monitor is gone.
    Lost,
}

/// Sends input to a container, from another thread than the one that reads its output.
#[derive(Debug)]
pub struct Sender(UnixStream);

impl Attached {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, exit: None }
    }

    /// Waits until the container has started, and gives what could not be done as asked.
    pub(crate) fn started(&mut self) -> Result<Vec<String>, EngineError> {
        loop {
            match self.client.receive().map_err(lost)? {
                Some(Frame::Answer(AnswerDto::Started { warnings })) => return Ok(warnings),
                Some(Frame::Answer(AnswerDto::Failed(failure))) => return Err(failure.into()),
                Some(_) => {}
                None => {
                    return Err(EngineError::new(
                        Fault::Environment,
                        "the container's monitor ended before the container was started",
                    )
                    .help("somebody may have killed it; try again, and see `longshore doctor`"));
                }
            }
        }
    }

    /// The next thing that comes; waits for it.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub fn receive(&mut self) -> Result<Incoming, EngineError> {
        if let Some(exit) = self.exit {
            return Ok(Incoming::Exited(exit));
        }
        loop {
            match self.client.receive().map_err(lost)? {
                Some(Frame::Output(stream, bytes)) => return Ok(Incoming::Output(stream, bytes)),
                Some(Frame::Answer(AnswerDto::Exited(exit))) => {
                    self.exit = Some(exit);
                    return Ok(Incoming::Exited(exit));
                }
                Some(Frame::Answer(AnswerDto::Failed(failure))) => return Err(failure.into()),
                Some(_) => {}
                None => return Ok(Incoming::Lost),
            }
        }
    }

    /// Something that sends while this receives.
    ///
    /// # Errors
    ///
    /// If too many descriptors are open.
    pub fn sender(&self) -> Result<Sender, EngineError> {
        self.client.stream().try_clone().map(Sender).map_err(lost)
    }
}

impl Sender {
    fn send(&mut self, frame: &Frame) -> io::Result<()> {
        io::Write::write_all(&mut self.0, &frame.bytes())
    }

    /// Sends input.
    ///
    /// # Errors
    ///
    /// If the container has ended.
    pub fn input(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send(&Frame::Input(bytes.to_vec()))
    }

    /// The input is at its end.
    ///
    /// # Errors
    ///
    /// If the container has ended.
    pub fn end_of_input(&mut self) -> io::Result<()> {
        self.send(&Frame::Request(RequestDto::EndOfInput))
    }

    /// The user's terminal has this many lines and columns.
    ///
    /// # Errors
    ///
    /// If the container has ended.
    pub fn resize(&mut self, rows: u16, columns: u16) -> io::Result<()> {
        self.send(&Frame::Request(RequestDto::Resize { rows, columns }))
    }

    /// Ends the connection: who receives is told that nothing more comes. The container goes on.
    pub fn leave(&self) {
        // One that is closed already is as good.
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }

    /// Sends a signal to the container's process.
    ///
    /// # Errors
    ///
    /// If the container has ended.
    pub fn signal(&mut self, signal: i32) -> io::Result<()> {
        self.send(&Frame::Request(RequestDto::Kill { signal, for_good: false }))
    }
}

fn lost(error: io::Error) -> EngineError {
    EngineError::new(Fault::Environment, "failed to speak to the container's monitor").because(error)
}
