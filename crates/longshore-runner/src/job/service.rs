//! The service containers of a job, and the job's own container.
//!
//! All containers of a job share one network of their own, so that two runs never meet. A job in a `container:` reaches a
//! service by its name. A job on the image of a label reaches it at `localhost` and the port that `ports:` maps, as on
//! GitHub: a small forwarder in the job's network listens there.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use longshore_engine::{ContainerId, ContainerState, HealthState, ImageSource, LogQuery};
use longshore_event::{JobEvent, ServiceState};
use longshore_expr::{Object, Value};
use longshore_workflow::model::StepsJob;

use super::forwarder::{Forwarder, Rule, Target};
use super::place::{bind, container_spec};
use super::port::{FIRST_FREE_PORT, Port, ports, refuse_taken};
use super::specification::{ContainerSpecification, Specification};
use super::steps::chain;
use super::toolkit::is_identified;
use super::{JobRun, Place};
use crate::action::ResolvedActions;
use crate::kept::{KeptDto, ServiceDto};
use crate::native::checkout::LentObjects;
use crate::runner::ActionMode;
use crate::voice::StepVoice;

/// How often it is looked whether a service is well; the engine itself probes early.
const POLL: Duration = Duration::from_millis(10);

/// How many lines of the log of a failed service are shown.
const FAILED_LOG_LINES: usize = 200;

/// Services that run.
#[derive(Default)]
pub(crate) struct Services {
    running: Vec<Service>,
    /// `job.services`.
    pub(super) context: Vec<(String, Value)>,
    /// Whether what they wrote was shown when one of them failed.
    logs_are_shown: bool,
    /// The process that forwards ports, as long as it is needed.
    forwarder: Option<Forwarder>,
}

/// A service that runs.
struct Service {
    name: String,
    image: String,
    id: ContainerId,
    ports: Vec<Port>,
}

