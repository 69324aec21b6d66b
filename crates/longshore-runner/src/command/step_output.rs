//! What the readers of a step's two streams share.
//!
//! Sans-IO. The lock is taken for commands and findings only: lines that are neither go through both readers side by side.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_event::{Annotation, AnnotationLevel, Masker};

use super::effect::Effects;
use super::matcher::Matchers;
use super::workflow_command::{CommandName, WorkflowCommand};

/// More annotations than anybody reads; further ones stand in the log only.
const ANNOTATIONS_PER_STEP: usize = 1000;

/// The shortest token of `stop-commands` that is a secret, in UTF-16 units as .NET counts.
const SECRET_TOKEN: usize = 7;

/// What GitHub says of a token that anybody could guess.
const TOKEN_REFUSED: &str = "You cannot use a endToken that is an empty string, the string 'pause-logging', or another \
workflow command. For more information see: https://docs.github.com/actions/learn-github-actions/\
workflow-commands-for-github-actions#example-stopping-and-starting-workflow-commands or opt into insecure command \
execution by setting the `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS` environment variable to `true`.";

/// The files that a step names, by their absolute paths in its own file system.
pub trait StepFiles: Send + Sync {
    /// Reads a file of problem matchers. Whoever reads need not read more than one byte beyond
    /// [`MATCHER_FILE_LIMIT`](super::MATCHER_FILE_LIMIT).
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// How a file is called from the root of the workflow's repository, if it is there.
    fn in_repository(&self, path: &str) -> Option<String>;
}

/// How a step's output is read.
#[derive(Debug, Clone, Default)]
pub struct StepOutputOptions {
    /// `github.workspace`, as the step sees it.
    pub workspace: String,
    /// Whether messages for debugging are shown (`ACTIONS_STEP_DEBUG`); then commands are, too.
    pub debug: bool,
    /// Whether `set-env` and `add-path` are carried out (`ACTIONS_ALLOW_UNSECURE_COMMANDS`).
    pub allow_unsecure_commands: bool,
    /// Whether any token may stop commands (`ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS`).
    pub allow_unsecure_stop_tokens: bool,
}

/// The output of one step: what was said so far that changes the meaning of later lines.
pub struct StepOutput {
    pub(super) options: StepOutputOptions,
    pub(super) masker: Arc<Masker>,
    pub(super) matchers: Arc<Matchers>,
    pub(super) files: Arc<dyn StepFiles>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// What lets commands go on, if they are stopped.
    stopped: Option<String>,
    /// Whether commands are shown before they are carried out.
    pub(super) echo: bool,
    /// Commands whose age was warned of.
    pub(super) warned: Vec<CommandName>,
    annotations: usize,
}

/// What became of a line that may be a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is none.
    Text,
    /// It was carried out.
    Command,
    /// It goes on, and cannot be carried out in part: no piece of the line may be shown.
    Refused,
}

impl std::fmt::Debug for StepOutput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StepOutput").field("options", &self.options).finish_non_exhaustive()
    }
}

impl StepOutput {
    /// The output of a step that begins. The matchers are those of its job.
    pub fn new(
        options: StepOutputOptions,
        masker: Arc<Masker>,
        matchers: Arc<Matchers>,
        files: Arc<dyn StepFiles>,
    ) -> Self {
        let state = Mutex::new(State { echo: options.debug, ..State::default() });
        Self { options, masker, matchers, files, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries a line out, if it is a command. `whole` says whether it is the whole line.
    pub(super) fn command(&self, line: &str, whole: bool, effects: &mut Effects<'_>) -> Verdict {
        let mut state = self.state();
        let resumes = |name: &str| state.stopped.as_deref().is_some_and(|token| same_name(token, name));
        let known = |name: &str| CommandName::parse(name).is_some() || resumes(name);
        let Some(command) = WorkflowCommand::parse(line, known) else { return Verdict::Text };
        if let Some(token) = &state.stopped {
            return if !token.is_empty() && same_name(token, &command.name) {
                state.stopped = None;
                effects.line(line.into());
                self.debug("Resume processing commands", effects);
                Verdict::Command
            } else {
                let waiting =
                    format!("Process commands has been stopped and waiting for '##[{token}]' to resume.");
                self.debug(&waiting, effects);
                Verdict::Text
            };
        }
        let Some(name) = CommandName::parse(&command.name) else { return Verdict::Text };
        if !whole && !name.is_message() {
            let problem = "The line is longer than 1 MiB.";
            Self::fail(name.as_str(), problem, &mut state, effects);
            return Verdict::Refused;
        }
        if name == CommandName::StopCommands {
            self.stop(line, &command.data, &mut state, effects);
            return Verdict::Command;
        }
        if state.echo && !name.omits_echo() {
            effects.text("", line);
        }
        if let Err(problem) = self.perform(name, &command, &mut state, effects) {
            let shown = if name.omits_echo() { name.as_str() } else { line };
            Self::fail(shown, &problem, &mut state, effects);
        }
        Verdict::Command
    }

    fn stop(&self, line: &str, token: &str, state: &mut State, effects: &mut Effects<'_>) {
        let guessable = token.is_empty()
            || CommandName::parse(token).is_some()
            || token.eq_ignore_ascii_case("pause-logging");
        if guessable && !self.options.allow_unsecure_stop_tokens {
            state.finding(Annotation::new(AnnotationLevel::Error, TOKEN_REFUSED), None, effects);
            effects.failure(TOKEN_REFUSED);
            return;
        }
        state.stopped = Some(token.to_owned());
        if token.encode_utf16().count() >= SECRET_TOKEN {
            self.masker.add([token]);
        }
        effects.line(line.into());
        let paused =
            "Paused processing commands until the token you called ::stopCommands:: with is received";
        self.debug(paused, effects);
    }

    /// Says that a command could not be carried out, for which the step fails.
    fn fail(command: &str, problem: &str, state: &mut State, effects: &mut Effects<'_>) {
        let unable = format!("Unable to process command '{command}' successfully.");
        for text in [unable.as_str(), problem] {
            state.finding(Annotation::new(AnnotationLevel::Error, text), None, effects);
        }
        effects.failure(problem);
    }

    /// Reports what a matcher found in a line.
    pub(super) fn matched(&self, annotation: Annotation, line: &str, effects: &mut Effects<'_>) {
        self.state().finding(annotation, Some(line), effects);
    }

    /// Says something to those who debug.
    pub(super) fn debug(&self, text: &str, effects: &mut Effects<'_>) {
        if self.options.debug {
            effects.debug(text);
        }
    }
}

impl State {
    /// Reports a finding; `line` is what stands in the log for it, if not its message.
    pub(super) fn finding(&mut self, annotation: Annotation, line: Option<&str>, effects: &mut Effects<'_>) {
        self.annotations = self.annotations.saturating_add(1);
        effects.finding(annotation, line, self.annotations <= ANNOTATIONS_PER_STEP);
    }
}

fn same_name(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right) || left.to_lowercase() == right.to_lowercase()
}
