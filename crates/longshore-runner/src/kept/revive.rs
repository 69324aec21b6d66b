//! Looking around in a kept job: its containers run again, and processes are started as its failed step started them.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::Secret;
use longshore_engine::{ContainerId, Engine, ExecSpec};
use thiserror::Error;

use super::seal::{Missing, unseal_pairs};
use super::{KeptError, KeptJob};
use crate::checkpoint::Checkpoints;
use crate::environment::{get, set};
use crate::job::{Place, Services, chain};

/// How long services have to become well again.
const READY: Duration = Duration::from_mins(1);

/// A kept job does not run again.
#[derive(Debug, Error)]
pub enum ReviveError {
    /// Somebody else works with it.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// It cannot be started.
    #[error("failed to start what was kept of the job `{job}`: {why}")]
    Start {
        /// Its key.
        job: String,
        /// Why, with causes.
        why: String,
    },
}

/// A kept job that runs. Dropping it stops its containers, unless another one works with them.
pub struct Revived {
    job: KeptJob,
    place: Place,
    services: Services,
    lock: File,
}

/// A process as the failed step would start it.
#[derive(Debug)]
pub struct Process {
    /// The container to start it in.
    pub container: Option<ContainerId>,
    /// What to start.
    pub spec: ExecSpec,
    /// Variables that are missing.
    pub missing: Vec<Missing>,
}

impl std::fmt::Debug for Revived {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Revived").field("job", &self.job.job()).finish_non_exhaustive()
    }
}

impl KeptJob {
    /// Starts its containers, and waits until its services are well.
    ///
    /// # Errors
    /// It is being resumed or removed, or something of it does not start.
    pub fn revive(self, engine: Arc<dyn Engine>) -> Result<Revived, ReviveError> {
        let lock = self.share()?;
        let failed = |why: String| ReviveError::Start { job: self.record.job.clone(), why };
        // What is changed from here on would spoil checkpoints that count upon what is there.
        if let Some(checkpoints) = Checkpoints::load(&self.record.root) {
            checkpoints.settle();
            let _ = checkpoints.save();
        }
        let mut place = Place::reopen(engine, &self.record).map_err(|error| failed(chain(&error)))?;
        let rested = place.restart().map_err(|error| failed(chain(&error)))?;
        let until = std::time::Instant::now() + READY;
        let is_over = || std::time::Instant::now() >= until;
        // From here on it is stopped again, whatever happens.
        let mut revived = Revived { job: self.clone(), place, services: Services::default(), lock };
        revived.services = Services::revive(&revived.place, &self.record, &is_over).map_err(failed)?;
        if rested {
            revived.services.forward(&revived.place).map_err(failed)?;
        }
        Ok(revived)
    }
}

impl Revived {
    /// A process with the environment and directory of the failed step; without a command, a shell.
    pub fn process(&self, command: &[String], secrets: &[(String, Secret<String>)], tty: bool) -> Process {
        let secrets: Vec<(String, String)> =
            secrets.iter().map(|(name, value)| (name.clone(), value.expose().clone())).collect();
        let (mut env, missing) = unseal_pairs(&self.job.record.failed.env, &secrets);
        if tty && get(&env, "TERM").is_none() {
            set(&mut env, "TERM", "xterm-256color".to_owned());
        }
        let shell = "if command -v bash >/dev/null 2>&1; then exec bash; fi; exec sh";
        let command = match command {
            [] => ["sh", "-c", shell].map(str::to_owned).to_vec(),
            given => given.to_vec(),
        };
        let spec = ExecSpec {
            command,
            env: env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            working_directory: Some(self.job.record.failed.working_directory.clone()),
            tty,
            ..ExecSpec::default()
        };
        Process { container: self.place.container().cloned(), spec, missing }
    }
}

impl Drop for Revived {
    fn drop(&mut self) {
        if KeptJob::is_last(&self.lock) {
            self.services.rest(&self.place);
            self.place.rest();
        } else {
            self.services.leave();
        }
    }
}
