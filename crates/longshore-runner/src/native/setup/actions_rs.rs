//! `actions-rs/toolchain` and `actions-rs/cargo`, which nobody keeps any more and many workflows still use.

use super::super::inputs::Given;
use super::failure::{SetupError, end};
use super::matcher::{RUST, register};
use super::rust::{file, install};
use crate::environment::{set, words};
use crate::handler::{HandlerEnd, Process};
use crate::job::chain;
use crate::step::StepCall;

/// `actions-rs/toolchain`: the toolchain that is given, or that a file names.
pub(crate) fn toolchain(call: &mut StepCall<'_>) -> HandlerEnd {
    let result = set_toolchain(call);
    end(call, result)
}

fn set_toolchain(call: &mut StepCall<'_>) -> Result<(), SetupError> {
    let given = Given(call);
    let wanted = match given.text("toolchain") {
        "" => file(call)?.ok_or(super::super::inputs::InputError::Missing("toolchain"))?,
        own => own.to_owned(),
    };
    let said = install(call, &wanted, given.text("components"), given.text("target"))?;
    let line = |start: &str| {
        said.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().trim().to_owned()
    };
    // Versions without the names of the programs, as the action gives them.
    let version = |text: String| text.split_once(' ').map_or(String::new(), |(_, rest)| rest.to_owned());
    let outputs = [
        ("rustc", line("rustc ")),
        ("rustc_hash", line("commit-hash:")),
        ("cargo", version(line("cargo: "))),
        ("rustup", version(line("rustup: "))),
    ];
    for (name, value) in outputs {
        set(&mut call.outputs, name, value);
    }
    Ok(())
}

/// `actions-rs/cargo`: one command of cargo.
pub(crate) fn cargo(call: &mut StepCall<'_>) -> HandlerEnd {
    let command = match command(call) {
        Ok(command) => command,
        Err(error) => return HandlerEnd::failed(call, chain(&error)),
    };
    register(call, RUST);
    call.voice.line(&format!("[command]{}", command.join(" ")));
    let process = Process {
        command,
        env: call.process_env(),
        working_directory: call.steps.place.paths.workspace.clone(),
        inside: None,
        of_action: true,
    };
    process.run(call).unwrap_or_else(|error| HandlerEnd::failed(call, chain(&error)))
}

fn command(call: &StepCall<'_>) -> Result<Vec<String>, SetupError> {
    let given = Given(call);
    if given.boolean("use-cross", false)? {
        let said = "`use-cross` is not built in: run `cross` in a step, or use `--actions=upstream`";
        return Err(SetupError::Failed { tool: "cargo", said: said.to_owned() });
    }
    let mut command = vec!["cargo".to_owned()];
    let toolchain = given.text("toolchain");
    if !toolchain.is_empty() {
        command.push(format!("+{}", toolchain.trim_start_matches('+')));
    }
    command.push(given.required("command")?.to_owned());
    let arguments = words(given.text("args")).ok_or_else(|| SetupError::Version {
        tool: "`args`",
        wanted: given.text("args").to_owned(),
        help: "close its quote",
    })?;
    command.extend(arguments);
    Ok(command)
}
