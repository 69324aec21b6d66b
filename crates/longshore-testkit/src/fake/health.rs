//! Finding out whether a container is well, by the fake's clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use longshore_engine::{
    ContainerId, ContainerState, EngineError, ExecSpec, HealthLog, HealthSpec, HealthTracker, ProbeResult,
    ProcessIo, Stream,
};

use super::exec::exec;
use super::invocation::Occasion;
use super::process::spawn;
use super::signal::KILL;
use super::world::{Core, World};

/// How much of the output of a probe is kept, as the contract says.
const OUTPUT: usize = 4096;
/// How many probes are kept.
const PROBES: usize = 5;

/// Begins to look after a run of a container, if it has a check.
pub(super) fn begin(core: &Arc<Core>, id: &ContainerId, run: u64) -> Result<(), EngineError> {
    let found = {
        let world = core.lock();
        let container = world.container(id)?;
        let spec = container.spec.health.clone();
        spec.and_then(|spec| Some((spec.command(&[])?, spec, container.started.unwrap_or(world.now))))
    };
    let Some((command, spec, started)) = found else { return Ok(()) };
    let watch = Watch { core: core.clone(), id: id.clone(), run, started, command, spec };
    spawn("fake-health", move || watch.run())
}

struct Watch {
    core: Arc<Core>,
    id: ContainerId,
    run: u64,
    started: i128,
    command: Vec<String>,
    spec: HealthSpec,
}

impl Watch {
    fn run(self) {
        let mut tracker = HealthTracker::new(self.spec.clone());
        loop {
            let due = self.started + nanoseconds(tracker.next().at);
            if !self.sleep_until(due) {
                return;
            }
            let start = self.core.change(World::tick);
            let (exit_code, output) = self.probe();
            self.core.change(|world| {
                let end = world.tick();
                let result =
                    ProbeResult { start: self.since(start), end: self.since(end), success: exit_code == 0 };
                let kept = tracker.on(result);
                let Some(container) = world.containers.get_mut(&self.id) else { return };
                let Some(health) = container.health.as_mut().filter(|_| container.runs == self.run) else {
                    return;
                };
                health.state = tracker.state();
                health.failing_streak = tracker.failing_streak();
                if kept {
                    health.log.push(HealthLog { start, end, exit_code, output });
                    let surplus = health.log.len().saturating_sub(PROBES);
                    health.log.drain(..surplus);
                }
            });
        }
    }

    fn sleep_until(&self, due: i128) -> bool {
        self.core.sleep_until(&self.id, self.run, ContainerState::Running, due)
    }

    fn since(&self, at: i128) -> Duration {
        Duration::from_nanos(u64::try_from(at - self.started).unwrap_or_default())
    }

    /// Runs the check: its exit code, or -1 if there is none, and what it wrote.
    fn probe(&self) -> (i32, String) {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = written.clone();
        let io = ProcessIo::to(Arc::new(move |_: Stream, bytes: &[u8]| {
            let mut written = sink.lock().unwrap_or_else(PoisonError::into_inner);
            let room = OUTPUT.saturating_sub(written.len());
            written.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }));
        let spec = ExecSpec { command: self.command.clone(), ..ExecSpec::default() };
        let probe = match exec(&self.core, &self.id, &spec, io, Occasion::Probe) {
            Ok(probe) => probe,
            Err(error) => return (-1, error.to_string()),
        };
        let due = self.core.lock().now + nanoseconds(self.spec.timeout());
        let exit = self.core.wait_for(|world| {
            if let Some(exit) = probe.ended.get() {
                return Some(Some(*exit));
            }
            let now = world.now;
            let blocked = world.processes.get(&probe.number).is_some_and(|process| process.blocked);
            let Some(container) = world.containers.get_mut(&self.id) else { return Some(None) };
            if now >= due {
                return Some(None);
            }
            // Time passes for a probe only when it waits for something itself.
            if blocked && container.timer.is_none() {
                container.timer = Some(due);
                world.stirred = true;
            }
            None
        });
        self.core.change(|world| {
            world.deliver(probe.number, KILL);
            if let Some(container) = world.containers.get_mut(&self.id) {
                container.timer = None;
            }
        });
        let text =
            String::from_utf8_lossy(&written.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        match exit {
            Some(exit) => (exit.code, text),
            None => (-1, format!("the check took longer than {} s", self.spec.timeout().as_secs())),
        }
    }
}

fn nanoseconds(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}
