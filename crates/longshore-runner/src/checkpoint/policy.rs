//! How much checkpoints may cost.

use std::time::Duration;

/// Trees up to so many entries are looked through before each step.
pub(super) const FEW_ENTRIES: usize = 2_000;

/// So many files are copied at once.
pub(super) const FEW_FILES: usize = 64;

/// So many bytes are copied at once.
pub(super) const FEW_BYTES: u64 = 4 << 20;

/// Larger trees have no checkpoints.
pub(super) const MOST_ENTRIES: usize = 100_000;

/// Deeper ones neither.
pub(super) const DEEPEST: usize = 128;

/// How many bytes the copies of a job take at most; older checkpoints give way.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// With less room than this on the disk, nothing is copied: the job needs it more.
pub(super) const LEAST_ROOM: u64 = 2 << 30;

/// What each step adds to the time that may be spent on more than that.
const STEP: Duration = Duration::from_millis(2);

/// Of the time of the job, one part in so many may be spent, too.
const SHARE: u32 = 20;

/// Time that may be spent.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    earned: Duration,
    spent: Duration,
}

impl Allowance {
    /// A step has taken so long.
    pub(super) fn earn(&mut self, took: Duration) {
        self.earned += STEP + took / SHARE;
    }

    pub(super) fn spend(&mut self, time: Duration) {
        self.spent += time;
    }

    /// What is left.
    pub(super) fn left(&self) -> Duration {
        self.earned.saturating_sub(self.spent)
    }
}
