//! JavaScript actions, on Node.
//!
//! Node is the image's own if it is new enough, else one that the runner brings: the action source has it from the npm
//! registry.

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
    state: &[(String, String)],
) -> HandlerEnd {
    let major = using.trim_start_matches("node").parse::<u32>().unwrap_or(OLDEST).max(OLDEST);
    let Some(node) = call.steps.place.nodes.get(&major) else {
        return HandlerEnd::failed(call, format!("there is no Node {major} for the action"));
    };
    let node = format!("{node}/bin/node");
    let files = match call.command_files() {
        Ok(files) => files,
        Err(error) => return HandlerEnd::failed(call, error),
    };
    let place = call.steps.place;
    let mut env = call.process_env();
    for (name, value) in inputs.variables().into_iter().chain(files.variables(place)) {
        set(&mut env, &name, value);
    }
    for (name, value) in state {
        set(&mut env, &format!("STATE_{name}"), value.clone());
    }
    let process = Process {
        command: vec![node, format!("{}/{entry}", action.inside)],
        env,
        working_directory: place.paths.workspace.clone(),
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
