//! Errors of the engine at the end of a verb, with Docker's exit codes.
//!
//! `run` and `exec` end with the code of what they ran; what the engine could not do is told by codes that programs do
//! not use. All other verbs end with 1 for what the user can mend, and with our own codes for the rest.

use std::io;

use longshore_engine::{EngineError, Fault};

use crate::cli::Session;
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};

/// An error of the engine, and who is to blame.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(in crate::cli) struct EngineFailure {
    #[from]
    error: EngineError,
}

impl Explained for EngineFailure {
    fn blame(&self) -> Blame {
        match self.error.fault {
            Fault::Unsupported | Fault::Environment => Blame::Environment,
            Fault::Remote => Blame::Remote,
            Fault::Bug => Blame::Bug,
            _ => Blame::Code(1),
        }
    }

    fn help(&self) -> Option<String> {
        self.error.help.clone()
    }
}

/// A failure of any verb but `run` and `exec`.
pub(in crate::cli) fn plain(error: EngineError) -> Failure {
    EngineFailure::from(error).into()
}

/// A failure of a verb that starts a program: 127 and 126 tell of the program, `otherwise` of everything else.
pub(in crate::cli) fn starting(error: EngineError, otherwise: u8) -> Failure {
    let code = match error.fault {
        Fault::CommandNotFound => 127,
        Fault::CommandNotRunnable => 126,
        _ => otherwise,
    };
    let mut failure = plain(error);
    failure.blame = Blame::Code(code);
    failure
}

/// Something about the verb's own work failed: a stream, a terminal, a file of the user.
#[derive(Debug, thiserror::Error)]
#[error("failed to {attempt}")]
pub(in crate::cli) struct WorkError {
    attempt: String,
    source: io::Error,
    code: u8,
}

impl WorkError {
    pub(in crate::cli) fn new(attempt: impl Into<String>, source: io::Error) -> Self {
        Self { attempt: attempt.into(), source, code: 1 }
    }

    /// With another exit code than 1.
    #[must_use]
    pub(in crate::cli) fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

impl Explained for WorkError {
    fn blame(&self) -> Blame {
        Blame::Code(self.code)
    }
}

/// What was asked for makes no sense; the exit code is 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::cli) struct Refused(pub(in crate::cli) String);

impl Explained for Refused {
    fn blame(&self) -> Blame {
        Blame::Code(1)
    }
}

/// Does something to each of several, and prints what comes of it. One that fails does not keep the rest from being
/// done; the exit code tells.
pub(in crate::cli) fn each(
    session: &mut Session,
    targets: &[String],
    mut act: impl FnMut(&mut Session, &str) -> Result<String, Failure>,
) -> Result<Exit, Failure> {
    let mut exit = Exit::Success;
    for target in targets {
        match act(session, target) {
            Ok(line) if line.is_empty() => {}
            Ok(line) => session.output.data(&format!("{line}\n"))?,
            Err(failure) => {
                complain(session, &failure);
                exit = failure.blame.into();
            }
        }
    }
    Ok(exit)
}

/// Prints a failure of one of several.
pub(in crate::cli) fn complain(session: &mut Session, failure: &Failure) {
    let style = session.output.talk_style();
    let text = longshore_report::render_error(&*failure.error, failure.help.as_deref(), style);
    session.output.complain(&text);
}
