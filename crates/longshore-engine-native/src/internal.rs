//! The processes that this program starts of itself under other names.

use std::process::ExitCode;

/// What a process ends with that the engine started; `None` if this is an ordinary one. To be asked before anything else, with
/// the arguments after the program's name, and before any thread is started.
pub fn internal_main(arguments: &[String]) -> Option<ExitCode> {
    let (word, rest) = arguments.split_first()?;
    match word.as_str() {
        crate::monitor::MONITOR => Some(crate::monitor::main(rest)),
        crate::running::HOLD => Some(crate::running::hold_main()),
        crate::copy::COPY => Some(crate::copy::main(rest)),
        crate::rootless::UNPACK => Some(crate::rootless::unpack_main(rest)),
        crate::rootless::REMOVE => Some(crate::rootless::remove_main(rest)),
        _ => None,
    }
}
