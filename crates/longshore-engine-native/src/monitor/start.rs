//! Starting the container, the first time and again.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use longshore_engine::{ContainerState, EngineError, Fault, HealthStatus, Mount};

use super::{Monitor, Process};
use crate::control::AnswerDto;
use crate::groups;
use crate::launch::{Launch, Privilege, Running};
use crate::process::ProcessDto;
use crate::volume::Volumes;

impl Monitor {
    /// What is made once, before the first start.
    pub(super) fn begin(&mut self) -> Result<(), EngineError> {
        self.make_group()?;
        crate::network::prepare_files(&self.home, &self.record)
    }

    fn make_group(&mut self) -> Result<(), EngineError> {
        let (created, warnings) =
            groups::create(&self.hierarchy, &self.id, &self.record.spec, self.privilege)?;
        self.cgroup = Some(created.cgroup);
        self.state.warnings = warnings;
        Ok(())
    }

    /// Starts the container's process, and tells those who watch.
    pub(super) fn start(&mut self) -> Result<Process, EngineError> {
        self.learn_name();
        let mut launched = self.launch_in_group()?;
        self.state.own_users = launched.own_users;
        self.warn(std::mem::take(&mut launched.warnings));
        let pid = launched.child.pid().as_raw_nonzero().get();
        let prepared = self.set_oom_score(pid).and_then(|()| self.connect(pid, launched.own_network));
        if let Err(error) = prepared {
            return Err(launched.abandon(error));
        }
        // Where it cannot be held, the end of the container takes a little longer to be told.
        self.mounts = File::open(format!("/proc/{pid}/ns/mnt")).ok();
        self.oom_kills = self.count_oom_kills();
        let Running { child, streams, spent } = launched.finish()?;
        let pid = child.pid().as_raw_nonzero().get();
        let identity = ProcessDto::of(pid).unwrap_or(ProcessDto { pid, started: 0 });
        let checked = self.record.spec.health.as_ref().and_then(|health| health.command(&self.record.shell));
        self.state.health = checked.map(|_| HealthStatus::default());
        self.state.state = ContainerState::Running;
        self.state.process = Some(identity);
        self.state.started = Some(now());
        self.state.exit = None;
        self.state.error = None;
        self.write_state();
        let warnings = self.state.warnings.clone();
        self.tell(&AnswerDto::Started { warnings });
        self.spent = spent;
        Ok(Process { child, streams, identity })
    }

    /// Starts the process in its group. As long as nobody is in it, who cleans up after killed monitors of other homes may
    /// have taken it for one of theirs.
    fn launch_in_group(&mut self) -> Result<crate::launch::Launched, EngineError> {
        match self.launch() {
            Err(_) if self.cgroup.as_ref().is_some_and(|group| !group.is_there()) => {
                // What is left of it stands in the way.
                if let Some(group) = self.cgroup.take() {
                    let _ = group.remove_deserted();
                }
                self.make_group()?;
                self.launch()
            }
            result => result,
        }
    }

    fn launch(&self) -> Result<crate::launch::Launched, EngineError> {
        let volumes = Volumes::open(&self.home);
        let volume = |mount: &Mount| -> Result<PathBuf, EngineError> { volumes.source(mount) };
        let find = |other: &str| crate::directory::process_of(&self.home, other);
        Launch {
            home: &self.home,
            directory: &self.directory,
            record: &self.record,
            privilege: self.privilege,
            cgroup: self.cgroup.as_ref(),
            first: self.state.started.is_none(),
            volume: &volume,
            find: &find,
        }
        .start()
    }

    /// How soon the kernel ends it when memory is short.
    fn set_oom_score(&self, pid: i32) -> Result<(), EngineError> {
        let Some(score) = self.record.spec.resources.oom_score_adj else { return Ok(()) };
        if self.privilege != Privilege::Root {
            return Ok(());
        }
        std::fs::write(format!("/proc/{pid}/oom_score_adj"), score.to_string()).map_err(|error| {
            EngineError::new(
                Fault::Unsupported,
                format!("failed to set the container's OOM score to {score}"),
            )
            .because(error)
        })
    }

    /// Connects the container to its networks, publishes its ports, and writes its files of names.
    fn connect(&mut self, pid: i32, own_network: bool) -> Result<(), EngineError> {
        let connected = self.network.connect(&self.home, &self.record, (pid, own_network), self.privilege)?;
        self.state.networks = connected.networks;
        self.state.ports = connected.ports;
        self.warn(connected.warnings);
        Ok(())
    }

    /// Keeps what is to be told; a container that starts again is told once.
    fn warn(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            if !self.state.warnings.contains(&warning) {
                self.state.warnings.push(warning);
            }
        }
    }

    /// How often processes of the container were killed for want of memory.
    pub(super) fn count_oom_kills(&self) -> u64 {
        self.cgroup.as_ref().and_then(|group| group.oom_kills().ok().flatten()).unwrap_or(0)
    }

    /// The container could not be started.
    pub(super) fn fail(&mut self, error: &EngineError) {
        let code = match error.fault {
            Fault::CommandNotFound => 127,
            Fault::CommandNotRunnable => 126,
            _ => 128,
        };
        self.state.error = Some(error.to_string());
        self.state.networks = BTreeMap::new();
        let exit = longshore_engine::ExitStatus { code, out_of_memory: false };
        self.clean_up(exit);
        self.tell(&AnswerDto::Failed(error.into()));
        self.leave();
    }
}

/// Nanoseconds since 1970.
pub(super) fn now() -> i64 {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}
