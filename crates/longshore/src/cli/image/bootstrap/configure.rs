//! Configuring packages: each step is a container on the new root, as it is, without network.
//!
//! The root's owners are real, so its containers have the user ids of this process. Otherwise they may do what any
//! container may: maintainer scripts come from a signed archive, but nothing of them has to reach the machine.

use std::path::Path;

use longshore_bootstrap::ConfigureStep;
use longshore_engine::{
    ContainerId, ContainerSpec, EngineError, ImageSource, LogSpec, NetworkMode, Security, UserNamespaceMode,
};
use longshore_engine_native::{Attachments, Incoming, NativeEngine};
use thiserror::Error;

/// How much of the end of a step's output is shown if it fails.
const TAIL: usize = 4096;

/// Runs steps.
pub(super) struct Steps<'a> {
    pub(super) engine: &'a NativeEngine,
    pub(super) root: &'a Path,
}

/// A step did not succeed.
#[derive(Debug, Error)]
pub(super) enum StepError {
    /// It ended with another code than 0.
    #[error("`{command}` ended with {code}{}", shown(output))]
    Ended { command: String, code: i32, output: String },
    /// It was ended from outside.
    #[error("what watched over `{command}` was killed")]
    Lost { command: String },
    /// It could not be run.
    #[error("failed to run `{command}`")]
    Engine { command: String, source: EngineError },
}

fn shown(output: &str) -> String {
    if output.is_empty() {
        " and wrote nothing".to_owned()
    } else {
        format!(" and wrote:\n{}", output.trim_end())
    }
}

impl Steps<'_> {
    pub(super) fn run(&self, step: &ConfigureStep) -> Result<(), StepError> {
        let command = || step.command.join(" ");
        let failed = |source| StepError::Engine { command: command(), source };
        let id = self.engine.create(&self.spec(step), None).map_err(failed)?;
        let ended = self.follow(&id);
        // It ended or never began; what cannot be removed now is when the engine cleans up.
        let _ = self.engine.remove(&id, true);
        match ended.map_err(failed)? {
            (Some(0), _) => Ok(()),
            (Some(code), output) => Err(StepError::Ended { command: command(), code, output }),
            (None, _) => Err(StepError::Lost { command: command() }),
        }
    }

    fn spec(&self, step: &ConfigureStep) -> ContainerSpec {
        ContainerSpec {
            image: ImageSource::Directory(self.root.to_owned()),
            entrypoint: Some(Vec::new()),
            command: step.command.clone(),
            env: step.environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            working_directory: Some("/".to_owned()),
            user: Some("0:0".to_owned()),
            // Scripts may write it down, and the image is not to tell where it was made.
            hostname: Some("localhost".to_owned()),
            network: NetworkMode::None,
            security: Security { user_namespace: UserNamespaceMode::Host, ..Security::default() },
            auto_remove: true,
            log: LogSpec { none: true, ..LogSpec::default() },
            ..ContainerSpec::default()
        }
    }

    /// How it ended, if that is known, and the end of what it wrote.
    fn follow(&self, id: &ContainerId) -> Result<(Option<i32>, String), EngineError> {
        let streams = Attachments { stdin: false, stdout: true, stderr: true };
        let (mut attached, _) = self.engine.start_attached(id, streams, None)?;
        let mut tail = Tail::default();
        let code = loop {
            match attached.receive()? {
                Incoming::Output(_, bytes) => tail.take(&bytes),
                Incoming::Exited(exit) => break Some(exit.code),
                Incoming::Lost => break None,
            }
        };
        Ok((code, tail.text()))
    }
}

/// The end of an output.
#[derive(Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn take(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let excess = self.0.len().saturating_sub(TAIL);
        self.0.drain(..excess);
    }

    /// Whole lines, unless there is but one.
    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        match text.split_once('\n') {
            Some((_, rest)) if self.0.len() == TAIL && !rest.is_empty() => rest.to_owned(),
            _ => text.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TAIL, Tail};

    #[test]
    fn the_end_of_long_output_is_kept_in_whole_lines() {
        let mut tail = Tail::default();
        tail.take(b"first\n");
        assert_eq!(tail.text(), "first\n");
        for number in 0..2000 {
            tail.take(format!("line {number}\n").as_bytes());
        }
        let text = tail.text();
        assert!(text.len() <= TAIL && text.starts_with("line ") && text.ends_with("line 1999\n"), "{text}");
        let mut tail = Tail::default();
        tail.take(&[b'x'; 2 * TAIL]);
        assert_eq!(tail.text().len(), TAIL);
    }
}
