//! The user's terminal: raw while he is attached to a terminal of a container, and as it was afterwards, whatever
//! happens.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

/// The terminal of standard input in raw mode, until this is dropped or [`RawTerminal::restore`] is called from
/// anywhere.
#[derive(Debug, Clone)]
pub(in crate::cli::container) struct RawTerminal {
    before: Arc<Mutex<Option<Termios>>>,
    /// The first one restores when it is dropped; copies for signals do not.
    owner: bool,
}

impl RawTerminal {
    /// Makes the terminal raw.
    pub(in crate::cli::container) fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before: Arc::new(Mutex::new(Some(before))), owner: true })
    }

    /// Another handle, which does nothing by being dropped.
    pub(in crate::cli::container) fn handle(&self) -> Self {
        Self { before: Arc::clone(&self.before), owner: false }
    }

    /// Makes the terminal what it was.
    pub(in crate::cli::container) fn restore(&self) {
        if let Some(before) = self.before.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
        }
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        if self.owner {
            self.restore();
        }
    }
}

/// Whether standard input is a terminal.
pub(in crate::cli) fn is_terminal() -> bool {
    isatty(io::stdin())
}

/// Lines and columns of the user's terminal, if there is one.
pub(in crate::cli::container) fn size() -> Option<(u16, u16)> {
    let size = if isatty(io::stdout()) { tcgetwinsize(io::stdout()) } else { tcgetwinsize(io::stdin()) };
    size.ok().map(|size| (size.ws_row, size.ws_col)).filter(|(rows, columns)| *rows > 0 && *columns > 0)
}
