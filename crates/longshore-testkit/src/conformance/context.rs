//! What a case works with.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_engine::{
    ContainerId, ContainerSpec, ContainerState, Engine, ExecSpec, ExitStatus, LogQuery, OutputSink,
    ProcessIo, SandboxId, SandboxNetwork, SandboxSpec, Stream,
};

use super::check::{Check, Failure, ensure};
use super::subject::Subject;

/// How long a condition may take to become true.
const PATIENCE: Duration = Duration::from_secs(30);
/// From look to look.
const PACE: Duration = Duration::from_millis(5);

/// Tells cases of one process apart.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// What a case works with: the engine, and names that nobody else uses. Sandboxes that are made through it are removed
/// when the case is over.
pub struct Context {
    subject: Subject,
    prefix: String,
    shared: Mutex<Option<SandboxId>>,
    sandboxes: Mutex<Vec<SandboxId>>,
}

/// What a process wrote, and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// How it ended.
    pub exit: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: Vec<u8>,
}

impl Captured {
    /// Its standard output as text, without blanks at the ends.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }

    /// Its standard error as text.
    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }
}

/// Collects output.
#[derive(Debug, Default)]
pub(crate) struct Collector(Mutex<(Vec<u8>, Vec<u8>)>);

impl OutputSink for Collector {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match stream {
            Stream::Stdout => both.0.extend_from_slice(bytes),
            Stream::Stderr => both.1.extend_from_slice(bytes),
        }
    }
}

impl Collector {
    /// What was collected so far.
    pub(crate) fn so_far(&self) -> (Vec<u8>, Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything, with how it ended.
    pub(crate) fn captured(&self, exit: ExitStatus) -> Captured {
        let (stdout, stderr) = self.so_far();
        Captured { exit, stdout, stderr }
    }
}

impl Context {
    /// A context for one case.
    pub(crate) fn new(subject: Subject) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("lsc-{}-{number}", std::process::id());
        Self { subject, prefix, shared: Mutex::new(None), sandboxes: Mutex::new(Vec::new()) }
    }

    /// The engine.
    pub fn engine(&self) -> &dyn Engine {
        &*self.subject.engine
    }

    /// A name that only this case uses.
    pub fn name(&self, part: &str) -> String {
        format!("{}-{part}", self.prefix)
    }

    /// A specification of a container that runs a command.
    pub fn spec(&self, command: Vec<String>) -> Check<ContainerSpec> {
        let image =
            self.subject.image().map_err(|error| Failure::new(format!("there is no image: {error}")))?;
        Ok(ContainerSpec { image, command, ..ContainerSpec::default() })
    }