impl JobRun<'_> {
    /// Says where the job runs.
    pub(super) fn introduce(&self, specification: &Specification, voice: &StepVoice) {
        voice.lines([
            "##[group]Runner",
            &format!("Longshore {}", env!("CARGO_PKG_VERSION")),
            &format!("Machine: {}", self.runner.machine.name),
            &format!("Engine: {}", self.runner.engine.capabilities().engine),
            &format!("Labels: {}", specification.labels.join(", ")),
            &format!("Image: {}", specification.image),
            "##[endgroup]",
        ]);
    }

    /// Fetches the actions, and finds the objects that checkouts borrow.
    pub(super) fn gather(
        &self,
        model: &StepsJob,
        voice: &StepVoice,
    ) -> Result<(ResolvedActions, Vec<LentObjects>), String> {
        let actions = ResolvedActions::resolve(self, model, voice)?;
        let lent = match self.runner.action_mode {
            ActionMode::Native => LentObjects::of(&self.task.facts.request.project.root),
            ActionMode::Upstream => Vec::new(),
        };
        Ok((actions, lent))
    }

    /// Writes the event, and starts the container in which the steps run.
    pub(super) fn set_up(
        &self,
        place: &mut Place,
        actions: &ResolvedActions,
        specification: &Specification,
        voice: &StepVoice,
    ) -> Result<(), String> {
        let payload = self.task.facts.request.event.payload.to_json();
        let event = place.paths.root.join("workflow/event.json");
        fs::write(&event, payload)
            .map_err(|error| format!("failed to write `{}`: {error}", event.display()))?;
        let mut mounts = actions.mounts();
        if actions.runs_actions() {
            let nodes = self.runner.actions.nodes();
            fs::create_dir_all(nodes)
                .map_err(|error| format!("failed to make `{}`: {error}", nodes.display()))?;
            mounts.push(bind(nodes, &place.paths.externals, true));
        }
        mounts.extend(place.lent.iter().map(LentObjects::mount));
        let with_sockets = actions.runs_actions() || is_identified(self);
        if with_sockets {
            let services = place.paths.services();
            fs::create_dir_all(&services)
                .map_err(|error| format!("failed to make `{}`: {error}", services.display()))?;
        }
        if !specification.services.is_empty() || with_sockets {
            mounts.extend(Forwarder::mounts(place, &self.runner.program, with_sockets));
        }
        mounts.extend(super::certificates::mount(self.runner.machine.certificates.as_deref()));
        place.mounts = mounts;
        // The container of a job that asks for one has a step of its own.
        if specification.container.is_none() {
            place.start(self, specification, voice).map_err(|error| chain(&error))?;
        }
        Ok(())
    }

    /// Starts all services and waits until they are well. Those that were started, and what went wrong with the others.
    pub(super) fn start_services(
        &self,
        place: &Place,
        specification: &Specification,
        voice: &StepVoice,
    ) -> (Services, Option<String>) {
        let mut services = Services::default();
        let ready = Self::start_each(place, specification, &mut services, voice)
            .and_then(|()| self.wait_for_each(place, specification, &services, voice));
        if ready.is_err() {
            Self::show_logs(place, &services, voice);
            services.logs_are_shown = true;
        }
        // What runs is found, also by steps that are there because something failed.
        let forwarded = services.forward(place);
        (services, ready.and(forwarded).err())
    }

    fn start_each(
        place: &Place,
        specification: &Specification,
        services: &mut Services,
        voice: &StepVoice,
    ) -> Result<(), String> {
        let mut free = FIRST_FREE_PORT;
        let mut asked: Vec<(&String, &ContainerSpecification, Vec<Port>)> = Vec::new();
        for (name, service) in &specification.services {
            let ports = ports(name, service, &mut free)?;
            if !place.in_container {
                let others = asked.iter().map(|(other, _, ports)| (other.as_str(), ports.as_slice()));
                refuse_taken(name, &ports, others)?;
            }
            for port in ports.iter().filter(|port| !port.is_tcp() && !place.in_container) {
                voice.warning(&format!(
                    "the port {}/{} of the service `{name}` is not forwarded to `localhost`: that works for TCP alone; \
                     `{name}:{}` reaches it",
                    port.target, port.protocol, port.target
                ));
            }
            tell(voice, name, service, ServiceState::Starting, &ports);
            voice.line(&format!("Starting the service {name} from {}", service.image));
            // One after the other: several often share an image.
            let image = ImageSource::parse(&service.image);
            let pulled = place.pull(&image, service.login.as_ref(), voice);
            if let Err(error) = pulled {
                tell(voice, name, service, ServiceState::Failed, &[]);
                return Err(unstarted(name, &error));
            }
            asked.push((name, service, ports));
        }
        let started: Vec<Result<ContainerId, String>> =
            at_once(&asked, |(name, service, _)| Self::start_service(place, name, service));
        let mut errors = Vec::new();
        for ((name, service, ports), id) in asked.into_iter().zip(started) {
            let id = match id {
                Ok(id) => id,
                Err(error) => {
                    tell(voice, name, service, ServiceState::Failed, &[]);
                    errors.push(error);
                    continue;
                }
            };
            services.context.push((name.clone(), context(&id, &place.network, &ports)));
            let image = service.image.clone();
            services.running.push(Service { name: name.clone(), image, id, ports });
        }
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }

    /// Waits for all of them, so that all are told of that fail.
    fn wait_for_each(
        &self,
        place: &Place,
        specification: &Specification,
        services: &Services,
        voice: &StepVoice,
    ) -> Result<(), String> {
        let mut errors = Vec::new();
        for (running, (name, service)) in services.running.iter().zip(&specification.services) {
            let is_over = || self.task.control.cancelled().is_some() || self.is_over();
            let ready = wait_ready(place, running, &is_over);
            let state = if ready.is_ok() { ServiceState::Ready } else { ServiceState::Failed };
            tell(voice, name, service, state, &[]);
            errors.extend(ready.err());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }

    fn start_service(
        place: &Place,
        name: &str,
        service: &ContainerSpecification,
    ) -> Result<ContainerId, String> {
        let mut spec = container_spec(service, &place.paths).map_err(|error| unstarted(name, &error))?;
        place.join(&mut spec, name);
        spec.labels.extend(place.labels.clone());
        spec.disposable = true;
        if !service.command.is_empty() {
            spec.command.clone_from(&service.command);
        }
        spec.entrypoint = service.entrypoint.clone().or(spec.entrypoint);
        let engine = place.engine();
        let id = engine.create_container(&place.sandbox, &spec).map_err(|error| unstarted(name, &error))?;
        engine.start(&id).map_err(|error| unstarted(name, &error))?;
        Ok(id)
    }

    /// Ends the services: removes them, or leaves their files for later.
    pub(super) fn stop_services(place: &Place, services: &mut Services, end: ServicesEnd, voice: &StepVoice) {
        if end != ServicesEnd::Passed && !services.logs_are_shown {
            Self::show_logs(place, services, voice);
        }
        if end == ServicesEnd::Kept {
            voice.line("The services are stopped and kept");
            return services.rest(place);
        }
        services.forwarder.take();
        for service in &services.running {
            voice.line(&format!("Removing the service {}", service.name));
        }
        let removed =
            at_once(&services.running, |service| place.engine().remove_container(&service.id, true));
        for (Service { name, .. }, removed) in services.running.iter().zip(removed) {
            if let Err(error) = removed {
                voice.warning(&format!("failed to remove the service `{name}`: {}", chain(&error)));
            }
        }
    }

    fn show_logs(place: &Place, services: &Services, voice: &StepVoice) {
        for Service { name, id, .. } in &services.running {
            let mut lines = Vec::new();
            let query = LogQuery { tail: Some(FAILED_LOG_LINES), ..LogQuery::default() };
            let _ = place.engine().logs(id, &query, &mut |entry| {
                lines.push(String::from_utf8_lossy(&entry.bytes).trim_end_matches(['\n', '\r']).to_owned());
                true
            });
            voice.line(&format!("##[group]Log of the service {name}"));
            voice.lines(lines.iter().map(String::as_str));
            voice.line("##[endgroup]");
        }
    }
}

