//! Networks of sandboxes that have ended, kept for sandboxes that this process makes later.

use longshore_engine::EngineError;

use crate::home::Home;
use crate::process::ProcessDto;

/// Whose spare networks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Those of this process and those of the dead.
    OwnOrDead,
    /// Those of processes that have ended.
    Dead,
}

/// What names this process as the owner of spare networks.
pub(crate) fn own() -> Option<String> {
    ProcessDto::own().map(|process| format!("{} {}", process.pid, process.started))
}

/// Whether the process still exists that a text names.
fn is_alive(owner: &str) -> bool {
    let process = owner.split_once(' ').and_then(|(pid, started)| {
        Some(ProcessDto { pid: pid.parse().ok()?, started: started.parse().ok()? })
    });
    process.is_some_and(ProcessDto::is_alive)
}

/// Removes spare networks, and says how many.
pub(crate) fn discard(home: &Home, owner: Owner) -> Result<usize, EngineError> {
    // Who only looks at containers needs no directory of networks.
    if !home.networks().exists() {
        return Ok(0);
    }
    let own = own();
    let chosen = |named: &str| match owner {
        Owner::OwnOrDead if Some(named) == own.as_deref() => true,
        Owner::OwnOrDead | Owner::Dead => !is_alive(named),
    };
    super::open(home)?.discard_spares(&chosen).map_err(|error| {
        let blame = error.blame();
        super::failed("failed to remove networks that nobody uses any more", blame, error)
    })
}
