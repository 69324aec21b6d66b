//! Programs of the job's container, run for what they print.

use std::sync::{Arc, Mutex, PoisonError};

use longshore_engine::{EngineError, ExecSpec, Input, Output, OutputSink, ProcessIo, RunningExec, Stream};

use crate::control::{Ended, wait_limited};
use crate::step::StepCall;

/// More than this of what a program prints is not kept.
const LIMIT: usize = 1 << 20;

/// What a program printed, and how it ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Captured {
    pub(super) code: i32,
    pub(super) output: String,
    pub(super) error: String,
    pub(super) ended: Option<Ended>,
}

#[derive(Default)]
struct Kept([Mutex<Vec<u8>>; 2]);

impl OutputSink for Kept {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let [output, error] = &self.0;
        let kept = if stream == Stream::Stdout { output } else { error };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let left = LIMIT.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(bytes.get(..left).unwrap_or_default());
    }
}

impl Captured {
    /// Whether it ended well.
    pub(super) fn is_success(&self) -> bool {
        self.code == 0 && self.ended.is_none()
    }

    /// The first line that it printed.
    pub(super) fn first_line(&self) -> &str {
        self.output.lines().next().unwrap_or_default().trim()
    }
}

/// Runs a program in the job's container, with the step's variables and some more.
pub(super) fn capture(
    call: &StepCall<'_>,
    command: &[&str],
    env: &[(&str, &str)],
) -> Result<Captured, EngineError> {
    let kept = Arc::new(Kept::default());
    let mut variables: Vec<String> =
        call.process_env().iter().map(|(name, value)| format!("{name}={value}")).collect();
    variables.extend(env.iter().map(|(name, value)| format!("{name}={value}")));
    let spec = ExecSpec {
        command: command.iter().map(ToString::to_string).collect(),
        env: variables,
        working_directory: Some(call.steps.place.paths.workspace.clone()),
        ..ExecSpec::default()
    };
    let sink: Arc<dyn OutputSink> = Arc::clone(&kept) as Arc<dyn OutputSink>;
    let exec: Arc<dyn RunningExec> = Arc::from(
        call.steps.place.exec(&spec, ProcessIo { input: Input::Null, output: Output::Sink(sink) })?,
    );
    let (status, ended) = wait_limited(&*exec, &call.steps.run.task.control, &call.limits);
    let status = status?;
    exec.wait()?;
    let text = |kept: &Mutex<Vec<u8>>| {
        String::from_utf8_lossy(&kept.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    };
    let [output, error] = &kept.0;
    Ok(Captured { code: status.code, output: text(output), error: text(error), ended })
}

/// The same for a script of `sh`; `$1` and so on are its arguments.
pub(super) fn script(call: &StepCall<'_>, text: &str, arguments: &[&str]) -> Result<Captured, EngineError> {
    let mut command = vec!["sh", "-c", text, "sh"];
    command.extend(arguments);
    capture(call, &command, &[])
}
