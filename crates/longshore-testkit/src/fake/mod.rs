//! An engine in memory, for tests of what uses engines.
//!
//! [`FakeEngine`] keeps the contract of `longshore_engine::Engine`, as far as it can be kept without a kernel; the
//! conformance suite holds it to that. Nothing runs: a test says by [`FakeEngine::on`] what a command does (an
//! [`Answer`]: what it writes, to which files, how it ends, what it waits for), and afterwards asks the
//! [journal](FakeEngine::journal) what was called. [`FakeEngine::fail`] has a call fail.
//!
//! Files are in memory, but directories of the machine that are mounted are the machine's: what a command writes there
//! is there. There are no packets: networks have names and addresses, and nobody listens at a port that is published.
//! What it cannot keep, it takes and shows in `inspect`: limits, users, capabilities, filters.
//!
//! No time passes in which something could be waited for in vain (`world.rs` says how), and everything has the same ids
//! in each run.
//!
//! ```
//! use longshore_engine::{ContainerSpec, Engine as _, ExecSpec, ImageSource, ProcessIo, SandboxSpec};
//! use longshore_testkit::fake::{Answer, Call, FakeEngine};
//!
//! let fake = FakeEngine::new();
//! fake.on(|invocation| {
//!     (invocation.program() == "make").then(|| Answer::new().write("/out/log", "built").exit(2))
//! });
//!
//! let sandbox = fake.create_sandbox(&SandboxSpec { name: "job".to_owned(), ..SandboxSpec::default() })?;
//! let command = vec!["sleep".to_owned(), "infinity".to_owned()];
//! let spec = ContainerSpec { image: ImageSource::Host, command, ..ContainerSpec::default() };
//! let id = fake.create_container(&sandbox, &spec)?;
//! fake.start(&id)?;
//! let step = ExecSpec { command: vec!["make".to_owned(), "all".to_owned()], ..ExecSpec::default() };
//! assert_eq!(fake.exec(&id, &step, ProcessIo::default())?.code, 2);
//!
//! assert_eq!(fake.read(&id, "/out/log")?, b"built");
//! assert!(fake.journal().iter().any(|entry| entry.call == Call::Exec(step.clone())));
//! # Ok::<(), longshore_engine::EngineError>(())
//! ```

mod answer;
mod command;
mod container;
mod create;
mod engine;
mod exec;
mod files;
mod health;
mod image;
mod invocation;
mod journal;
mod lifecycle;
mod log;
mod network;
mod process;
mod record;
mod script;
mod signal;
mod transfer;
mod tree;
mod world;

use std::sync::Arc;

use longshore_engine::Capabilities;

pub use answer::{Answer, Gate};
pub use image::FakeImage;
pub use invocation::{Invocation, Occasion};
pub use journal::{Call, Entry, Method};

/// An engine in memory. Tests share it with what they test by an `Arc`; when it is dropped, all of its processes end.
#[derive(Debug)]
pub struct FakeEngine {
    core: Arc<world::Core>,
    capabilities: Capabilities,
}
