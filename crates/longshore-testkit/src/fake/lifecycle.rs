//! Starting, ending and removing containers.

use std::sync::Arc;
use std::time::Duration;

use longshore_engine::{
    ContainerId, ContainerState, EngineError, ExitStatus, Fault, HealthStatus, RestartPolicy, SandboxId,
    SandboxNetwork,
};

use super::answer::Answer;
use super::container::Container;
use super::health;
use super::network;
use super::process::{Destination, Player, begin, end_others, finish, refused, spawn};
use super::signal::{self, KILL, TERM};
use super::world::{Core, World};

/// How long a container has to end that says nothing of it.
const GRACE: Duration = Duration::from_secs(10);
/// Before the first restart; doubled for each further one.
const BACK_OFF: i128 = 100_000_000;
/// Before restarts at most.
const BACK_OFF_LIMIT: i128 = 60_000_000_000;

/// Starts a container that does not run.
pub(super) fn start(core: &Arc<Core>, id: &ContainerId) -> Result<(), EngineError> {
    let runs = core.wait_for(|world| match world.container_mut(id) {
        Err(error) => Some(Err(error)),
        Ok(container) if container.starting => None,
        Ok(container) => {
            let runs = container.is_up();
            container.starting = !runs;
            Some(Ok(runs))
        }
    })?;
    if runs {
        return Ok(());
    }
    let launched = launch(core, id, None);
    core.change(|world| {
        if let Some(container) = world.containers.get_mut(id) {
            container.starting = false;
        }
    });
    let (player, run) = launched?;
    let (monitor, monitored) = (core.clone(), id.clone());
    spawn("fake-container", move || watch(&monitor, &monitored, player, run))
}

/// Begins the process of a container: what plays it, and its number in the count of runs. `after` is the run that it
/// follows by the container's policy.
fn launch(core: &Arc<Core>, id: &ContainerId, after: Option<u64>) -> Result<(Player, u64), EngineError> {
    let (invocation, holds) = {
        let world = core.lock();
        let container = world.container(id)?;
        (container.invocation(), container.spec.hold)
    };
    // What just lives is no command that anybody answers for.
    let holding = || Answer::new().on_signal(TERM, Answer::new()).forever();
    let answer = if holds { holding() } else { core.answer(&invocation) };
    let made = match answer.refusal {
        Some(refusal) => Err(refused(refusal, &invocation)),
        None => invocation.files.make_directories(&invocation.working_directory).map_err(EngineError::from),
    };
    let launched = core.change(|world| {
        let container = world.container(id)?;
        if after.is_some_and(|run| container.runs != run || container.state != ContainerState::Restarting) {
            let message = format!("the container `{}` was stopped before its restart", container.name);
            return Err(EngineError::new(Fault::Conflict, message));
        }
        let prepared = made.and_then(|()| Ok((network::attach(world, id)?, network::publish(world, id)?)));
        let now = world.tick();
        let (networks, ports) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                unstarted(world.container_mut(id)?, &error, now);
                return Err(error);
            }
        };
        let player = begin(core, world, &invocation, answer, Destination::Log(id.clone()));
        let container = world.container_mut(id)?;
        container.networks = networks;
        container.ports = ports;
        container.state = ContainerState::Running;
        container.process = Some(player.number);
        container.started = Some(now);
        container.error = None;
        container.exit = None;
        container.finished = None;
        container.restarts = if after.is_some() { container.restarts + 1 } else { 0 };
        container.health = container.health.take().map(|_| HealthStatus::default());
        container.runs += 1;
        Ok((player, container.runs))
    })?;
    health::begin(core, id, launched.1)?;
    Ok(launched)
}

/// Its program could not be run.
fn unstarted(container: &mut Container, error: &EngineError, now: i128) {
    let code = match error.fault {
        Fault::CommandNotFound => 127,
        Fault::CommandNotRunnable => 126,
        _ => 128,
    };
    container.exit = Some(ExitStatus { code, out_of_memory: false });
    container.error = Some(error.to_string());
    container.finished = Some(now);
    container.end();
}

/// Plays the process of a container, again and again as long as its policy wants that.
fn watch(core: &Arc<Core>, id: &ContainerId, mut player: Player, mut run: u64) {
    loop {
        let number = player.number;
        let exit = player.play();
        let Some(due) = core.change(|world| ended(world, id, number, exit)) else { return };
        if !core.sleep_until(id, run, ContainerState::Restarting, due) {
            return;
        }
        match launch(core, id, Some(run)) {
            Ok(next) => (player, run) = next,
            // It was stopped, or it says why it could not be started.
            Err(_) => return,
        }
    }
}

/// Its process ended: when it is to be started again, if it is.
fn ended(world: &mut World, id: &ContainerId, number: u64, exit: ExitStatus) -> Option<i128> {
    finish(world, number, exit);
    end_others(world, id);
    let now = world.tick();
    let container = world.containers.get_mut(id)?;
    container.log.close(now);
    container.process = None;
    container.exit = Some(exit);
    container.finished = Some(now);
    container.networks.clear();
    container.ports.clear();
    container.timer = None;
    let again = !container.stopping
        && match container.spec.restart {
            RestartPolicy::No => false,
            RestartPolicy::OnFailure { retries } => {
                !exit.is_success() && (retries == 0 || container.restarts < retries)
            }
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
        };
    if again && !world.closing {
        let container = world.containers.get_mut(id)?;
        container.state = ContainerState::Restarting;
        let doubled = BACK_OFF.checked_shl(container.restarts.min(16)).unwrap_or(BACK_OFF_LIMIT);
        return Some(now + doubled.min(BACK_OFF_LIMIT));
    }
    let container = world.containers.get_mut(id)?;
    container.end();
    if container.spec.auto_remove {
        forget(world, id);
    }
    None
}

