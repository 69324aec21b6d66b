//! The streams of a container's process: pipes, or a terminal.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use longshore_engine::{ContainerSpec, EngineError, Fault};
use longshore_sys::{Child, Op, Program, StartError};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

/// The streams of a process that was started.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub(crate) input: Option<OwnedFd>,
    pub(crate) output: Option<OwnedFd>,
    pub(crate) error: Option<OwnedFd>,
    /// A terminal in place of the three.
    pub(crate) terminal: Option<OwnedFd>,
}

/// Makes the streams: pipes, or a terminal whose other side comes over a socket.
pub(super) fn push_streams(
    program: &mut Program,
    spec: &ContainerSpec,
) -> Result<(Streams, Option<OwnedFd>), EngineError> {
    make_streams(program, (spec.tty, true), spec.stdin).map_err(|errno| {
        EngineError::new(Fault::Environment, "failed to make the streams of the container").because(errno)
    })
}

pub(crate) fn make_streams(
    program: &mut Program,
    (tty, console): (bool, bool),
    stdin: bool,
) -> Result<(Streams, Option<OwnedFd>), Errno> {
    use rustix::pipe::{PipeFlags, pipe_with};
    program.push(Op::Session);
    if tty {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        program.push(Op::Terminal(Arc::new(longshore_sys::raise_fd(theirs)?)));
        if console {
            program.push(Op::Console);
        }
        return Ok((Streams::default(), Some(ours)));
    }
    let mut streams = Streams::default();
    let input = if stdin {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        streams.input = Some(write);
        read
    } else {
        rustix::fs::open(
            "/dev/null",
            rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )?
    };
    let (output, output_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (error, error_write) = pipe_with(PipeFlags::CLOEXEC)?;
    streams.output = Some(output);
    streams.error = Some(error);
    for (descriptor, stream) in [(input, 0), (output_write, 1), (error_write, 2)] {
        program.push(Op::Stream(Arc::new(longshore_sys::raise_fd(descriptor)?), stream));
    }
    Ok((streams, None))
}

/// Takes over the terminal that a new process sends. What is heard of the process meanwhile is not lost: that it goes on as
/// another one, or that it failed, which is the error.
pub(crate) fn receive_terminal(socket: &OwnedFd, child: &mut Child) -> Result<Option<OwnedFd>, StartError> {
    loop {
        let ready = {
            let report = child.report();
            let mut sources =
                [PollFd::new(socket, PollFlags::IN), PollFd::from_borrowed_fd(report, PollFlags::IN)];
            match poll(&mut sources, None) {
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(StartError::Deaf(errno)),
                Ok(_) => !sources[0].revents().is_empty(),
            }
        };
        if ready {
            return Ok(receive(socket).ok());
        }
        if !child.listen()? {
            return Ok(None);
        }
    }
}

/// Receives the descriptor that has come over a socket.
fn receive(socket: &OwnedFd) -> Result<OwnedFd, Errno> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0; 1];
    recvmsg(socket, &mut [std::io::IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    ancillary
        .drain()
        .find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        })
        .ok_or(Errno::NOMSG)
}
