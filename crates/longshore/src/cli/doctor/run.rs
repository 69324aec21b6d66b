//! A container, from beginning to end: what all the other trials are about.

use std::path::Path;
use std::time::Instant;

use longshore_engine::{ContainerSpec, EngineError, ExitStatus, ImageSource, NetworkMode};
use longshore_engine_native::{NativeEngine, NativeOptions};

use super::check::CheckDto;

const ID: &str = "engine.run";
const COMMAND: [&str; 3] = ["/bin/sh", "-c", "exit 0"];

/// Runs a shell in a copy-on-write view of this machine, in an engine of its own.
pub(super) fn check(scratch: Option<&Path>) -> CheckDto {
    let Some(scratch) = scratch else {
        return CheckDto::warning(ID, "could not be tried: the home cannot be written to");
    };
    let began = Instant::now();
    match run(&scratch.join("engine")) {
        Ok((exit, warnings)) if exit.is_success() => {
            let time = format!(
                "took {} ms, from an engine without anything to one without anything, beside all other trials",
                began.elapsed().as_millis()
            );
            CheckDto::ok(ID, "a container of the image `host` ran").detail([time]).detail(warnings)
        }
        Ok((exit, warnings)) => {
            CheckDto::problem(ID, format!("a container was started, and its shell ended with {}", exit.code))
                .detail(warnings)
        }
        Err(error) => {
            let mut check = CheckDto::problem(ID, "a container cannot be run").because(&error);
            check.help.clone_from(&error.help);
            check
        }
    }
}

fn run(home: &Path) -> Result<(ExitStatus, Vec<String>), EngineError> {
    let options = NativeOptions { home: home.to_owned(), program: "/proc/self/exe".into(), brief: false };
    let engine = NativeEngine::open(&options)?;
    let spec = ContainerSpec {
        image: ImageSource::Host,
        command: COMMAND.map(str::to_owned).to_vec(),
        network: NetworkMode::None,
        ..ContainerSpec::default()
    };
    let id = engine.create(&spec, None)?;
    let ended = engine.start(&id).and_then(|warnings| Ok((engine.wait_container(&id)?, warnings)));
    // How it ended is of more interest than that it could not be removed: the directory goes with all that is in it.
    let _ = engine.remove(&id, true);
    ended
}