    /// A new sandbox.
    pub fn sandbox(&self, part: &str, network: SandboxNetwork) -> Check<SandboxId> {
        let spec = SandboxSpec { name: self.name(part), network, ..SandboxSpec::default() };
        let id = self.engine().create_sandbox(&spec)?;
        self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner).push(id.clone());
        Ok(id)
    }

    /// The sandbox, without network, of cases that are not about sandboxes.
    pub fn shared(&self) -> Check<SandboxId> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = &*shared {
            return Ok(id.clone());
        }
        let id = self.sandbox("shared", SandboxNetwork::None)?;
        *shared = Some(id.clone());
        Ok(id)
    }

    /// Makes a container.
    pub fn create(&self, spec: &ContainerSpec) -> Check<ContainerId> {
        Ok(self.engine().create_container(&self.shared()?, spec)?)
    }

    /// Makes and starts a container.
    pub fn start(&self, spec: &ContainerSpec) -> Check<ContainerId> {
        self.start_in(&self.shared()?, spec)
    }

    /// Makes and starts a container in a sandbox.
    pub fn start_in(&self, sandbox: &SandboxId, spec: &ContainerSpec) -> Check<ContainerId> {
        let id = self.engine().create_container(sandbox, spec)?;
        self.engine().start(&id)?;
        Ok(id)
    }

    /// Makes and starts a container whose program says `ready`, and waits until it has.
    pub fn start_ready(&self, spec: &ContainerSpec) -> Check<ContainerId> {
        let id = self.start(spec)?;
        self.await_line(&id, "ready")?;
        Ok(id)
    }

    /// The same in a sandbox.
    pub fn start_ready_in(&self, sandbox: &SandboxId, spec: &ContainerSpec) -> Check<ContainerId> {
        let id = self.start_in(sandbox, spec)?;
        self.await_line(&id, "ready")?;
        Ok(id)
    }

    /// Waits until a container has written a line. Follows its log; if the container ends first, that is a failure.
    pub fn await_line(&self, id: &ContainerId, line: &str) -> Check {
        let mut found = false;
        let query = LogQuery { follow: true, ..LogQuery::default() };
        let mut all = Vec::new();
        self.engine().logs(id, &query, &mut |entry| {
            found = String::from_utf8_lossy(&entry.bytes).trim_end() == line;
            all.extend_from_slice(&entry.bytes);
            !found
        })?;
        let all = String::from_utf8_lossy(&all);
        ensure!(found, "the container ended before it wrote `{line}`; it wrote: {all}");
        Ok(())
    }

    /// Runs a container to its end.
    pub fn run(&self, spec: &ContainerSpec) -> Check<Captured> {
        self.run_in(&self.shared()?, spec)
    }

    /// Runs a container of a sandbox to its end.
    pub fn run_in(&self, sandbox: &SandboxId, spec: &ContainerSpec) -> Check<Captured> {
        let id = self.start_in(sandbox, spec)?;
        let exit = self.engine().wait(&id)?;
        let captured = self.output(&id, exit)?;
        self.engine().remove_container(&id, false)?;
        Ok(captured)
    }

    /// Runs a shell script in a new container.
    pub fn script(&self, script: &str) -> Check<Captured> {
        self.run(&self.spec(super::program::shell(script))?)
    }

    /// What a container wrote.
    pub fn output(&self, id: &ContainerId, exit: ExitStatus) -> Check<Captured> {
        let mut captured = Captured { exit, ..Captured::default() };
        self.engine().logs(id, &LogQuery::default(), &mut |entry| {
            match entry.stream {
                Stream::Stdout => captured.stdout.extend_from_slice(&entry.bytes),
                Stream::Stderr => captured.stderr.extend_from_slice(&entry.bytes),
            }
            true
        })?;
        Ok(captured)
    }

    /// Runs a command in a container.
    pub fn exec(&self, id: &ContainerId, command: Vec<String>) -> Check<Captured> {
        self.exec_spec(id, &ExecSpec { command, ..ExecSpec::default() })
    }

    /// Runs a command in a container.
    pub fn exec_spec(&self, id: &ContainerId, spec: &ExecSpec) -> Check<Captured> {
        let collector = Arc::new(Collector::default());
        let exit = self.engine().exec(id, spec, ProcessIo::to(collector.clone()))?;
        Ok(collector.captured(exit))
    }

    /// The state of a container.
    pub fn state(&self, id: &ContainerId) -> Check<ContainerState> {
        Ok(self.engine().inspect(id)?.state)
    }

    /// Waits until something is true.
    pub fn eventually(&self, what: &str, mut condition: impl FnMut() -> Check<bool>) -> Check {
        let begin = Instant::now();
        loop {
            if condition()? {
                return Ok(());
            }
            ensure!(begin.elapsed() < PATIENCE, "{what}: not within {} s", PATIENCE.as_secs());
            std::thread::sleep(PACE);
        }
    }

    /// Connects to a port of the machine until that succeeds.
    pub fn connect(&self, port: u16) -> Check<TcpStream> {
        let mut stream = None;
        self.eventually(&format!("a connection to port {port}"), || {
            stream = TcpStream::connect(("127.0.0.1", port)).ok();
            Ok(stream.is_some())
        })?;
        stream.ok_or_else(|| Failure::new("there is no connection"))
    }

    /// Removes everything that was made.
    pub(crate) fn clean_up(&self) -> Check {
        let sandboxes = std::mem::take(&mut *self.sandboxes.lock().unwrap_or_else(PoisonError::into_inner));
        // A network that is used by a later sandbox can only be removed after it.
        for sandbox in sandboxes.iter().rev() {
            self.engine().remove_sandbox(sandbox).map_err(|error| Failure::from(error).during("clean up"))?;
        }
        Ok(())
    }
}
