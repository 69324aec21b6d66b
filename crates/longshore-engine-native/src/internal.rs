//! The processes that this program starts of itself under other names.

use std::process::ExitCode;

/// What a process ends with that the engine started; `None` if this is an ordinary one. To be asked before anything else, with
/// the arguments after the program's name.
pub fn internal_main(arguments: &[String]) -> Option<ExitCode> {
    let (word, rest) = arguments.split_first()?;
    match word.as_str() {
        crate::monitor::MONITOR => Some(crate::monitor::main(rest)),
        crate::copy::COPY => Some(crate::copy::main(rest)),
        _ => None,
    }
}
