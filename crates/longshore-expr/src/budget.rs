//! How much one evaluation may produce and do.
//!
//! An expression is short, but `format` and `join` can double a text at every level and a comparison may go through
//! a text of megabytes, so both what is made and what is gone through are counted.

use crate::eval_error::EvalErrorKind;

/// Greatest number of bytes that one evaluation may produce, intermediate results included.
pub const MAX_RESULT_BYTES: usize = 32 << 20;

/// Greatest number of bytes that one evaluation may go through.
const MAX_WORK_BYTES: usize = 256 << 20;

/// What is left of both.
#[derive(Debug)]
pub(crate) struct Budget {
    result: usize,
    work: usize,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { result: MAX_RESULT_BYTES, work: MAX_WORK_BYTES }
    }

    /// Bytes that may still be produced.
    pub(crate) fn result_left(&self) -> usize {
        self.result
    }

    /// Counts bytes that are about to be produced.
    pub(crate) fn produce(&mut self, bytes: usize) -> Result<(), EvalErrorKind> {
        self.result = self.result.checked_sub(bytes).ok_or(EvalErrorKind::TooLarge)?;
        Ok(())
    }

    /// Counts bytes that are about to be gone through.
    pub(crate) fn look_at(&mut self, bytes: usize) -> Result<(), EvalErrorKind> {
        self.work = self.work.checked_sub(bytes).ok_or(EvalErrorKind::TooLarge)?;
        Ok(())
    }
}
