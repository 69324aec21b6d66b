//! Everything that the fake knows, behind one lock, and its clock.
//!
//! No thread sleeps for time to pass. The clock moves by a little with everything that happens, and it leaps where
//! somebody waits for time: [`stop`](longshore_engine::Engine::stop) leaps over the grace once the process has had its
//! chance, and `inspect` and `wait` leap to what the container itself waits for next: a probe of its health, a restart.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use longshore_engine::{ContainerId, ContainerState, EngineError, ExitStatus, Fault, SandboxId, SandboxSpec};

use super::answer::{Answer, Trap};
use super::command;
use super::container::Container;
use super::image::FakeImage;
use super::invocation::Invocation;
use super::journal::{Entry, Planned};
use super::network::Network;
use super::process::Process;
use super::signal::{KILL, ends_by_default};
use super::tree::SharedTree;

/// When the clock begins.
const BEGIN: i128 = 1_700_000_000_000_000_000;
/// How long everything takes.
const TICK: i128 = 1_000;

/// Answers for commands.
pub(super) type Handler = Arc<dyn Fn(&Invocation) -> Option<Answer> + Send + Sync>;

/// A sandbox.
#[derive(Debug)]
pub(super) struct Sandbox {
    pub(super) spec: SandboxSpec,
    pub(super) removing: bool,
}

/// Everything that the fake knows.
#[derive(Default)]
pub(super) struct World {
    pub(super) now: i128,
    serial: u64,
    /// Somebody who waits changed something that others wait for.
    pub(super) stirred: bool,
    /// The engine is dropped.
    pub(super) closing: bool,
    pub(super) images: BTreeMap<String, FakeImage>,
    pub(super) remote: BTreeMap<String, FakeImage>,
    pub(super) sandboxes: BTreeMap<SandboxId, Sandbox>,
    pub(super) containers: BTreeMap<ContainerId, Container>,
    /// How containers ended that are gone, for those who were waiting.
    pub(super) last_words: BTreeMap<ContainerId, ExitStatus>,
    pub(super) processes: BTreeMap<u64, Process>,
    pub(super) volumes: BTreeMap<String, SharedTree>,
    pub(super) networks: BTreeMap<String, Network>,
    pub(super) handlers: Vec<Handler>,
    pub(super) journal: Vec<Entry>,
    pub(super) planned: Vec<Planned>,
}

impl World {
    /// The time of something that happens now.
    pub(super) fn tick(&mut self) -> i128 {
        self.now += TICK;
        self.now
    }

    /// A number that nothing else has.
    pub(super) fn number(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// 32 bytes that look random and are the same in each run.
    pub(super) fn random(&mut self) -> [u8; 32] {
        let mut state = self.number();
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
        }
        bytes
    }

    pub(super) fn container(&self, id: &ContainerId) -> Result<&Container, EngineError> {
        self.containers.get(id).ok_or_else(|| no_container(id.as_str()))
    }

    pub(super) fn container_mut(&mut self, id: &ContainerId) -> Result<&mut Container, EngineError> {
        self.containers.get_mut(id).ok_or_else(|| no_container(id.as_str()))
    }

    /// Finds a container by its name, its id, or the beginning of its id.
    pub(super) fn find(&self, text: &str) -> Result<ContainerId, EngineError> {
        if let Some(container) = self.containers.values().find(|container| container.name == text) {
            return Ok(container.id.clone());
        }
        let mut matching =
            self.containers.keys().filter(|id| !text.is_empty() && id.as_str().starts_with(text));
        match (matching.next(), matching.next()) {
            (Some(id), None) => Ok(id.clone()),
            (Some(_), Some(_)) => Err(EngineError::new(
                Fault::Invalid,
                format!("several containers have ids that begin with `{text}`"),
            )),
            (None, _) => Err(no_container(text)),
        }
    }

    /// Leaps to what a container waits for.
    pub(super) fn leap(&mut self, id: &ContainerId) {
        if let Some(due) = self.containers.get_mut(id).and_then(|container| container.timer.take()) {
            self.now = self.now.max(due);
            self.stirred = true;
        }
    }

    /// Sends a signal to a process that may be gone.
    pub(super) fn deliver(&mut self, number: u64, signal: i32) {
        let Some(process) = self.processes.get_mut(&number) else { return };
        if process.ending.is_some() {
            return;
        }
        match process.traps.get(&signal) {
            _ if signal == KILL => process.ending = Some(by_signal(signal)),
            Some(Trap::Ignore) => {}
            Some(Trap::Do(steps)) => {
                process.interrupt = Some(steps.clone());
                process.blocked = false;
            }
            // The kernel does not let the first process of a container die of signals that it does not handle.
            None if process.first || !ends_by_default(signal) => {}
            None => process.ending = Some(by_signal(signal)),
        }
    }
}

/// How a process ends that a signal ends.
pub(super) fn by_signal(signal: i32) -> ExitStatus {
    ExitStatus { code: 128 + signal, out_of_memory: false }
}

pub(super) fn no_container(name: &str) -> EngineError {
    EngineError::new(Fault::NotFound, format!("there is no container `{name}`"))
}

/// The world and those who wait for it to change.
pub(super) struct Core {
    world: Mutex<World>,
    changed: Condvar,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Core").finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn new() -> Arc<Self> {
        let world = World { now: BEGIN, ..World::default() };
        Arc::new(Self { world: Mutex::new(world), changed: Condvar::new() })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and wakes everybody up.
    pub(super) fn change<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let result = act(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until a look at the world gives something.
    pub(super) fn wait_for<T>(&self, look: impl FnMut(&mut World) -> Option<T>) -> T {
        let mut look = look;
        let mut world = self.lock();
        loop {
            let found = look(&mut world);
            if std::mem::take(&mut world.stirred) {
                self.changed.notify_all();
            }
            match found {
                Some(found) => return found,
                None => world = self.changed.wait(world).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Lets go of the lock until something changes, or for so long.
    pub(super) fn pause(&self, limit: Duration) {
        let world = self.lock();
        drop(self.changed.wait_timeout(world, limit));
    }

    /// Waits until nobody is about to start a container.
    pub(super) fn settle(&self, id: &ContainerId) {
        self.wait_for(|world| {
            let starting = world.containers.get(id).is_some_and(|container| container.starting);
            (!starting).then_some(())
        });
    }

    /// Waits for a time of a container that runs: false if it ended before. `state` is what it must be in.
    pub(super) fn sleep_until(&self, id: &ContainerId, run: u64, state: ContainerState, due: i128) -> bool {
        self.wait_for(|world| {
            let (now, closing) = (world.now, world.closing);
            let Some(container) = world.containers.get_mut(id) else { return Some(false) };
            if closing || container.runs != run || container.state != state {
                return Some(false);
            }
            if now >= due {
                container.timer = None;
                return Some(true);
            }
            if container.timer != Some(due) {
                container.timer = Some(due);
                world.stirred = true;
            }
            None
        })
    }

    /// What a command does: what the last handler says that answers for it.
    pub(super) fn answer(&self, invocation: &Invocation) -> Answer {
        let handlers = self.lock().handlers.clone();
        let answered = handlers.iter().rev().find_map(|handler| handler(invocation));
        answered.unwrap_or_else(|| command::answer(invocation))
    }
}
