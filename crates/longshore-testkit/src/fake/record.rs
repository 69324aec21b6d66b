//! Keeping the journal, and refusing what a test wants refused.

use longshore_engine::{ContainerId, EngineError};

use super::journal::{self, Call, Entry, Method};
use super::world::{Core, World};

/// Counts a call that only looks.
pub(super) fn count(core: &Core, method: Method) -> Result<(), EngineError> {
    journal::count(&mut core.lock().planned, method)
}

/// Makes a call with an entry in the journal.
pub(super) fn record<T>(
    core: &Core,
    container: Option<&ContainerId>,
    call: Call,
    act: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let (place, planned) = core.change(|world| {
        let method = call.method();
        let place = world.journal.len();
        let entry = entry(world, container, call);
        world.journal.push(entry);
        (place, journal::count(&mut world.planned, method))
    });
    let result = planned.and_then(|()| act());
    if let Err(error) = &result {
        core.change(|world| {
            if let Some(entry) = world.journal.get_mut(place) {
                entry.fault = Some(error.fault);
            }
        });
    }
    result
}

fn entry(world: &mut World, container: Option<&ContainerId>, call: Call) -> Entry {
    let known = container.and_then(|id| world.containers.get(id)).map(|container| container.name.clone());
    let name = match &call {
        Call::CreateContainer(spec) => spec.name.clone(),
        _ => known,
    };
    Entry { at: world.tick(), container: container.cloned(), name, call, fault: None }
}
