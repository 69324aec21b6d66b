//! Runs as they were: their events and logs on disk, lists of them, and how long they are kept.
//!
//! A run is a directory of plain files, which `ls`, `cat` and `tail -f` read as well as this crate does:
//!
//! ```text
//! runs/
//!   counters.json            the last id, and the last number of each workflow; the version of all this
//!   lock                     held for moments: while an id is given out, or a run is moved away
//!   trash/                   what is being removed
//!   7/
//!     lock                   held as long as the run lives
//!     events.ndjson          every event but output, one a line; the first says which version
//!     logs/test%2F2/3.log    what step 3 of the job `test/2` printed, each line with its time
//!     artifacts/, kept/      what other parts keep beside a run
//! ```
//!
//! There is no database. The starting design projects events into `SQLite`; but every question that a person has of the
//! runs on one machine (which were there, what happened in this one, what did this step print) is answered by listing a
//! directory and reading the first line, the last line or the whole of one file. What that leaves out is a C compiler in
//! the build, a format that only one program reads, and a write-ahead log between a run and its record. A server, which
//! is asked about many runs of many machines at once, brings a database of its own and fills it from the same events.
//!
//! - [`History`] is the directory: [`History::begin`] makes a [`RunRecorder`], a [`RunSink`](longshore_event::RunSink)
//!   that writes; [`History::runs`], [`History::select`] and [`Run`] read; [`Retention`] says what is kept.
//! - Whether a run lives is asked of the kernel: its recorder holds a lock, which no end of a process survives. A run
//!   that has not finished, and whose lock is free, was *interrupted*.
//!
//! **Invariant:** whatever kills a recorder, what it wrote before is read as it was, and the line that it was writing is
//! as if it had never begun. No name in an event becomes a path outside of the run's directory. Nothing that lives is
//! removed. An id is given out once.

#![forbid(unsafe_code)]

mod counter;
mod history;
mod layout;
mod lock;
mod log;
mod log_writer;
mod query;
mod recorder;
mod removal;
mod replay;
mod retention;
mod run;

pub use counter::CounterError;
pub use history::{BeginError, FindError, History, RunSelector};
pub use log::{Log, LogLine};
pub use query::{LogEntry, LogQuery, StepFilter};
pub use recorder::{RecordError, RunRecorder};
pub use removal::RemoveError;
pub use retention::{Pruned, Retention};
pub use run::{ReadError, Run, RunStatus, RunSummary};
