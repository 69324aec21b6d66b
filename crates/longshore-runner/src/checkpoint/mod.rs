//! Checkpoints: the files of a job as each step found them, so that a kept job can go back to any of its steps.
//!
//! The root of a container that runs cannot be exchanged, so there is no freezing of its layer: a checkpoint is a [`tree`]
//! of names, attributes and identities (inode, time of change, size), made by a [`scan`] that shares with the one before
//! whatever has not changed. That takes about a microsecond for a file. Contents are copied to a [`shelf`] beside it;
//! file systems that can share extents do that instead. A file that nothing has touched since needs no copy, because it is
//! still there: so copies may wait, and what is checked out once and never changed costs nothing in a job that is short.
//!
//! What that may cost is bounded. Little work (see [`policy`]) is always done, so that small jobs can go back to each of
//! their steps; more is done as far as a share of the job's time allows. A tree that is too large for its step gets no
//! checkpoint, and a file that was changed before its turn spoils the checkpoints that need it. Both are found out, and
//! told, when somebody wants to go back.
//!
//! **Invariant:** what is restored is exact or refused before anything is changed. Nothing here fails a job. What steps have
//! made is hostile: no link is followed, and all is bounded.

mod document;
mod job;
mod policy;
mod restore;
mod scan;
mod shelf;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use job::{Checkpoints, NotRestored};
