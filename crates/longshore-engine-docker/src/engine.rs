//! The engine.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore_core::Secret;
use longshore_engine::{
    Capabilities, ContainerId, ContainerSpec, ContainerState, ContainerStatus, Engine, EngineError, ExecSpec,
    ExitStatus, Fault, ImageId, Isolation, LabelSelector, LogEntry, LogQuery, ProcessIo, PullSpec,
    RunningExec, SandboxId, SandboxSpec, SandboxStatus,
};
use longshore_event::EventSink;
use longshore_oci::Reference;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::body::{self, Version};
use crate::document::{ContainerDto, IdDto, VersionDto, WaitDto};
use crate::failure::{refused, unintelligible, unreachable};
use crate::http::{Body, Daemon, Response, escape};
use crate::{exec, logs, pull, sandbox, status};

/// Where Docker listens, if nothing else is said.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The newest version of the API that is spoken.
const NEWEST: Version = Version(48);
/// The oldest.
const OLDEST: Version = Version(40);

/// Docker Engine.
#[derive(Debug)]
pub struct DockerEngine {
    api: Api,
    capabilities: Capabilities,
}

/// A daemon, and the version that is spoken with it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    daemon: Daemon,
    pub(crate) version: Version,
}

impl DockerEngine {
    /// Connects to Docker. The address is that of `DOCKER_HOST`: `unix:///path`, or a path.
    ///
    /// # Errors
    ///
    /// If nobody listens there, or the address is none of a Unix socket.
    pub fn connect(address: &str) -> Result<Self, EngineError> {
        let path = match address.split_once("://") {
            Some(("unix", path)) => path,
            None if address.starts_with('/') => address,
            _ => {
                let message = format!("cannot speak to Docker at `{address}`: it is not a Unix socket");
                return Err(EngineError::new(Fault::Unsupported, message)
                    .help("forward the daemon's socket (`ssh -L`), and give `unix:///path`"));
            }
        };
        let daemon = Daemon::new(&PathBuf::from(path));
        let mut api = Api { daemon, version: OLDEST };
        let known: VersionDto = api.read("ask Docker for its version", "GET", "/version", Body::None)?;
        let offered = known.api_version.strip_prefix("1.").and_then(|minor| minor.parse().ok()).map(Version);
        match offered {
            Some(version) if version >= OLDEST => api.version = version.min(NEWEST),
            _ => {
                let message = format!("Docker {} speaks API {} only", known.version, known.api_version);
                return Err(EngineError::new(Fault::Unsupported, message).help("use Docker 19.03 or later"));
            }
        }
        Ok(Self { api, capabilities: capabilities() })
    }

    fn document(&self, id: &str) -> Result<ContainerDto, EngineError> {
        let attempt = format!("inspect container {}", id.get(..12).unwrap_or(id));
        self.api.read(&attempt, "GET", &format!("/containers/{}/json", escape(id)), Body::None)
    }
}

fn capabilities() -> Capabilities {
    Capabilities {
        engine: "docker",
        isolation: Isolation::Remote,
        add_container_later: true,
        names_resolve: true,
        publish_ports: true,
        privileged: true,
        limits: Ok(()),
        bind_mounts: true,
        copy_stopped: true,
        host_image: false,
        beside: false,
    }
}

impl Api {
    fn path(&self, path: &str) -> String {
        format!("/v1.{}{path}", self.version.0)
    }

    /// Sends a request, and makes an error of a refusal.
    pub(crate) fn call(
        &self,
        attempt: &str,
        method: &str,
        path: &str,
        body: Body<'_>,
    ) -> Result<Response, EngineError> {
        self.call_as(attempt, method, path, (None, body))
    }

    /// The same as somebody, in the form of the header `X-Registry-Auth`.
    pub(crate) fn call_as(
        &self,
        attempt: &str,
        method: &str,
        path: &str,
        (login, body): (Option<&Secret<String>>, Body<'_>),
    ) -> Result<Response, EngineError> {
        let response = self
            .daemon
            .send(method, &self.path(path), (login, body))
            .map_err(|error| unreachable(self.daemon.socket(), error))?;
        Self::accepted(attempt, response)
    }

    fn accepted(attempt: &str, response: Response) -> Result<Response, EngineError> {
        if response.is_success() || response.status == 304 {
            return Ok(response);
        }
        let status = response.status;
        let body = response.document().map_err(|error| unintelligible(attempt, error))?;
        Err(refused(attempt, status, &body))
    }

    /// Sends a request, and reads the document that comes back.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        attempt: &str,
        method: &str,
        path: &str,
        body: Body<'_>,
    ) -> Result<T, EngineError> {
        let bytes = self
            .call(attempt, method, path, body)?
            .document()
            .map_err(|error| unintelligible(attempt, error))?;
        serde_json::from_slice(&bytes).map_err(|error| unintelligible(attempt, error))
    }

