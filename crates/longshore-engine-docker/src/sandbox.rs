//! Sandboxes: networks, or volumes where there is no network to be made.

use longshore_engine::{
    EngineError, Fault, LabelSelector, SandboxId, SandboxNetwork, SandboxSpec, SandboxStatus,
};
use serde_json::{Map, Value, json};

use crate::body::SANDBOX;
use crate::document::{IdDto, NetworkDto, VolumeDto, VolumesDto};
use crate::engine::Api;
use crate::failure::unintelligible;
use crate::http::{Body, escape};

/// The label with the name of a sandbox.
const NAME: &str = "longshore.sandbox.name";
/// The label with what the containers of a sandbox without a network of its own are connected to.
const NETWORK: &str = "longshore.sandbox.network";

/// Beginning of the names of volumes that record sandboxes.
const VOLUME: &str = "longshore-sandbox-";

/// Makes a sandbox.
pub(crate) fn create(api: &Api, spec: &SandboxSpec) -> Result<SandboxId, EngineError> {
    let attempt = format!("create sandbox `{}`", spec.name);
    if find(api, &spec.name)? {
        let message = format!("failed to {attempt}: there is one of that name");
        return Err(EngineError::new(Fault::Conflict, message));
    }
    let mut labels: Map<String, Value> =
        spec.labels.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    labels.insert(NAME.to_owned(), json!(spec.name));
    let existing = match &spec.network {
        SandboxNetwork::Own | SandboxNetwork::Internal => {
            let body = json!({
                "Name": spec.name, "CheckDuplicate": true, "Driver": "bridge",
                "Internal": spec.network == SandboxNetwork::Internal, "Labels": labels,
            });
            let made: IdDto = api.read(&attempt, "POST", "/networks/create", Body::Json(&body))?;
            return made.id.parse().map_err(|error: String| unintelligible(&attempt, error));
        }
        SandboxNetwork::Existing(name) => name.as_str(),
        SandboxNetwork::Host => "host",
        SandboxNetwork::None => "none",
    };
    let attempt_network = format!("{attempt} in network `{existing}`");
    let _: NetworkDto =
        api.read(&attempt_network, "GET", &format!("/networks/{}", escape(existing)), Body::None)?;
    let id = new_id()?;
    labels.insert(NETWORK.to_owned(), json!(existing));
    let body = json!({ "Name": volume(&id), "Labels": labels });
    let _: VolumeDto = api.read(&attempt, "POST", "/volumes/create", Body::Json(&body))?;
    Ok(id)
}

fn new_id() -> Result<SandboxId, EngineError> {
    let mut bytes = [0; 32];
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        Ok(32) => Ok(SandboxId::of(bytes)),
        _ => Err(EngineError::new(Fault::Environment, "the kernel gives no random numbers")),
    }
}

/// The volume that records a sandbox.
fn volume(id: &SandboxId) -> String {
    format!("{VOLUME}{id}")
}

/// Whether there is a sandbox of a name.
fn find(api: &Api, name: &str) -> Result<bool, EngineError> {
    let filters = escape(&json!({ "label": [format!("{NAME}={name}")] }).to_string());
    let networks: Vec<NetworkDto> =
        api.read("list networks", "GET", &format!("/networks?filters={filters}"), Body::None)?;
    let volumes: VolumesDto =
        api.read("list volumes", "GET", &format!("/volumes?filters={filters}"), Body::None)?;
    Ok(!networks.is_empty() || volumes.volumes.is_some_and(|volumes| !volumes.is_empty()))
}

/// All sandboxes with certain labels.
pub(crate) fn list(api: &Api, labels: &LabelSelector) -> Result<Vec<SandboxStatus>, EngineError> {
    let filters = escape(&json!({ "label": [NAME] }).to_string());
    let networks: Vec<NetworkDto> =
        api.read("list networks", "GET", &format!("/networks?filters={filters}"), Body::None)?;
    let volumes: VolumesDto =
        api.read("list volumes", "GET", &format!("/volumes?filters={filters}"), Body::None)?;
    let networks = networks.into_iter().map(|network| (network.id, network.labels));
    let volumes = volumes
        .volumes
        .unwrap_or_default()
        .into_iter()
        .map(|volume| (volume.name.strip_prefix(VOLUME).unwrap_or_default().to_owned(), volume.labels));
    let mut found = Vec::new();
    for (id, own) in networks.chain(volumes) {
        let mut own = own.unwrap_or_default();
        // What somebody else has labelled like that has no id of ours.
        let (Ok(id), Some(name)) = (id.parse(), own.remove(NAME)) else { continue };
        if labels.matches(&own) {
            found.push(SandboxStatus { id, name, labels: own });
        }
    }
    Ok(found)
}

/// The network that a sandbox's containers are in.
pub(crate) fn network(api: &Api, id: &SandboxId) -> Result<String, EngineError> {
    let attempt = format!("find sandbox {}", id.short());
    match api.read::<NetworkDto>(&attempt, "GET", &format!("/networks/{id}"), Body::None) {
        // By name, so that what is told of a container names it as people do.
        Ok(network) if network.labels.as_ref().is_some_and(|labels| labels.contains_key(NAME)) => {
            return Ok(network.name);
        }
        Ok(_) => return Err(missing(id)),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    match api.read::<VolumeDto>(&attempt, "GET", &format!("/volumes/{}", volume(id)), Body::None) {
        Ok(volume) => {
            let network = volume.labels.and_then(|mut labels| labels.remove(NETWORK));
            network.ok_or_else(|| missing(id))
        }
        Err(error) if error.is_not_found() => Err(missing(id)),
        Err(error) => Err(error),
    }
}

fn missing(id: &SandboxId) -> EngineError {
    EngineError::new(Fault::NotFound, format!("no such sandbox: {}", id.short()))
}

/// Kills and removes everything in a sandbox, and the sandbox.
pub(crate) fn remove(api: &Api, id: &SandboxId) -> Result<(), EngineError> {
    let filters = escape(&json!({ "label": [format!("{SANDBOX}={id}")] }).to_string());
    let path = format!("/containers/json?all=1&filters={filters}");
    let containers: Vec<IdDto> = api.read("list containers", "GET", &path, Body::None)?;
    std::thread::scope(|scope| {
        // Docker takes its time over each.
        let removals: Vec<_> =
            containers.iter().map(|container| scope.spawn(|| api.remove(&container.id, true))).collect();
        removals.into_iter().try_for_each(|removal| match removal.join() {
            Ok(result) => result,
            Err(_) => Err(EngineError::new(Fault::Bug, "failed to remove a container of the sandbox")),
        })
    })?;
    let attempt = format!("remove sandbox {}", id.short());
    for path in [format!("/networks/{id}"), format!("/volumes/{}", volume(id))] {
        match api.tell(&attempt, "DELETE", &path) {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
