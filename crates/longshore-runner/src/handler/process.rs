//! A process of a step, and what is read from its output.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_engine::{
    ContainerId, EngineError, ExecSpec, ExitStatus, Fault, Input, Output, OutputSink, ProcessIo, RunningExec,
    Stream,
};
use longshore_event::{Conclusion, LogChunk};

use super::HandlerEnd;
use crate::command::{Effect, OutputReader, StepFiles, StepOutput, StepOutputOptions};
use crate::control::{Ended, wait_limited};
use crate::environment::get;
use crate::job::{Paths, chain, shown_minutes};
use crate::step::StepCall;
use crate::voice::StepVoice;

/// How long output is waited for after the end of a process: what it started may hold its streams open for ever, and may
/// go on writing. GitHub's runner waits as long.
const STREAMS_GRACE: Duration = Duration::from_secs(5);

/// Streams that are held open and silent for this long have nothing more to say for the step.
const SILENCE: Duration = Duration::from_millis(200);

/// A process of a step.
pub(crate) struct Process {
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) working_directory: String,
    /// Whether it is an action's: then its failure is its own to explain, and the log gets no word of ours.
    pub(crate) of_action: bool,
    /// Where it runs, if not in the job's container.
    pub(crate) inside: Option<Inside>,
}

/// Another container than the job's.
pub(crate) struct Inside {
    pub(crate) container: ContainerId,
    /// The directories of the job as they are seen in it.
    pub(crate) paths: Paths,
}

/// Reads the two streams of a step. Shared with the engine's threads.
struct Ears {
    readers: [Mutex<OutputReader>; 2],
    heard: Mutex<Heard>,
    /// Whether nobody holds the streams any more.
    gone: (Mutex<bool>, Condvar),
    /// When something was heard last.
    last: Mutex<Instant>,
    voice: StepVoice,
}

/// What the output said beside its lines.
#[derive(Default)]
struct Heard {
    outputs: Vec<(String, String)>,
    state: Vec<(String, String)>,
    env: Vec<(String, String)>,
    path: Vec<String>,
    failed: bool,
}

/// The files of the job that commands name.
struct Files {
    paths: Paths,
}

impl StepFiles for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let limit = crate::command::MATCHER_FILE_LIMIT;
        for (inside, outside) in &self.paths.mounts {
            let Some(rest) = path.strip_prefix(inside.as_str()).and_then(|rest| rest.strip_prefix('/'))
            else {
                continue;
            };
            let directory = crate::job::Directory::open(outside).map_err(|error| error.to_string())?;
            return directory
                .read(rest, limit + 1)
                .map(|(content, _)| content)
                .map_err(|error| error.to_string());
        }
        Err(format!("`{path}` is not in the workspace or the temporary directory of the job"))
    }

    fn in_repository(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(self.paths.workspace.as_str())?.strip_prefix('/')?;
        Some(rest.to_owned())
    }
}

impl Process {
    /// Runs it to its end, and takes over what it says. Gives what kept it from running, so that another program may be
    /// tried.
    pub(crate) fn run(&self, call: &mut StepCall<'_>) -> Result<HandlerEnd, EngineError> {
        let place = call.steps.place;
        let paths = self.inside.as_ref().map_or(&place.paths, |inside| &inside.paths);
        let ears = Arc::new(Ears::new(call, paths));
        let spec = ExecSpec {
            command: self.command.clone(),
            env: self.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            working_directory: Some(self.working_directory.clone()),
            ..ExecSpec::default()
        };
        let sink: Arc<dyn OutputSink> = Arc::new(Sink(Arc::clone(&ears)));
        let io = ProcessIo { input: Input::Null, output: Output::Sink(sink) };
        let exec = match &self.inside {
            Some(inside) => place.engine().start_exec(&inside.container, &spec, io)?,
            None => place.exec(&spec, io)?,
        };
        let exec: Arc<dyn RunningExec> = Arc::from(exec);
        let (result, ended) = wait_limited(&*exec, &call.steps.run.task.control, &call.limits);
        ears.wait_for_streams(&exec);
        ears.flush();
        ears.hand_over(call);
        if result.as_ref().is_ok_and(|status| status.code != 0) {
            call.steps.trace.process(call.voice.step, &self.env, &self.working_directory);
        }
        Ok(match result {
            Ok(status) => end(call, status, ended, self.of_action),
            Err(error) => HandlerEnd::failed(call, chain(&error)),
        })
    }
}