    /// Sends a request whose answer says nothing.
    pub(crate) fn tell(&self, attempt: &str, method: &str, path: &str) -> Result<(), EngineError> {
        let response = self.call(attempt, method, path, Body::None)?;
        // Docker is done when the answer is complete.
        response.document().map_err(|error| unintelligible(attempt, error)).map(|_| ())
    }

    /// Sends a request, and takes the connection over.
    pub(crate) fn hijack(&self, attempt: &str, path: &str, body: &Value) -> Result<Response, EngineError> {
        let response = self
            .daemon
            .hijack(&self.path(path), body)
            .map_err(|error| unreachable(self.daemon.socket(), error))?;
        Self::accepted(attempt, response)
    }

    /// Removes a container; one that is gone is removed already.
    pub(crate) fn remove(&self, id: &str, force: bool) -> Result<(), EngineError> {
        let attempt = format!("remove container {}", id.get(..12).unwrap_or(id));
        let path = format!("/containers/{}?v=1&force={}", escape(id), u8::from(force));
        match self.tell(&attempt, "DELETE", &path) {
            Err(error) if error.is_not_found() => Ok(()),
            // Somebody else removes it, too. It is removed when they are done.
            Err(error) if error.fault == Fault::Conflict && error.message.contains("in progress") => {
                match self.tell(
                    &attempt,
                    "POST",
                    &format!("/containers/{}/wait?condition=removed", escape(id)),
                ) {
                    Err(error) if error.is_not_found() => Ok(()),
                    result => result,
                }
            }
            result => result,
        }
    }
}

impl Engine for DockerEngine {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn pull(&self, image: &Reference, spec: &PullSpec, sink: &dyn EventSink) -> Result<ImageId, EngineError> {
        pull::pull(&self.api, image, spec, sink)
    }

    fn create_sandbox(&self, spec: &SandboxSpec) -> Result<SandboxId, EngineError> {
        sandbox::create(&self.api, spec)
    }

    fn create_container(
        &self,
        sandbox: &SandboxId,
        spec: &ContainerSpec,
    ) -> Result<ContainerId, EngineError> {
        let network = sandbox::network(&self.api, sandbox)?;
        let creation = body::creation(spec, (sandbox.as_str(), &network), self.api.version)?;
        let name = spec.name.as_ref().map(|name| format!("name={}", escape(name)));
        let platform = spec.platform.as_ref().map(|platform| format!("platform={}", escape(platform)));
        let query: Vec<String> = name.into_iter().chain(platform).collect();
        let attempt = match &spec.name {
            Some(name) => format!("create container `{name}`"),
            None => "create a container".to_owned(),
        };
        let path = format!("/containers/create?{}", query.join("&"));
        let made: IdDto = self.api.read(&attempt, "POST", &path, Body::Json(&creation.body))?;
        for attachment in &creation.join {
            let path = format!("/networks/{}/connect", escape(&attachment.network));
            let body = json!({ "Container": made.id, "EndpointConfig": body::endpoint(attachment) });
            let attempt = format!("{attempt} in network `{}`", attachment.network);
            if let Err(error) = self.api.call(&attempt, "POST", &path, Body::Json(&body)) {
                // Half a container is none; the first error is the one to tell.
                let _ = self.api.remove(&made.id, true);
                return Err(error);
            }
        }
        made.id.parse().map_err(|error: String| unintelligible(&attempt, error))
    }

    fn start(&self, id: &ContainerId) -> Result<(), EngineError> {
        let attempt = format!("start container {}", id.short());
        self.api.tell(&attempt, "POST", &format!("/containers/{id}/start"))
    }

    fn start_exec(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        io: ProcessIo,
    ) -> Result<Box<dyn RunningExec>, EngineError> {
        exec::start(&self.api, id, spec, io)
    }

