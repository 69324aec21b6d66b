//! Signals that this process gets, on their way to the container's.

use std::io;

use signal_hook::consts::signal::{
    SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGWINCH,
};
use signal_hook::iterator::Signals;

use super::RawTerminal;

/// What is handed on.
const PROXIED: [i32; 9] = [SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGTSTP];

/// What ends this process, if it is not handed on.
const DEADLY: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Signals are kept from here on; what is to be done with them is said later, so that none is lost in between.
#[derive(Debug)]
pub(in crate::cli::container) struct SignalWatch {
    signals: Signals,
    proxy: bool,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli::container) enum Asked {
    /// Hand it on.
    Proxy(i32),
    /// The terminal has another size.
    Resize(u16, u16),
}

impl SignalWatch {
    /// Begins to watch: for signals to hand on, and for the size of a terminal.
    pub(in crate::cli::container) fn begin(proxy: bool, terminal: bool) -> io::Result<Self> {
        let mut watched: Vec<i32> = Vec::new();
        if proxy {
            watched.extend(PROXIED);
        } else if terminal {
            watched.extend(DEADLY);
        }
        if terminal {
            watched.push(SIGWINCH);
        }
        Ok(Self { signals: Signals::new(watched)?, proxy })
    }

    /// Deals with signals on a thread of its own, as long as the process lives.
    pub(in crate::cli::container) fn deal(
        mut self,
        terminal: Option<&RawTerminal>,
        mut act: impl FnMut(Asked) + Send + 'static,
    ) {
        let terminal = terminal.map(RawTerminal::handle);
        std::thread::spawn(move || {
            for signal in self.signals.forever() {
                if signal == SIGWINCH {
                    if let Some((rows, columns)) = super::size() {
                        act(Asked::Resize(rows, columns));
                    }
                } else if self.proxy {
                    act(Asked::Proxy(signal));
                } else {
                    if let Some(terminal) = &terminal {
                        terminal.restore();
                    }
                    // What the signal would have done had nobody looked.
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
            }
        });
    }
}
