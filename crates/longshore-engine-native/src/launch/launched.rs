//! A process between its clone and the user's program.

use std::os::fd::OwnedFd;

use longshore_engine::EngineError;
use longshore_sys::{Child, Program};

use super::{Failure, Streams, libc_sigkill, receive_terminal, users};

/// A process that was started, up to the point where it waits for its network.
pub(crate) struct Launched {
    /// Its maker is reaped when the container runs.
    pub(super) mapping: Option<users::Mapping>,
    pub(crate) child: Child,
    pub(crate) streams: Streams,
    pub(crate) own_users: bool,
    pub(crate) own_network: bool,
    /// What is not as it was asked for.
    pub(crate) warnings: Vec<String>,
    pub(super) terminal: Option<OwnedFd>,
    pub(super) spent: Vec<OwnedFd>,
    pub(super) program: Program,
    pub(super) first_word: String,
    pub(super) working_directory: String,
}

/// A process that runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) streams: Streams,
    /// What is no longer needed, and takes a while to close.
    pub(crate) spent: Vec<OwnedFd>,
}

impl Launched {
    /// Waits until a process that splits has done so: the second half is the container, and the first has ended.
    pub(super) fn become_second_half(mut self) -> Result<Self, EngineError> {
        match self.child.listen() {
            Ok(_) => Ok(self),
            Err(error) => Err(self.failure().explain(error)),
        }
    }

    /// Ends the process: something that it needs could not be made. If that is because the process itself has failed, its own
    /// failure is the one to tell.
    pub(crate) fn abandon(mut self, error: EngineError) -> EngineError {
        let _ = longshore_sys::send_signal(self.child.pidfd(), libc_sigkill());
        if let Err(own @ longshore_sys::StartError::Operation { .. }) = self.child.started() {
            return self.failure().explain(own);
        }
        let _ = self.child.wait();
        error
    }

    fn failure(&self) -> Failure<'_> {
        Failure { program: &self.program, word: &self.first_word, directory: &self.working_directory }
    }

    /// Lets the process go on, and waits until it has become the user's program.
    pub(crate) fn finish(mut self) -> Result<Running, EngineError> {
        let _ = self.child.go();
        let socket = self.terminal.take();
        let received = socket.map(|socket| receive_terminal(&socket, &mut self.child)).transpose();
        match received.and_then(|received| self.child.started().map(|()| received.flatten())) {
            Ok(received) => {
                self.streams.terminal = received;
                drop(self.mapping.take());
                Ok(Running { child: self.child, streams: self.streams, spent: self.spent })
            }
            Err(error) => Err(self.failure().explain(error)),
        }
    }
}