fn end(call: &StepCall<'_>, status: ExitStatus, ended: Option<Ended>, of_action: bool) -> HandlerEnd {
    let code = Some(status.code);
    let run = call.steps.run;
    match ended {
        Some(Ended::TimedOut) if run.is_over() && !call.limits.after_cancel => {
            let error = format!(
                "The job has exceeded the maximum execution time of {} minutes",
                shown_minutes(call.steps.specification.timeout)
            );
            run.task.control.cancel(&error);
            call.voice.error(&error);
            HandlerEnd { outcome: Conclusion::Cancelled, exit_code: code, error: Some(error) }
        }
        Some(Ended::TimedOut) => {
            let error = call.expiry.clone().unwrap_or_else(|| "The action has timed out.".to_owned());
            call.voice.error(&error);
            HandlerEnd { outcome: Conclusion::Failure, exit_code: code, error: Some(error) }
        }
        Some(Ended::Cancelled) => {
            let error = "The operation was canceled.".to_owned();
            call.voice.error(&error);
            HandlerEnd { outcome: Conclusion::Cancelled, exit_code: code, error: Some(error) }
        }
        // A background step that another one ended did what was wanted of it.
        Some(Ended::Stopped) => HandlerEnd { outcome: Conclusion::Cancelled, exit_code: code, error: None },
        None if status.code == 0 => HandlerEnd { outcome: Conclusion::Success, exit_code: code, error: None },
        None => {
            let memory = if status.out_of_memory { " (memory ran out)" } else { "" };
            let error = format!("Process completed with exit code {}.{memory}", status.code);
            if !of_action || status.out_of_memory {
                call.voice.error(&error);
            }
            HandlerEnd { outcome: Conclusion::Failure, exit_code: code, error: Some(error) }
        }
    }
}

impl Ears {
    fn new(call: &StepCall<'_>, paths: &Paths) -> Self {
        let allowed =
            |name: &str| get(&call.env, name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let options = StepOutputOptions {
            workspace: paths.workspace.clone(),
            debug: call.steps.run.task.facts.request.debug,
            allow_unsecure_commands: allowed("ACTIONS_ALLOW_UNSECURE_COMMANDS"),
            allow_unsecure_stop_tokens: allowed("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS"),
        };
        let output = Arc::new(StepOutput::new(
            options,
            Arc::clone(&call.voice.job.run.masker),
            Arc::clone(&call.steps.matchers),
            Arc::new(Files { paths: paths.clone() }),
        ));
        Self {
            readers: [
                Mutex::new(OutputReader::new(Arc::clone(&output))),
                Mutex::new(OutputReader::new(output)),
            ],
            heard: Mutex::default(),
            gone: (Mutex::new(false), Condvar::new()),
            last: Mutex::new(Instant::now()),
            voice: call.voice.clone(),
        }
    }

    fn hear(&self, stream: Stream, bytes: &[u8]) {
        let [output, error] = &self.readers;
        let reader = if stream == Stream::Stdout { output } else { error };
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let effects = reader.read(bytes);
        self.perform(effects);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn flush(&self) {
        for reader in &self.readers {
            let effects = reader.lock().unwrap_or_else(PoisonError::into_inner).flush();
            self.perform(effects);
        }
    }

    fn perform(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Lines(lines) => self.voice.say(LogChunk { lines }),
                Effect::Annotation(annotation) => self.voice.say(annotation),
                Effect::SetOutput { name, value } => self.heard().outputs.push((name, value)),
                Effect::SaveState { name, value } => self.heard().state.push((name, value)),
                Effect::SetEnv { name, value } => self.heard().env.push((name, value)),
                Effect::AddPath(directory) => self.heard().path.push(directory),
                Effect::AddMask => {}
                Effect::Failure(_) => self.heard().failed = true,
            }
        }
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody holds the process's streams any more, but not for ever.
    fn wait_for_streams(self: &Arc<Self>, exec: &Arc<dyn RunningExec>) {
        let (mine, theirs) = (Arc::clone(self), Arc::clone(exec));
        // Nobody waits for this thread when what a step left behind keeps the streams open; it ends with the container.
        std::thread::spawn(move || {
            let _ = theirs.wait();
            *mine.gone.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            mine.gone.1.notify_all();
        });
        let ended = Instant::now();
        let mut gone = self.gone.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*gone {
            let last = (*self.last.lock().unwrap_or_else(PoisonError::into_inner)).max(ended);
            let until = (last + SILENCE).min(ended + STREAMS_GRACE);
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            gone = self.gone.1.wait_timeout(gone, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn hand_over(&self, call: &mut StepCall<'_>) {
        let heard = std::mem::take(&mut *self.heard());
        call.changes.env.extend(heard.env);
        call.changes.path.extend(heard.path);
        for (name, value) in heard.outputs {
            crate::environment::set(&mut call.outputs, &name, value);
        }
        for (name, value) in heard.state {
            crate::environment::set(&mut call.state, &name, value);
        }
        call.command_failed |= heard.failed;
    }
}

struct Sink(Arc<Ears>);

impl OutputSink for Sink {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        self.0.hear(stream, bytes);
    }
}

/// Whether a program was not found, so that another one may be tried.
pub(super) fn is_missing(error: &EngineError) -> bool {
    error.fault == Fault::CommandNotFound
}
