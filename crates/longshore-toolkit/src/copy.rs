//! The content of one file into another: shared where the file system can, copied by the kernel where it may.
//!
//! Both ways give content of its own: a job that goes on writing its file does not change the copy.

use std::fs::File;
use std::io::{self, Write};

use rustix::fs::{copy_file_range, ioctl_ficlone};
use rustix::io::Errno;

use crate::StorageError;
use crate::error::Attempt as _;

/// What one call of the kernel copies at most, so that others can begin with what is there.
const STRETCH: usize = 8 << 20;

/// Copies all of a file that is at its beginning, and tells how far it has come; gives the number of bytes, `None` if
/// there are more than `limit`.
pub(crate) fn copy_content(
    source: &File,
    target: &File,
    limit: u64,
    mut progress: impl FnMut(u64),
) -> io::Result<Option<u64>> {
    if ioctl_ficlone(target, source).is_ok() {
        let length = target.metadata()?.len();
        progress(length);
        return Ok((length <= limit).then_some(length));
    }
    let mut copied = 0_u64;
    loop {
        match copy_file_range(source, None, target, None, STRETCH) {
            // Files that the kernel makes up as they are read say zero here.
            Ok(0) if copied == 0 => break,
            Ok(0) => return Ok(Some(copied)),
            Ok(length) => copied += length as u64,
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM)
                if copied == 0 =>
            {
                break;
            }
            Err(errno) => return Err(errno.into()),
        }
        if copied > limit {
            return Ok(None);
        }
        progress(copied);
    }
    let copied = pump(&mut { source }, &mut { target }, limit)?;
    copied.into_iter().for_each(progress);
    Ok(copied)
}

/// Copies from a reader; `None` if there is more than `limit`.
pub(crate) fn pump(
    source: &mut impl io::Read,
    target: &mut impl Write,
    limit: u64,
) -> io::Result<Option<u64>> {
    // Large enough that calls cost little, small enough that memory for it is at hand.
    let mut buffer = vec![0; 64 << 10];
    let mut copied = 0_u64;
    loop {
        let length = match source.read(&mut buffer) {
            Ok(0) => return Ok(Some(copied)),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        copied += length as u64;
        if copied > limit {
            return Ok(None);
        }
        target.write_all(buffer.get(..length).unwrap_or_default())?;
    }
}

/// What may still be written, shared by threads.
#[derive(Debug)]
pub(crate) struct Allowance {
    limit: u64,
    left: std::sync::atomic::AtomicU64,
    what: &'static str,
}

impl Allowance {
    pub(crate) fn new(limit: u64, what: &'static str) -> Self {
        Self { limit, left: limit.into(), what }
    }

    pub(crate) fn left(&self) -> u64 {
        self.left.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Takes some of it.
    pub(crate) fn spend(&self, amount: u64) -> Result<(), StorageError> {
        use std::sync::atomic::Ordering::Relaxed;
        let taken = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(amount));
        taken.map(|_| ()).map_err(|_| self.exhausted())
    }

    pub(crate) fn spent(&self) -> u64 {
        self.limit - self.left()
    }

    pub(crate) fn exhausted(&self) -> StorageError {
        StorageError::Limit { what: self.what, limit: self.limit }
    }
}

/// Copies a file's content within an allowance.
pub(crate) fn copy_allowed(
    source: &File,
    target: &File,
    allowance: &Allowance,
    shown: impl FnOnce() -> std::path::PathBuf,
) -> Result<u64, StorageError> {
    match copy_content(source, target, allowance.left(), |_| ()) {
        Ok(Some(length)) => allowance.spend(length).map(|()| length),
        Ok(None) => Err(allowance.exhausted()),
        Err(error) => Err(error).attempt("copy", shown()),
    }
}
