//! Concurrency groups: who of a group runs, who waits, and who is cancelled, across all processes of this machine.
//!
//! GitHub's rules: one of a group runs; of those that wait, the newest stays and the older ones are cancelled, unless the
//! newest says `queue: max`; `cancel-in-progress` cancels the one that runs as well. Names have no letter case and count for
//! one repository. Runs and jobs share the names.
//!
//! On the disk, below a directory that carries the version of this format:
//!
//! ```text
//! 1/lock              held for moments by whoever changes something
//! 1/GROUP/NUMBER      one that entered; locked as long as it lives, and nobody's once it is not
//! 1/GROUP/NUMBER.run  it runs, and does not wait
//! 1/GROUP/NUMBER.end  it is to end
//! ```
//!
//! `GROUP` is a digest of the repository and the name. All files are empty.
//!
//! **Invariant:** locks are the kernel's, which drops them with the process, so that whatever is killed leaves nothing that
//! anybody waits for; what it leaves on the disk is removed by the next one that enters.

mod entry;
mod group;
mod ticket;

pub(crate) use group::{GroupWish, Groups};
pub(crate) use ticket::{Standing, Ticket};
