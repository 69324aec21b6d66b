//! Frames, written and read. Sans-IO.

use longshore_engine::{EngineError, ExitStatus, Fault, Stream};
use serde::{Deserialize, Serialize};

/// The longest frame that is read.
const LIMIT: usize = 1024 * 1024;

/// What is asked of a monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RequestDto {
    /// Send what the container writes, and how it ends.
    Attach {
        /// What it writes to its standard output.
        stdout: bool,
        /// What it writes to its standard error.
        stderr: bool,
        /// This connection will send input.
        stdin: bool,
    },
    /// Tell when it has started, and when it has ended.
    Watch,
    /// The input is at its end.
    EndOfInput,
    /// The terminal of the user has this size.
    Resize {
        /// Lines.
        rows: u16,
        /// Columns.
        columns: u16,
    },
    /// Ask it to end, and make it end after a while. Ends restarts.
    Stop {
        /// The signal that asks.
        signal: Option<i32>,
        /// How many milliseconds it has.
        grace: Option<u64>,
    },
    /// Send it a signal.
    Kill {
        /// Which.
        signal: i32,
        /// Do not start it again.
        for_good: bool,
    },
    /// Freeze its processes.
    Pause,
    /// Let its processes go on.
    Unpause,
    /// Connect it to one more network.
    Connect(longshore_engine::Attachment),
    /// Disconnect it from a network.
    Disconnect {
        /// The network's name.
        network: String,
    },
}

/// What a monitor says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AnswerDto {
    /// The container runs.
    Started {
        /// What could not be done as asked.
        warnings: Vec<String>,
    },
    /// It could not be started, or a request not be fulfilled.
    Failed(FailureDto),
    /// A request was fulfilled.
    Done,
    /// It ended, and will not be started again.
    Exited(ExitStatus),
}

impl AnswerDto {
    /// Whether a request was fulfilled, or why not.
    pub(crate) fn to(result: Result<(), EngineError>) -> Self {
        result.map_or_else(|error| Self::Failed((&error).into()), |()| Self::Done)
    }
}

/// An error on its way between processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailureDto {
    fault: String,
    message: String,
    help: Option<String>,
    causes: Vec<String>,
}

const FAULTS: [Fault; 9] = [
    Fault::NotFound,
    Fault::Conflict,
    Fault::Invalid,
    Fault::CommandNotFound,
    Fault::CommandNotRunnable,
    Fault::Unsupported,
    Fault::Environment,
    Fault::Remote,
    Fault::Bug,
];

/// A cause that is only a text.
#[derive(Debug)]
struct Cause {
    text: String,
    source: Option<Box<Self>>,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<&EngineError> for FailureDto {
    fn from(error: &EngineError) -> Self {
        let mut causes = Vec::new();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self {
            fault: format!("{:?}", error.fault),
            message: error.message.clone(),
            help: error.help.clone(),
            causes,
        }
    }
}

impl From<FailureDto> for EngineError {
    fn from(failure: FailureDto) -> Self {
        let fault = FAULTS.into_iter().find(|fault| format!("{fault:?}") == failure.fault);
        let source = failure
            .causes
            .into_iter()
            .rev()
            .fold(None, |source, text| Some(Box::new(Cause { text, source })));
        Self {
            fault: fault.unwrap_or(Fault::Bug),
            message: failure.message,
            help: failure.help,
            source: source.map(|cause| cause as Box<dyn std::error::Error + Send + Sync>),
        }
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Something is asked of the monitor.
    Request(RequestDto),
    /// The monitor says something.
    Answer(AnswerDto),
    /// Bytes for the container's standard input.
    Input(Vec<u8>),
    /// Bytes that the container wrote.
    Output(Stream, Vec<u8>),
}

const REQUEST: u8 = 1;
const ANSWER: u8 = 2;
const INPUT: u8 = 3;
const STDOUT: u8 = 4;
const STDERR: u8 = 5;

impl Frame {
    /// The frame as bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let json = |value: serde_json::Result<Vec<u8>>| value.unwrap_or_default();
        match self {
            Self::Request(request) => framed(REQUEST, &json(serde_json::to_vec(request))),
            Self::Answer(answer) => framed(ANSWER, &json(serde_json::to_vec(answer))),
            Self::Input(bytes) => framed(INPUT, bytes),
            Self::Output(stream, bytes) => Self::output(*stream, bytes),
        }
    }

    /// The frame of something that a container wrote.
    pub(crate) fn output(stream: Stream, bytes: &[u8]) -> Vec<u8> {
        framed(if stream == Stream::Stdout { STDOUT } else { STDERR }, bytes)
    }

    fn read(kind: u8, payload: &[u8]) -> Option<Self> {
        match kind {
            REQUEST => serde_json::from_slice(payload).ok().map(Self::Request),
            ANSWER => serde_json::from_slice(payload).ok().map(Self::Answer),
            INPUT => Some(Self::Input(payload.to_vec())),
            STDOUT => Some(Self::Output(Stream::Stdout, payload.to_vec())),
            STDERR => Some(Self::Output(Stream::Stderr, payload.to_vec())),
            _ => None,
        }
    }
}

fn framed(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 5);
    bytes.push(kind);
    bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Puts frames together from what arrives.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    bytes: Vec<u8>,
    read: usize,
}

/// What arrives is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Garbled;

impl FrameReader {
    /// Takes what arrived.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if it is complete.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Garbled> {
        let rest = &self.bytes[self.read..];
        let Some((head, payload)) = rest.split_at_checked(5) else { return Ok(None) };
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > LIMIT {
            return Err(Garbled);
        }
        let Some(payload) = payload.get(..length) else { return Ok(None) };
        let frame = Frame::read(head[0], payload).ok_or(Garbled)?;
        self.read += 5 + length;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use longshore_engine::{EngineError, ExitStatus, Fault, Stream};
    use proptest::prelude::*;

    use super::{AnswerDto, FailureDto, Frame, FrameReader, RequestDto};

    #[test]
    fn errors_survive_the_way() {
        let cause = std::io::Error::other("no room");
        let error = EngineError::new(Fault::Conflict, "failed").because(cause).help("make room");
        let back = EngineError::from(FailureDto::from(&error));
        assert_eq!((back.fault, back.message.as_str()), (Fault::Conflict, "failed"));
        assert_eq!(back.help.as_deref(), Some("make room"));
        assert_eq!(std::error::Error::source(&back).unwrap().to_string(), "no room");
    }

    proptest! {
        #[test]
        fn frames_survive_any_cutting(pieces in proptest::collection::vec(1_usize..7, 1..60)) {
            let frames = [
                Frame::Request(RequestDto::Stop { signal: Some(15), grace: None }),
                Frame::Output(Stream::Stderr, vec![0, 255, 10]),
                Frame::Input(Vec::new()),
                Frame::Answer(AnswerDto::Exited(ExitStatus { code: 137, out_of_memory: true })),
            ];
            let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
            let (mut reader, mut read, mut rest) = (FrameReader::default(), Vec::new(), &bytes[..]);
            for piece in pieces.into_iter().chain(std::iter::once(usize::MAX)) {
                let (now, later) = rest.split_at(piece.min(rest.len()));
                reader.push(now);
                rest = later;
                while let Some(frame) = reader.next().unwrap() {
                    read.push(frame);
                }
            }
            prop_assert_eq!(&read[..], &frames[..]);
        }

        #[test]
        fn garbage_does_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = FrameReader::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.next() {}
        }
    }
}