    fn wait(&self, id: &ContainerId) -> Result<ExitStatus, EngineError> {
        let attempt = format!("wait for container {}", id.short());
        loop {
            // A container that never ran is "not running" for Docker, so the next end is what is waited for. The head
            // of the answer comes when Docker watches; what ended before is seen by looking afterwards.
            let path = format!("/containers/{id}/wait?condition=next-exit");
            let watch = self.api.call(&attempt, "POST", &path, Body::None)?;
            if let Some(exit) = ended(&self.inspect(id)?) {
                return Ok(exit);
            }
            let body = watch.document().map_err(|error| unintelligible(&attempt, error))?;
            let told: WaitDto =
                serde_json::from_slice(&body).map_err(|error| unintelligible(&attempt, error))?;
            match self.inspect(id) {
                Ok(status) => {
                    if let Some(exit) = ended(&status) {
                        return Ok(exit);
                    }
                }
                // Removed at its end.
                Err(error) if error.is_not_found() => {
                    return Ok(ExitStatus { code: told.status_code, out_of_memory: false });
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn logs(
        &self,
        id: &ContainerId,
        query: &LogQuery,
        each: &mut dyn FnMut(LogEntry) -> bool,
    ) -> Result<(), EngineError> {
        let container = self.document(id.as_str())?;
        logs::read(&self.api, id, container.config.tty, query, each)
    }

    fn copy_in(
        &self,
        id: &ContainerId,
        directory: &Path,
        archive: &mut (dyn io::Read + Send),
    ) -> Result<(), EngineError> {
        let attempt = format!("copy files to `{}` of container {}", directory.display(), id.short());
        let path = format!("/containers/{id}/archive?path={}", escape(&directory.to_string_lossy()));
        let response = self.api.call(&attempt, "PUT", &path, Body::Archive(archive))?;
        response.document().map_err(|error| unintelligible(&attempt, error)).map(|_| ())
    }

    fn copy_out(
        &self,
        id: &ContainerId,
        path: &Path,
        archive: &mut (dyn io::Write + Send),
    ) -> Result<(), EngineError> {
        let attempt = format!("copy `{}` of container {}", path.display(), id.short());
        let query = format!("/containers/{id}/archive?path={}", escape(&path.to_string_lossy()));
        let mut response = self.api.call(&attempt, "GET", &query, Body::None)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = response.read(&mut buffer).map_err(|error| unintelligible(&attempt, error))?;
            if length == 0 {
                return Ok(());
            }
            archive.write_all(&buffer[..length]).map_err(|error| {
                let message = format!("failed to {attempt}: the archive cannot be written");
                EngineError::new(Fault::Environment, message).because(error)
            })?;
        }
    }

    fn inspect(&self, id: &ContainerId) -> Result<ContainerStatus, EngineError> {
        let container = self.document(id.as_str())?;
        status::status(&container).map_err(|error| unintelligible("inspect the container", error))
    }

    fn list(&self, labels: &LabelSelector) -> Result<Vec<ContainerStatus>, EngineError> {
        let wanted: Vec<String> = labels
            .0
            .iter()
            .map(|(name, value)| match value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            })
            .collect();
        let filters = escape(&json!({ "label": wanted }).to_string());
        let path = format!("/containers/json?all=1&filters={filters}");
        let ids: Vec<IdDto> = self.api.read("list containers", "GET", &path, Body::None)?;
        let mut all = Vec::with_capacity(ids.len());
        for IdDto { id } in ids {
            match self.document(&id) {
                Ok(container) => all.push(
                    status::status(&container).map_err(|error| unintelligible("list containers", error))?,
                ),
                // Removed in the meantime.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        all.sort_by_key(|status| std::cmp::Reverse(status.created));
        Ok(all)
    }

    fn find(&self, text: &str) -> Result<ContainerId, EngineError> {
        let missing = || EngineError::new(Fault::NotFound, format!("no such container: {text}"));
        if text.is_empty() || text.contains('/') && !text.starts_with('/') {
            return Err(missing());
        }
        let name = text.strip_prefix('/').unwrap_or(text);
        let container = self.document(name).map_err(|error| {
            if error.message.contains("multiple IDs") {
                EngineError { fault: Fault::Conflict, ..error }
            } else {
                error
            }
        })?;
        container.id.parse().map_err(|error: String| unintelligible("find the container", error))
    }

    fn stop(&self, id: &ContainerId, grace: Option<Duration>) -> Result<(), EngineError> {
        let attempt = format!("stop container {}", id.short());
        let query = grace.map(|grace| format!("?t={}", body::seconds(grace))).unwrap_or_default();
        self.api.tell(&attempt, "POST", &format!("/containers/{id}/stop{query}"))
    }

    fn kill(&self, id: &ContainerId, signal: i32) -> Result<(), EngineError> {
        let attempt = format!("kill container {}", id.short());
        self.api.tell(&attempt, "POST", &format!("/containers/{id}/kill?signal={signal}"))
    }

    fn remove_container(&self, id: &ContainerId, force: bool) -> Result<(), EngineError> {
        self.api.remove(id.as_str(), force)
    }

    fn list_sandboxes(&self, labels: &LabelSelector) -> Result<Vec<SandboxStatus>, EngineError> {
        sandbox::list(&self.api, labels)
    }

    fn remove_sandbox(&self, id: &SandboxId) -> Result<(), EngineError> {
        sandbox::remove(&self.api, id)
    }
}

/// How a container ended, if it ended for good.
fn ended(status: &ContainerStatus) -> Option<ExitStatus> {
    match status.state {
        ContainerState::Exited | ContainerState::Dead => status.exit,
        _ => None,
    }
}
