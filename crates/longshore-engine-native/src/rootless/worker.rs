//! Work on files of subordinate ids, by a process in a user namespace in which they are mapped.
//!
//! It is this same program under other names, like a monitor. What went wrong comes back over its standard output.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use longshore_engine::{EngineError, Fault};

use super::{enter, needs_worker};
use crate::control::FailureDto;
use crate::home::io_error;

/// The word that makes the program unpack an image.
pub(crate) const UNPACK: &str = "__unpack";

/// The word that makes the program remove a directory.
pub(crate) const REMOVE: &str = "__remove";

/// Who does the work.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    /// This program; nothing if this process can do it itself.
    program: Option<PathBuf>,
}

impl Worker {
    /// One for whoever this process is.
    pub(crate) fn new(program: &Path) -> Self {
        Self { program: needs_worker().then(|| program.to_owned()) }
    }

    /// For a process that is in the namespace of its files.
    pub(crate) fn within() -> Self {
        Self { program: None }
    }

    /// Unpacks an image of a store. It is left to the caller to do so if that needs nobody else.
    pub(crate) fn unpack(&self, store: &Path, name: &str, platform: Option<&str>) -> Result<(), EngineError> {
        self.run(UNPACK, &[store.as_os_str(), name.as_ref(), platform.unwrap_or_default().as_ref()])
    }

    /// Removes a directory of the engine, with all that is in it, if this process could not.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), EngineError> {
        self.run(REMOVE, &[path.as_os_str()])
    }

    fn run(&self, word: &str, arguments: &[&std::ffi::OsStr]) -> Result<(), EngineError> {
        let Some(program) = &self.program else { return Ok(()) };
        let failed = || EngineError::new(Fault::Environment, format!("failed to run `longshore {word}`"));
        let mut command = Command::new(program);
        command.arg(word).args(arguments).env_clear().current_dir("/");
        command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
        let output = command.output().map_err(|error| failed().because(error))?;
        if output.status.success() {
            return Ok(());
        }
        match serde_json::from_slice::<FailureDto>(&output.stdout) {
            Ok(failure) => Err(failure.into()),
            Err(_) => Err(failed().because(output.status.to_string())),
        }
    }
}

/// The main function of the process that unpacks: `__unpack STORE NAME PLATFORM`.
pub(crate) fn unpack_main(arguments: &[String]) -> ExitCode {
    answer(arguments, |arguments| match arguments {
        [store, name, platform] => {
            let platform = Some(platform.as_str()).filter(|platform| !platform.is_empty());
            crate::images::unpack(Path::new(store), name, platform)
        }
        _ => Err(misused()),
    })
}

/// The main function of the process that removes: `__remove PATH`.
pub(crate) fn remove_main(arguments: &[String]) -> ExitCode {
    answer(arguments, |arguments| match arguments {
        [path] => {
            let path = Path::new(path);
            crate::removal::remove(path).map_err(|error| io_error("remove", path, error))
        }
        _ => Err(misused()),
    })
}

fn misused() -> EngineError {
    EngineError::new(Fault::Bug, "a worker was started with other arguments than it takes")
}

/// Enters the namespace, works, and tells how it went.
fn answer(arguments: &[String], work: impl Fn(&[String]) -> Result<(), EngineError>) -> ExitCode {
    let Err(error) = enter().and_then(|_| work(arguments)) else { return ExitCode::SUCCESS };
    // Nobody reads it who does not know already that something failed.
    let _ = serde_json::to_writer(std::io::stdout(), &FailureDto::from(&error));
    ExitCode::FAILURE
}