/// Removes a container that does not run.
fn forget(world: &mut World, id: &ContainerId) {
    if let Some(exit) = world.containers.remove(id).and_then(|container| container.exit) {
        world.last_words.insert(id.clone(), exit);
    }
}

/// Waits until a container does not run.
pub(super) fn wait(core: &Core, id: &ContainerId) -> Result<ExitStatus, EngineError> {
    let ends = core.lock().container(id)?.ends;
    core.wait_for(|world| {
        let Some(container) = world.containers.get(id) else {
            let exit = world.last_words.get(id).copied();
            return Some(exit.ok_or_else(|| super::world::no_container(id.as_str())));
        };
        if !container.is_awaited() || container.ends != ends {
            return Some(Ok(container.exit.unwrap_or_default()));
        }
        if container.state == ContainerState::Restarting {
            world.leap(id);
        }
        None
    })
}

/// Asks a container to end, and kills it when the grace is over.
pub(super) fn stop(core: &Core, id: &ContainerId, grace: Option<Duration>) -> Result<(), EngineError> {
    core.settle(id);
    let Some((number, ends, grace)) = core.change(|world| {
        let container = world.container_mut(id)?;
        let grace = grace.or(container.spec.stop_timeout).unwrap_or(GRACE);
        let signal = container.spec.stop_signal.as_deref().map(signal::parse).transpose()?.unwrap_or(TERM);
        let Some((number, ends)) = condemn(container) else { return Ok(None) };
        world.deliver(number, signal);
        Ok::<_, EngineError>(Some((number, ends, grace)))
    })?
    else {
        return Ok(());
    };
    let expired = core.wait_for(|world| {
        if has_ended(world, id, ends) {
            return Some(false);
        }
        // It has taken notice of the signal, or never will, and waits for something else.
        let idle = |process: &super::process::Process| {
            process.blocked && process.interrupt.is_none() && process.ending.is_none()
        };
        world.processes.get(&number).is_some_and(idle).then_some(true)
    });
    if expired {
        core.change(|world| {
            world.now += i128::try_from(grace.as_nanos()).unwrap_or_default();
            world.deliver(number, KILL);
        });
        core.wait_for(|world| has_ended(world, id, ends).then_some(()));
    }
    Ok(())
}

/// Ends restarts: the process that must end, and how often the container ended so far. `None` if nothing runs.
fn condemn(container: &mut Container) -> Option<(u64, u64)> {
    if container.state == ContainerState::Restarting {
        container.end();
        return None;
    }
    let number = container.process?;
    container.stopping = true;
    Some((number, container.ends))
}

fn has_ended(world: &World, id: &ContainerId, ends: u64) -> bool {
    world.containers.get(id).is_none_or(|container| container.ends != ends)
}

/// Sends a signal to the process of a container. As in Docker, that ends restarts.
pub(super) fn kill(core: &Core, id: &ContainerId, signal: i32) -> Result<(), EngineError> {
    signal::checked(signal)?;
    core.settle(id);
    core.change(|world| {
        let container = world.container_mut(id)?;
        let Some(number) = container.process else {
            let message = format!("the container `{}` does not run", container.name);
            return Err(EngineError::new(Fault::Conflict, message));
        };
        let own = container.spec.stop_signal.as_deref().map(signal::parse).transpose()?;
        container.stopping |= signal == KILL || own.is_none_or(|own| own == signal);
        world.deliver(number, signal);
        Ok(())
    })
}

/// Removes a container.
pub(super) fn remove(core: &Core, id: &ContainerId, force: bool) -> Result<(), EngineError> {
    core.settle(id);
    let running = core.change(|world| {
        let Some(container) = world.containers.get_mut(id) else { return Ok(None) };
        if container.is_up() && !force {
            let message = format!("the container `{}` runs", container.name);
            return Err(
                EngineError::new(Fault::Conflict, message).help("stop it first, or remove it by force")
            );
        }
        let running = condemn(container);
        match running {
            Some((number, _)) => world.deliver(number, KILL),
            None => forget(world, id),
        }
        Ok(running)
    })?;
    if let Some((_, ends)) = running {
        core.wait_for(|world| has_ended(world, id, ends).then_some(()));
        core.change(|world| forget(world, id));
    }
    Ok(())
}

/// Removes a sandbox with everything in it.
pub(super) fn remove_sandbox(core: &Core, id: &SandboxId) -> Result<(), EngineError> {
    let inside = core.change(|world| {
        let Some(sandbox) = world.sandboxes.get_mut(id) else { return Ok(Vec::new()) };
        sandbox.removing = true;
        let spec = sandbox.spec.clone();
        if matches!(spec.network, SandboxNetwork::Own | SandboxNetwork::Internal) {
            let user = world
                .containers
                .values()
                .find(|other| other.sandbox != *id && other.networks.contains_key(&spec.name));
            if let Some(user) = user {
                let message = format!("the container `{}` uses the network `{}`", user.name, spec.name);
                return Err(EngineError::new(Fault::Conflict, message));
            }
        }
        let inside = world.containers.values().filter(|container| container.sandbox == *id);
        Ok(inside.map(|container| container.id.clone()).collect())
    })?;
    for container in inside {
        remove(core, &container, true)?;
    }
    core.change(|world| {
        let spec = world.sandboxes.remove(id).map(|sandbox| sandbox.spec);
        let own =
            |network: &SandboxNetwork| matches!(network, SandboxNetwork::Own | SandboxNetwork::Internal);
        if let Some(spec) = spec.filter(|spec| own(&spec.network)) {
            world.networks.remove(&spec.name);
        }
    });
    Ok(())
}
