//! The files of a job as built-in actions use them: by the paths that the job knows, from outside.
//!
//! Most of them lie in directories of the job on this machine and are used where they are. What lies elsewhere in the
//! job's container (`/usr/local`, a volume, `/tmp`) is copied out of it into a directory that the job does not see, and
//! copied into it when it has changed. Both are below one directory, so that a store needs one root for everything.
//!
//! **Invariant:** links mean what they mean to the job, and lead to nothing but the job's own files.

mod ferry;
mod job_files;
mod search;

pub(crate) use job_files::{FilesError, JobFiles};
pub(crate) use search::{Found, search};
