//! How many jobs run at the same time.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Places for jobs, shared by all runs of one invocation.
#[derive(Debug, Clone)]
pub struct Slots {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    free: Mutex<usize>,
    changed: Condvar,
}

/// A place that a job has; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    shared: Arc<Shared>,
}

impl Slots {
    /// So many places, at least one.
    pub fn new(count: usize) -> Self {
        Self { shared: Arc::new(Shared { free: Mutex::new(count.max(1)), changed: Condvar::new() }) }
    }

    /// A place, if one is free.
    pub(crate) fn take(&self) -> Option<Slot> {
        let mut free = self.shared.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        Some(Slot { shared: Arc::clone(&self.shared) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *self.shared.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.shared.changed.notify_all();
    }
}
