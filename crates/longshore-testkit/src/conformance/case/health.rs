//! Whether containers are well.

use std::time::Duration;

use longshore_engine::{ContainerId, ContainerSpec, HealthSpec, HealthState};

use crate::conformance::check::{Check, ensure, ensure_eq};
use crate::conformance::{Context, program};

fn start(context: &Context, test: Vec<String>) -> Check<ContainerId> {
    let health = HealthSpec {
        test: std::iter::once("CMD".to_owned()).chain(test).collect(),
        interval: Some(Duration::from_secs(1)),
        timeout: Some(Duration::from_secs(20)),
        retries: Some(2),
        ..HealthSpec::default()
    };
    context.start(&ContainerSpec { health: Some(health), ..context.spec(program::serve())? })
}

fn state(context: &Context, id: &ContainerId) -> Check<Option<HealthState>> {
    Ok(context.engine().inspect(id)?.health.map(|health| health.state))
}

fn becomes(context: &Context, id: &ContainerId, wanted: HealthState) -> Check {
    context.eventually(&format!("being {}", wanted.name()), || Ok(state(context, id)? == Some(wanted)))
}

pub(super) fn a_container_becomes_healthy(context: &Context) -> Check {
    let id = start(context, program::exists("/tmp/well"))?;
    let begun = state(context, &id)?;
    // A slow machine may have made two probes by now, but none that succeeded.
    ensure!(begun.is_some() && begun != Some(HealthState::Healthy), "the state at the start is {begun:?}");
    super::copy::put(context, &id, "/tmp", "well")?;
    becomes(context, &id, HealthState::Healthy)?;
    let Some(health) = context.engine().inspect(&id)?.health else {
        return Err(crate::conformance::Failure::new("a container lost its health"));
    };
    ensure_eq!(health.failing_streak, 0, "failures in a row");
    let last = health.log.last().map(|probe| (probe.exit_code, probe.end >= probe.start));
    ensure_eq!(last, Some((0, true)), "the last probe");
    Ok(())
}

pub(super) fn a_container_becomes_unhealthy(context: &Context) -> Check {
    let id = start(context, program::print("not well", "", 1))?;
    ensure_eq!(state(context, &id)?, Some(HealthState::Starting), "the state at the start");
    becomes(context, &id, HealthState::Unhealthy)?;
    let health = context.engine().inspect(&id)?.health.unwrap_or_default();
    ensure!(health.failing_streak >= 2, "it is unhealthy after {} failures", health.failing_streak);
    let last = health.log.last().map(|probe| (probe.exit_code, probe.output.clone()));
    ensure_eq!(last, Some((1, "not well".to_owned())), "the last probe");
    ensure!(context.state(&id)?.is_alive(), "an unhealthy container was ended");
    Ok(())
}

pub(super) fn health_can_be_left_out(context: &Context) -> Check {
    let id = context.start(&context.spec(program::serve())?)?;
    ensure_eq!(state(context, &id)?, None, "the health without a check");
    let none = HealthSpec { test: vec!["NONE".to_owned()], ..HealthSpec::default() };
    let id = context.start(&ContainerSpec { health: Some(none), ..context.spec(program::serve())? })?;
    ensure_eq!(state(context, &id)?, None, "the health with the check switched off");
    Ok(())
}
