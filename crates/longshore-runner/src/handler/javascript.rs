//! JavaScript actions, on Node.

use super::{HandlerEnd, Inputs, Process};
use crate::action::ResolvedAction;
use crate::environment::set;
use crate::job::chain;
use crate::step::StepCall;

/// The oldest Node that is brought: actions made for older ones run on it, as on GitHub.
const OLDEST: u32 = 20;

/// Runs an entry file of an action.
pub(super) fn run(
    call: &mut StepCall<'_>,
    action: &ResolvedAction,
    (using, entry): (&str, &str),
    inputs: &Inputs,
) -> HandlerEnd {
    let node = match node(call, using) {
        Ok(node) => node,
        Err(error) => return HandlerEnd::failed(call, error),
    };
    let files = match call.command_files() {
        Ok(files) => files,
        Err(error) => return HandlerEnd::failed(call, error),
    };
    let place = call.steps.place;
    let mut env = call.action_env(inputs);
    for (name, value) in files.variables(place) {
        set(&mut env, &name, value);
    }
    let process = Process {
        command: vec![node, format!("{}/{}", action.inside, entry.trim_start_matches("./"))],
        env,
        working_directory: place.paths.workspace.clone(),
        of_action: true,
        inside: None,
    };
    match process.run(call) {
        Ok(end) => {
            let written = files.read(place);
            call.take(written);
            end
        }
        Err(error) => HandlerEnd::failed(call, chain(&error)),
    }
}

/// The program that runs an action of this kind.
fn node(call: &StepCall<'_>, using: &str) -> Result<String, String> {
    let number = using.trim().to_ascii_lowercase();
    let number = number.strip_prefix("node").and_then(|number| number.parse::<u32>().ok());
    let wanted = number.ok_or_else(|| format!("`using: {using}` is no version of Node"))?;
    if wanted < OLDEST {
        call.voice.warning(&format!(
            "the action is made for Node {wanted}, which is no longer supported; it runs on Node {OLDEST}"
        ));
    }
    let place = call.steps.place;
    place.nodes.find(call.steps.run, place, wanted.max(OLDEST), &call.voice)
}
