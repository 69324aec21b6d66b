//! The fake behind the contract of all engines.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use longshore_engine::{
    Capabilities, ContainerId, ContainerSpec, ContainerState, ContainerStatus, Engine, EngineError, ExecSpec,
    ExitStatus, Fault, ImageId, LabelSelector, LogEntry, LogQuery, ProcessIo, PullPolicy, PullSpec,
    RunningExec, SandboxId, SandboxSpec, SandboxStatus,
};
use longshore_event::EventSink;
use longshore_oci::Reference;

use super::FakeEngine;
use super::create;
use super::exec::exec;
use super::image::full_name;
use super::invocation::Occasion;
use super::journal::{Call, Method};
use super::lifecycle;
use super::record::{count, record};
use super::transfer;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Engine for FakeEngine {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn pull(
        &self,
        image: &Reference,
        spec: &PullSpec,
        _sink: &dyn EventSink,
    ) -> Result<ImageId, EngineError> {
        let (name, policy) = (full_name(&image.to_string()), spec.policy);
        record(&self.core, None, Call::Pull { image: name.clone(), policy }, || {
            let mut world = self.core.lock();
            let here = world.images.contains_key(&name);
            let wanted = match policy {
                PullPolicy::Missing => !here,
                PullPolicy::Always => true,
                PullPolicy::Never => false,
            };
            if wanted {
                let remote = world.remote.get(&name).cloned();
                // An image that a test put here is as good as one that its registry still has.
                if let Some(remote) = remote {
                    world.images.insert(name.clone(), remote);
                }
            }
            let image = create::find_image(&world, &name);
            image.map(super::FakeImage::id).ok_or_else(|| {
                EngineError::new(Fault::NotFound, format!("there is no image `{name}`"))
                    .help("give the fake one, see `FakeEngine::add_image`")
            })
        })
    }

    fn create_sandbox(&self, spec: &SandboxSpec) -> Result<SandboxId, EngineError> {
        record(&self.core, None, Call::CreateSandbox(spec.clone()), || {
            self.core.change(|world| create::sandbox(world, spec))
        })
    }

    fn create_container(
        &self,
        sandbox: &SandboxId,
        spec: &ContainerSpec,
    ) -> Result<ContainerId, EngineError> {
        record(&self.core, None, Call::CreateContainer(Box::new(spec.clone())), || {
            self.core.change(|world| create::container(world, sandbox, spec))
        })
    }

    fn start(&self, id: &ContainerId) -> Result<(), EngineError> {
        record(&self.core, Some(id), Call::Start, || lifecycle::start(&self.core, id))
    }

    fn start_exec(
        &self,
        id: &ContainerId,
        spec: &ExecSpec,
        io: ProcessIo,
    ) -> Result<Box<dyn RunningExec>, EngineError> {
        record(&self.core, Some(id), Call::Exec(spec.clone()), || {
            let exec = exec(&self.core, id, spec, io, Occasion::Exec)?;
            Ok(Box::new(exec) as Box<dyn RunningExec>)
        })
    }

    fn wait(&self, id: &ContainerId) -> Result<ExitStatus, EngineError> {
        count(&self.core, Method::Wait)?;
        lifecycle::wait(&self.core, id)
    }

    fn logs(
        &self,
        id: &ContainerId,
        query: &LogQuery,
        each: &mut dyn FnMut(LogEntry) -> bool,
    ) -> Result<(), EngineError> {
        count(&self.core, Method::Logs)?;
        let mut place = {
            let world = self.core.lock();
            let container = world.container(id)?;
            if container.spec.log.none {
                let message = format!("the container `{}` keeps no log", container.name);
                return Err(EngineError::new(Fault::Unsupported, message));
            }
            container.log.begin(query)
        };
        loop {
            let (entries, over) = self.core.wait_for(|world| {
                let Some(container) = world.containers.get(id) else { return Some((Vec::new(), true)) };
                let over = !query.follow || !container.is_awaited();
                let restarting = container.state == ContainerState::Restarting;
                let (entries, next) = container.log.since(place, query);
                place = next;
                if over || !entries.is_empty() {
                    return Some((entries, over));
                }
                if restarting {
                    world.leap(id);
                }
                None
            });
            for entry in entries {
                if !each(entry) {
                    return Ok(());
                }
            }
            if over {
                return Ok(());
            }
        }
    }

    fn copy_in(
        &self,
        id: &ContainerId,
        directory: &Path,
        archive: &mut (dyn Read + Send),
    ) -> Result<(), EngineError> {
        let entries = transfer::unpack(archive);
        let names = entries.iter().flatten().map(|entry| entry.path.clone()).collect();
        let call = Call::CopyIn { directory: directory.to_owned(), names };
        record(&self.core, Some(id), call, || {
            let files = self.files(id)?;
            transfer::copy_in(&files, &text(directory), entries?)?;
            self.core.change(|_| ());
            Ok(())
        })
    }

    fn copy_out(
        &self,
        id: &ContainerId,
        path: &Path,
        archive: &mut (dyn Write + Send),
    ) -> Result<(), EngineError> {
        record(&self.core, Some(id), Call::CopyOut(path.to_owned()), || {
            transfer::copy_out(&self.files(id)?, &text(path), archive)
        })
    }

    /// Time passes for who looks: what the container waits for next (a probe, a restart) comes after each look.
    fn inspect(&self, id: &ContainerId) -> Result<ContainerStatus, EngineError> {
        count(&self.core, Method::Inspect)?;
        self.core.change(|world| {
            let status = world.container(id)?.status();
            world.leap(id);
            Ok(status)
        })
    }

    fn list(&self, labels: &LabelSelector) -> Result<Vec<ContainerStatus>, EngineError> {
        count(&self.core, Method::List)?;
        let world = self.core.lock();
        let matching = world.containers.values().filter(|container| labels.matches(&container.spec.labels));
        let mut found: Vec<ContainerStatus> = matching.map(super::container::Container::status).collect();
        found.sort_by_key(|status| std::cmp::Reverse(status.created));
        Ok(found)
    }

    fn find(&self, text: &str) -> Result<ContainerId, EngineError> {
        count(&self.core, Method::Find)?;
        self.core.lock().find(text)
    }

    fn stop(&self, id: &ContainerId, grace: Option<Duration>) -> Result<(), EngineError> {
        record(&self.core, Some(id), Call::Stop(grace), || lifecycle::stop(&self.core, id, grace))
    }

    fn kill(&self, id: &ContainerId, signal: i32) -> Result<(), EngineError> {
        record(&self.core, Some(id), Call::Kill(signal), || lifecycle::kill(&self.core, id, signal))
    }

    fn remove_container(&self, id: &ContainerId, force: bool) -> Result<(), EngineError> {
        let call = Call::RemoveContainer { force };
        record(&self.core, Some(id), call, || lifecycle::remove(&self.core, id, force))
    }

    fn list_sandboxes(&self, labels: &LabelSelector) -> Result<Vec<SandboxStatus>, EngineError> {
        let world = self.core.lock();
        let matching = world.sandboxes.iter().filter(|(_, sandbox)| labels.matches(&sandbox.spec.labels));
        let status = |(id, sandbox): (&SandboxId, &super::world::Sandbox)| SandboxStatus {
            id: id.clone(),
            name: sandbox.spec.name.clone(),
            labels: sandbox.spec.labels.clone(),
        };
        Ok(matching.map(status).collect())
    }

    fn remove_sandbox(&self, id: &SandboxId) -> Result<(), EngineError> {
        let name = self.core.lock().sandboxes.get(id).map(|sandbox| sandbox.spec.name.clone());
        record(&self.core, None, Call::RemoveSandbox(name), || lifecycle::remove_sandbox(&self.core, id))
    }
}
