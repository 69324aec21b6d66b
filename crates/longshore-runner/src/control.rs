//! Cancelling, killing, and the limits of time.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_engine::RunningExec;

/// How long a step has after `SIGINT` before `SIGTERM`, and after that before `SIGKILL`, as on GitHub.
const INTERRUPT_GRACE: Duration = Duration::from_millis(7500);
const TERMINATE_GRACE: Duration = Duration::from_millis(2500);

const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// What the person at the keyboard, or a server, wants of all runs of an invocation.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    shared: Arc<Mutex<Wanted>>,
}

#[derive(Debug, Default)]
struct Wanted {
    wish: Wish,
    /// Why, if it was not a person at the keyboard.
    reason: Option<String>,
}

/// How much of it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Wish {
    /// Go on.
    #[default]
    GoOn,
    /// Cancel, as GitHub does: steps that always run still run.
    Cancel,
    /// End everything now.
    Kill,
}

impl Shutdown {
    /// Asks for more: first to cancel, then to kill. Gives how often it was asked.
    pub fn ask(&self) -> u32 {
        let mut wanted = self.wanted();
        wanted.wish = match wanted.wish {
            Wish::GoOn => Wish::Cancel,
            Wish::Cancel | Wish::Kill => Wish::Kill,
        };
        wanted.wish as u32
    }

    /// Asks to cancel, if nobody has, and says why.
    pub fn cancel(&self, reason: &str) {
        let mut wanted = self.wanted();
        if wanted.wish == Wish::GoOn {
            *wanted = Wanted { wish: Wish::Cancel, reason: Some(reason.to_owned()) };
        }
    }

    pub(crate) fn wish(&self) -> Wish {
        self.wanted().wish
    }

    /// Why an end is wanted.
    pub(crate) fn reason(&self) -> String {
        let wanted = self.wanted();
        let usual = if wanted.wish == Wish::Kill { "killed" } else { "interrupted" };
        wanted.reason.clone().unwrap_or_else(|| usual.to_owned())
    }

    fn wanted(&self) -> std::sync::MutexGuard<'_, Wanted> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wanted of one job. Shared by the dispatcher and the threads of the job.
#[derive(Debug, Default)]
pub(crate) struct JobControl {
    state: Mutex<ControlState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct ControlState {
    /// How often it was cancelled; a step heeds what comes after its start.
    cancelled: Option<String>,
    killed: bool,
}

/// Why a process was ended by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The job was cancelled.
    Cancelled,
    /// Its time was over.
    TimedOut,
    /// A step asked for it (`cancel:`).
    Stopped,
}

impl JobControl {
    /// Cancels the job; the first reason counts.
    pub(crate) fn cancel(&self, reason: &str) {
        self.lock().cancelled.get_or_insert_with(|| reason.to_owned());
        self.changed.notify_all();
    }

    /// Ends everything now.
    pub(crate) fn kill(&self) {
        let mut state = self.lock();
        state.killed = true;
        state.cancelled.get_or_insert_with(|| "killed".to_owned());
        drop(state);
        self.changed.notify_all();
    }

    /// Why it was cancelled, if it was.
    pub(crate) fn cancelled(&self) -> Option<String> {
        self.lock().cancelled.clone()
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.lock().killed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ControlState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Limits of one step: when it must have ended, and who may end it.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// When its time is over.
    pub(crate) deadline: Option<Instant>,
    /// It began after the job was cancelled (`always()`), so only killing ends it.
    pub(crate) after_cancel: bool,
    /// Set by a `cancel:` step.
    pub(crate) stop: Arc<StopFlag>,
}

/// Whether a background step is to end.
#[derive(Debug, Default)]
pub(crate) struct StopFlag {
    asked: std::sync::atomic::AtomicBool,
}

impl StopFlag {
    pub(crate) fn ask(&self, control: &JobControl) {
        self.asked.store(true, std::sync::atomic::Ordering::SeqCst);
        // Taken, so that a watcher between its look and its wait does not miss it.
        drop(control.lock());
        control.changed.notify_all();
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// Waits for a process, and ends it if it must end before: `SIGINT`, after a while `SIGTERM`, after a while `SIGKILL` for it
/// and all that descends from it.
pub(crate) fn wait_limited(
    exec: &dyn RunningExec,
    control: &JobControl,
    limits: &Limits,
) -> (Result<longshore_engine::ExitStatus, longshore_engine::EngineError>, Option<Ended>) {
    let done = std::sync::atomic::AtomicBool::new(false);
    let ended = Mutex::new(None);
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            let reason = watch(exec, control, limits, &done);
            *ended.lock().unwrap_or_else(PoisonError::into_inner) = reason;
        });
        let result = exec.wait_process();
        let state = control.lock();
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        drop(state);
        control.changed.notify_all();
        result
    });
    (result, ended.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The signals that ask a process to end, with the time that it has after each.
fn signals(reason: Ended) -> &'static [(i32, Duration)] {
    match reason {
        // As GitHub documents it of `cancel:` steps.
        Ended::Stopped => &[(SIGTERM, INTERRUPT_GRACE)],
        Ended::Cancelled | Ended::TimedOut => &[(SIGINT, INTERRUPT_GRACE), (SIGTERM, TERMINATE_GRACE)],
    }
}

/// Ends the process if it must; why, if it did.
fn watch(
    exec: &dyn RunningExec,
    control: &JobControl,
    limits: &Limits,
    done: &std::sync::atomic::AtomicBool,
) -> Option<Ended> {
    let is_done = || done.load(std::sync::atomic::Ordering::SeqCst);
    let mut state = control.lock();
    let reason = loop {
        if is_done() {
            return None;
        }
        if state.killed {
            break Ended::Cancelled;
        }
        if state.cancelled.is_some() && !limits.after_cancel {
            break Ended::Cancelled;
        }
        if limits.stop.is_asked() {
            break Ended::Stopped;
        }
        state = match limits.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => break Ended::TimedOut,
            Some(left) => control.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            None => control.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
    };
    for &(signal, grace) in signals(reason) {
        if state.killed {
            break;
        }
        let _ = exec.signal_tree(signal);
        let until = Instant::now() + grace;
        while !is_done() && !state.killed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = control.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if is_done() {
            return Some(reason);
        }
    }
    drop(state);
    let _ = exec.signal_tree(SIGKILL);
    Some(reason)
}
