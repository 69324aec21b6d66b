//! Asking the person at the terminal for what must not be seen.
//!
//! The terminal hands keys on one by one meanwhile, Ctrl-C included: who gives up gets a terminal back that shows what is
//! typed. What edits a line is what terminals offer themselves (`termios(3)`: erase, kill, end of file).

use std::io::{self, IsTerminal as _, Read, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGINT, SIGQUIT};

use crate::output::Output;

/// The longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// How typing ended.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    Line(String),
    /// This signal was typed.
    Signal(i32),
}

/// Asks without showing what is typed; `None` if there is no terminal to ask at.
pub(crate) fn hidden(prompt: &str, output: &mut Output) -> io::Result<Option<String>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(None);
    }
    let before = tcgetattr(&stdin)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    output.complain(prompt);
    let typed = read_keys(&mut stdin.lock());
    // What was typed ahead is meant for what comes next.
    let restored = tcsetattr(&stdin, OptionalActions::Drain, &before);
    let _ = io::stderr().write_all(b"\n");
    restored?;
    match typed? {
        Typed::Line(line) => Ok(Some(line)),
        Typed::Signal(signal) => {
            signal_hook::low_level::emulate_default_handler(signal)?;
            Err(io::ErrorKind::Interrupted.into())
        }
    }
}

/// Reads keys up to the end of the line.
fn read_keys(keys: &mut impl Read) -> io::Result<Typed> {
    let mut line = Vec::new();
    let mut key = [0];
    loop {
        match keys.read(&mut key) {
            Ok(0) => return Ok(finished(&line)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        match key[0] {
            b'\r' | b'\n' => return Ok(finished(&line)),
            // Ctrl-D: at the beginning the end of all; later it changes nothing.
            4 if line.is_empty() => return Ok(finished(&line)),
            4 => {}
            3 => return Ok(Typed::Signal(SIGINT)),
            0x1c => return Ok(Typed::Signal(SIGQUIT)),
            8 | 0x7f => erase(&mut line),
            // Ctrl-U.
            0x15 => line.clear(),
            byte if line.len() < MAX_ANSWER => line.push(byte),
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long")),
        }
    }
}

fn finished(line: &[u8]) -> Typed {
    Typed::Line(String::from_utf8_lossy(line).into_owned())
}

/// Takes the last character away, all of its bytes.
fn erase(line: &mut Vec<u8>) {
    while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
}

#[cfg(test)]
mod tests {
    use super::{SIGINT, Typed, read_keys};

    #[test]
    fn keys_make_a_line() {
        for (keys, line) in [
            ("secret\rnext", "secret"),
            ("secret\n", "secret"),
            ("no end", "no end"),
            ("\u{4}", ""),
            ("a\u{4}b\r", "ab"),
            ("seä\u{7f}cret\r", "secret"),
            ("\u{8}\u{7f}a\r", "a"),
            ("wrong\u{15}right\r", "right"),
            (" with blanks \r", " with blanks "),
        ] {
            assert_eq!(read_keys(&mut keys.as_bytes()).unwrap(), Typed::Line(line.to_owned()), "{keys:?}");
        }
        assert_eq!(read_keys(&mut &b"half\x03"[..]).unwrap(), Typed::Signal(SIGINT));
        assert!(read_keys(&mut vec![b'x'; 70_000].as_slice()).is_err());
    }
}
