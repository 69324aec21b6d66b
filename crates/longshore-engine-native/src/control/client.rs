//! The side of the connection that asks.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use longshore_engine::{EngineError, Fault};

use super::frame::{AnswerDto, Frame, FrameReader, RequestDto};

/// A connection to a monitor.
#[derive(Debug)]
pub(crate) struct Client {
    stream: UnixStream,
    reader: FrameReader,
}

impl Client {
    /// Speaks over a connected socket.
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream, reader: FrameReader::default() }
    }

    /// The socket, to poll or to write on from another thread.
    pub(crate) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Asks for something.
    pub(crate) fn send(&mut self, request: RequestDto) -> io::Result<()> {
        self.stream.write_all(&Frame::Request(request).bytes())
    }

    /// The next frame; `None` if the monitor is gone.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Frame>> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.reader.next() {
                Ok(Some(frame)) => return Ok(Some(frame)),
                Ok(None) => {}
                Err(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the monitor speaks another language",
                    ));
                }
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => self.reader.push(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A monitor that was killed resets what it had not read.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks for something and waits until it is done.
    pub(crate) fn ask(&mut self, request: RequestDto) -> Result<(), EngineError> {
        let lost = |error: io::Error| {
            EngineError::new(Fault::Environment, "failed to speak to the container's monitor").because(error)
        };
        let ended = || EngineError::new(Fault::Conflict, "the container ended while it was asked");
        self.send(request).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => ended(),
            _ => lost(error),
        })?;
        loop {
            match self.receive().map_err(lost)? {
                Some(Frame::Answer(AnswerDto::Done)) => return Ok(()),
                Some(Frame::Answer(AnswerDto::Failed(failure))) => return Err(failure.into()),
                Some(_) => {}
                None => return Err(ended()),
            }
        }
    }
}
