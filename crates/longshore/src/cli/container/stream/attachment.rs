//! Being attached to a container's own process.

use std::io::{self, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_engine::{EngineError, ExitStatus};
use longshore_engine_native::{Attached, Attachments, Incoming, Sender};

use super::detach::{Detaching, Typed};
use super::{Asked, DetachKeys, Passage, RawTerminal, SignalWatch, is_terminal, size};
use crate::cli::container::failure::WorkError;

/// How one wants to be attached, as the command line says it.
#[derive(Debug, clap::Args)]
pub(in crate::cli::container) struct AttachmentArgs {
    /// Hand signals on to the command
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    sig_proxy: bool,

    /// Keys that leave it running in the background (default `ctrl-p,ctrl-q`)
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<DetachKeys>,
}

/// Being attached: prepared before the container is there, so that no signal is lost.
#[derive(Debug)]
pub(in crate::cli::container) struct Attachment {
    /// Which streams.
    pub(in crate::cli::container) streams: Attachments,
    /// The container has a terminal.
    pub(in crate::cli::container) tty: bool,
    /// The keys that end it.
    pub(in crate::cli::container) keys: DetachKeys,
    signals: SignalWatch,
}

/// How being attached ended.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli::container) enum Ending {
    /// The container ended.
    Exited(ExitStatus),
    /// The user left, and it goes on.
    Detached,
    /// Its monitor is gone.
    Lost,
}

impl AttachmentArgs {
    /// Prepares it; signals are kept from now on.
    ///
    /// # Errors
    /// Input is wanted for a terminal, and standard input is none.
    pub(in crate::cli::container) fn prepare(
        &self,
        streams: Attachments,
        tty: bool,
    ) -> Result<Attachment, WorkError> {
        if tty && streams.stdin && !is_terminal() {
            let why = io::Error::other("the input device is not a TTY");
            return Err(WorkError::new("hand a terminal on", why));
        }
        let signals = SignalWatch::begin(self.sig_proxy, tty)
            .map_err(|error| WorkError::new("watch for signals", error))?;
        Ok(Attachment { streams, tty, keys: self.detach_keys.clone().unwrap_or_default(), signals })
    }
}

impl Attachment {
    /// The size to give to the container's terminal.
    pub(in crate::cli::container) fn size(&self) -> Option<(u16, u16)> {
        if self.tty { size() } else { None }
    }

    /// Hands streams and signals on until the container ends or the user leaves.
    pub(in crate::cli::container) fn follow(self, mut attached: Attached) -> Result<Ending, EngineError> {
        let terminal = if self.tty && self.streams.stdin { RawTerminal::enter().ok() } else { None };
        let mut for_signals = attached.sender()?;
        self.signals.deal(terminal.as_ref(), move |asked| {
            // Nobody is left to be told once the container has ended.
            let _ = match asked {
                Asked::Proxy(signal) => for_signals.signal(signal),
                Asked::Resize(rows, columns) => for_signals.resize(rows, columns),
            };
        });
        let detached = Arc::new(AtomicBool::new(false));
        if self.streams.stdin {
            let (sender, detached) = (attached.sender()?, Arc::clone(&detached));
            let keys = self.tty.then_some(self.keys);
            // Reading may never end, so nobody waits for this thread.
            std::thread::spawn(move || type_on(sender, keys, &detached));
        }
        let mut passage = Passage::default();
        loop {
            match attached.receive() {
                Ok(Incoming::Output(stream, bytes)) => passage.write(stream, &bytes),
                Ok(Incoming::Exited(exit)) => return Ok(Ending::Exited(exit)),
                _ if detached.load(Ordering::Acquire) => return Ok(Ending::Detached),
                Ok(Incoming::Lost) => return Ok(Ending::Lost),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Hands on what is typed.
fn type_on(mut sender: Sender, keys: Option<DetachKeys>, detached: &AtomicBool) {
    let mut detaching = keys.map(|keys| Detaching::new(&keys));
    let mut buffer = vec![0; 64 * 1024];
    let mut input = io::stdin().lock();
    loop {
        let bytes = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => buffer.get(..length).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let typed = match &mut detaching {
            None => sender.input(bytes),
            Some(detaching) => match detaching.take(bytes) {
                Typed::Input(bytes) => sender.input(&bytes),
                Typed::Detach(bytes) => {
                    let _ = sender.input(&bytes);
                    detached.store(true, Ordering::Release);
                    sender.leave();
                    return;
                }
            },
        };
        if typed.is_err() {
            return;
        }
    }
    let _ = sender.end_of_input();
}