/// Does something with each of several things at the same time.
fn at_once<T: Sync, R: Send>(things: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let act = &act;
    std::thread::scope(|threads| {
        let begun: Vec<_> = things.iter().map(|thing| threads.spawn(move || act(thing))).collect();
        begun
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn unstarted(name: &str, error: &(dyn std::error::Error + 'static)) -> String {
    format!("failed to start the service `{name}`: {}", chain(error))
}

/// How the job has ended whose services end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServicesEnd {
    /// Well.
    Passed,
    /// It failed, and nothing of it is kept.
    Failed,
    /// It failed, and is kept.
    Kept,
}

impl Services {
    /// Starts the services of a kept job again, and waits until they are well.
    pub(crate) fn revive(
        place: &Place,
        record: &KeptDto,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Self, String> {
        let mut services = Self::default();
        for service in &record.services {
            let id: ContainerId = service.container.parse()?;
            let protocol = || "tcp".to_owned();
            let port = |(target, listen): &(u16, u16)| Port {
                listen: *listen,
                target: *target,
                protocol: protocol(),
            };
            let ports: Vec<Port> = service.ports.iter().map(port).collect();
            place.engine().start(&id).map_err(|error| {
                format!("failed to start the service `{}` again: {}", service.name, chain(&error))
            })?;
            services.context.push((service.name.clone(), context(&id, &place.network, &ports)));
            let (name, image) = (service.name.clone(), service.image.clone());
            services.running.push(Service { name, image, id, ports });
        }
        let ready = services.running.iter().try_for_each(|service| wait_ready(place, service, is_over));
        if let Err(error) = ready {
            services.rest(place);
            return Err(error);
        }
        Ok(services)
    }

    /// Lets the job find the services at `localhost`.
    pub(crate) fn forward(&mut self, place: &Place) -> Result<(), String> {
        let rule = |name: &str, port: &Port| Rule {
            listen: port.listen,
            target: Target::Container(name.to_owned(), port.target),
        };
        let of = |service: &Service| -> Vec<Rule> {
            let ports = service.ports.iter().filter(|port| port.is_tcp());
            ports.map(|port| rule(&service.name, port)).collect()
        };
        let rules: Vec<Rule> = self.running.iter().flat_map(of).collect();
        if !place.in_container && !rules.is_empty() {
            self.forwarder = Some(Forwarder::start(place, &rules)?);
        }
        Ok(())
    }

    /// Leaves the services to others who work with them.
    pub(crate) fn leave(&mut self) {
        std::mem::forget(self.forwarder.take());
    }

    /// Stops the services, whose files stay.
    pub(crate) fn rest(&mut self, place: &Place) {
        self.forwarder.take();
        for service in &self.running {
            // What still runs is stopped by whoever works with it next.
            let _ = place.engine().stop(&service.id, Some(Duration::ZERO));
        }
    }

    /// What is written down of them.
    pub(super) fn records(&self) -> Vec<ServiceDto> {
        let record = |service: &Service| ServiceDto {
            name: service.name.clone(),
            image: service.image.clone(),
            container: service.id.to_string(),
            ports: service
                .ports
                .iter()
                .filter(|port| port.is_tcp())
                .map(|port| (port.target, port.listen))
                .collect(),
        };
        self.running.iter().map(record).collect()
    }
}

fn wait_ready(place: &Place, service: &Service, is_over: &dyn Fn() -> bool) -> Result<(), String> {
    let name = &service.name;
    let began = Instant::now();
    loop {
        let status = place.engine().inspect(&service.id).map_err(|error| chain(&error))?;
        let health = status.health.as_ref().map(|health| health.state);
        match (status.state, health) {
            (ContainerState::Running, None | Some(HealthState::Healthy)) => return Ok(()),
            (ContainerState::Running, Some(HealthState::Unhealthy)) => {
                return Err(format!(
                    "the service `{name}` is unhealthy after {:.1} s; its log stands above",
                    began.elapsed().as_secs_f64()
                ));
            }
            (ContainerState::Running | ContainerState::Created | ContainerState::Restarting, _) => {}
            _ => {
                let code = status.exit.map_or(0, |exit| exit.code);
                return Err(format!(
                    "the service `{name}` ended with exit code {code}; its log stands above"
                ));
            }
        }
        if is_over() {
            return Err(format!("the service `{name}` was not ready when the job was ended"));
        }
        // Health is written by the container's monitor; there is nothing to wait upon but the clock.
        std::thread::sleep(POLL);
    }
}

fn tell(
    voice: &StepVoice,
    name: &str,
    service: &ContainerSpecification,
    state: ServiceState,
    ports: &[Port],
) {
    let ports: BTreeMap<String, u16> =
        ports.iter().map(|port| (format!("{}/{}", port.target, port.protocol), port.listen)).collect();
    voice.job.say(JobEvent::Service { name: name.to_owned(), image: service.image.clone(), state, ports });
}

/// `job.services.NAME`.
fn context(id: &ContainerId, network: &str, ports: &[Port]) -> Value {
    let ports: Object = ports
        .iter()
        .map(|port| (port.target.to_string(), Value::from(port.listen.to_string().as_str())))
        .collect();
    let entries = [
        ("id", Value::from(id.to_string().as_str())),
        ("network", Value::from(network)),
        ("ports", Value::Object(ports)),
    ];
    Value::Object(entries.into_iter().collect())
}
