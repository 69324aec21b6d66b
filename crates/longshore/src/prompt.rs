//! Asking the person at the terminal for what must not be seen.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::output::Output;

/// The longest answer that is read.
const MAX_ANSWER: u64 = 64 * 1024;

/// Asks without showing what is typed; `None` if there is no terminal to ask at.
pub(crate) fn hidden(prompt: &str, output: &mut Output) -> io::Result<Option<String>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(None);
    }
    let before = tcgetattr(&stdin)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    output.complain(prompt);
    let mut line = String::new();
    let read = stdin.lock().take(MAX_ANSWER).read_line(&mut line);
    let restored = tcsetattr(&stdin, OptionalActions::Flush, &before);
    let _ = io::stderr().write_all(b"\n");
    restored?;
    read?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}
