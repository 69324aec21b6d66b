//! Ctrl-C: the first cancels as GitHub does, the second kills, the third leaves at once.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Signals that follow each other so quickly are one wish: `timeout`, for one, sends them to us and to our group.
const ECHO: Duration = Duration::from_millis(100);

type Act = Box<dyn FnOnce() + Send>;

/// What is done before the process leaves at once.
#[derive(Clone, Default)]
pub(crate) struct Parting(Arc<Mutex<Option<Act>>>);

impl Parting {
    /// Says what is to be done.
    pub(crate) fn set(&self, act: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(act));
    }

    fn act(&self) {
        let act = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(act) = act {
            act();
        }
    }
}

/// Hands signals on for as long as the process lives; the third ends it.
pub(crate) fn listen(parting: Parting, mut heard: impl FnMut() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::spawn(move || {
        let mut count = 0_u32;
        let mut last: Option<Instant> = None;
        for signal in signals.forever() {
            if last.replace(Instant::now()).is_some_and(|last| last.elapsed() < ECHO) {
                continue;
            }
            count += 1;
            heard();
            if count > 2 {
                parting.act();
                // What is left is found by the next start.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    });
    Ok(())
}
