//! `run` steps.

use longshore_engine::EngineError;
use longshore_workflow::template::Token;

use super::process::is_missing;
use super::{HandlerEnd, Process};
use crate::evaluate::{EvaluationError, Evaluator};
use crate::job::chain;
use crate::shell::{Shell, ShellHost};
use crate::step::StepCall;

/// Carries out a script.
pub(super) fn main(
    call: &mut StepCall<'_>,
    script: &Token,
    shell: Option<&Token>,
    working_directory: Option<&Token>,
) -> HandlerEnd {
    let texts = match evaluate(call, script, shell, working_directory) {
        Ok(texts) => texts,
        Err(error) => return HandlerEnd::failed(call, error.to_string()),
    };
    let host = if call.steps.place.in_container { ShellHost::Container } else { ShellHost::Machine };
    match Shell::parse(&texts.shell, host) {
        Ok(shell) => run(call, &shell, &texts),
        Err(error) => HandlerEnd::failed(call, error.to_string()),
    }
}

/// What the file says of a script, evaluated.
struct Texts {
    script: String,
    shell: String,
    working_directory: String,
}

fn evaluate(
    call: &StepCall<'_>,
    script: &Token,
    shell: Option<&Token>,
    working_directory: Option<&Token>,
) -> Result<Texts, EvaluationError> {
    let evaluator = Evaluator::new(call.frame.file, &call.scope);
    let text = |token: Option<&Token>, default: &Option<String>| -> Result<String, EvaluationError> {
        let text = token.map(|token| evaluator.text(token)).transpose()?.filter(|text| !text.is_empty());
        // The defaults of a job do not reach into the actions that it uses.
        let default = default.as_ref().filter(|_| call.frame.depth == 0);
        Ok(text.or_else(|| default.cloned()).unwrap_or_default())
    };
    let specification = call.steps.specification;
    let directory = text(working_directory, &specification.working_directory)?;
    let workspace = &call.steps.place.paths.workspace;
    let working_directory = match directory.as_str() {
        "" => workspace.clone(),
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => format!("{workspace}/{}", relative.trim_start_matches("./")),
    };
    Ok(Texts {
        script: evaluator.text(script)?,
        shell: text(shell, &specification.shell)?,
        working_directory,
    })
}

fn run(call: &mut StepCall<'_>, shell: &Shell, texts: &Texts) -> HandlerEnd {
    let place = call.steps.place;
    let name = format!("{}{}", crate::step::unique(), shell.extension());
    let content = shell.script(&texts.script);
    if let Err(error) = place.commands.create(&name, content.as_bytes(), 0o755) {
        return HandlerEnd::failed(call, format!("failed to write the script of the step: {error}"));
    }
    let files = match call.command_files() {
        Ok(files) => files,
        Err(error) => return HandlerEnd::failed(call, error),
    };
    let arguments = match shell.arguments(&format!("{}/{name}", place.paths.commands)) {
        Ok(arguments) => arguments,
        Err(error) => return HandlerEnd::failed(call, error.to_string()),
    };
    let mut env = call.script_env();
    env.extend(files.variables(place));
    let programs: Vec<String> = shell.programs().map(str::to_owned).collect();
    let mut process = Process {
        command: Vec::new(),
        env,
        working_directory: texts.working_directory.clone(),
        of_action: false,
        inside: None,
    };
    let mut missing: Option<EngineError> = None;
    for (at, program) in programs.iter().enumerate() {
        process.command = std::iter::once(program.clone()).chain(arguments.iter().cloned()).collect();
        if at == 0 {
            let env = call.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let header = shell.header(&texts.script, program, env);
            call.voice.lines(header.iter().map(String::as_str));
        }
        match process.run(call) {
            Ok(end) => {
                let written = files.read(place);
                call.take(written);
                return end;
            }
            // What the first one lacks is what the step lacks, such as its working directory.
            Err(error) if is_missing(&error) => missing = missing.or(Some(error)),
            Err(error) => return HandlerEnd::failed(call, chain(&error)),
        }
    }
    let why =
        missing.map_or_else(|| "there is no shell to run the script with".to_owned(), |error| chain(&error));
    HandlerEnd::failed(call, why)
}
