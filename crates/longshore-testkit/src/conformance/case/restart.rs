//! Being started again.

use longshore_engine::{ContainerSpec, ContainerState, RestartPolicy};

use crate::conformance::check::{Check, ensure, ensure_eq};
use crate::conformance::{Context, program};

pub(super) fn failures_are_tried_again(context: &Context) -> Check {
    let restart = RestartPolicy::OnFailure { retries: 2 };
    let id = context.start(&ContainerSpec { restart, ..context.spec(program::print("run\n", "", 4))? })?;
    let exit = context.engine().wait(&id)?;
    ensure_eq!(exit.code, 4, "the exit code");
    let status = context.engine().inspect(&id)?;
    ensure_eq!((status.state, status.restarts), (ContainerState::Exited, 2), "the state and the restarts");
    ensure_eq!(context.output(&id, exit)?.text(), "run\nrun\nrun", "the log of all runs");
    Ok(())
}

pub(super) fn success_is_not_tried_again(context: &Context) -> Check {
    let restart = RestartPolicy::OnFailure { retries: 2 };
    let id = context.start(&ContainerSpec { restart, ..context.spec(program::exit(0))? })?;
    ensure_eq!(context.engine().wait(&id)?.code, 0, "the exit code");
    let status = context.engine().inspect(&id)?;
    ensure_eq!((status.state, status.restarts), (ContainerState::Exited, 0), "the state and the restarts");
    Ok(())
}

pub(super) fn stopping_ends_restarts(context: &Context) -> Check {
    let engine = context.engine();
    let restart = RestartPolicy::Always;
    let id = context.start(&ContainerSpec { restart, ..context.spec(program::exit(1))? })?;
    context.eventually("a second restart", || Ok(engine.inspect(&id)?.restarts >= 2))?;
    engine.stop(&id, None)?;
    context.eventually("the end", || Ok(context.state(&id)? == ContainerState::Exited))?;
    let restarts = engine.inspect(&id)?.restarts;
    engine.wait(&id)?;
    let status = engine.inspect(&id)?;
    ensure!(
        status.state == ContainerState::Exited && status.restarts == restarts,
        "it was started after a stop"
    );
    engine.remove_container(&id, false)?;
    Ok(())
}
