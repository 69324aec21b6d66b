//! What tests say to the fake and ask of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_engine::{Capabilities, ContainerId, EngineError, Fault, Isolation};

use super::FakeEngine;
use super::answer::{Answer, Gate};
use super::files::Files;
use super::image::FakeImage;
use super::invocation::Invocation;
use super::journal::{Entry, Method, Planned};
use super::network;
use super::world::Core;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

impl Default for FakeEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeEngine {
    /// An engine with the image `host` and no other.
    pub fn new() -> Self {
        let capabilities = Capabilities {
            engine: "fake",
            isolation: Isolation::None,
            add_container_later: true,
            names_resolve: true,
            publish_ports: true,
            privileged: true,
            limits: Ok(()),
            bind_mounts: true,
            copy_stopped: true,
            host_image: true,
            beside: false,
        };
        Self { core: Core::new(), capabilities }
    }

    /// The same engine, with other capabilities: what it says of itself changes, not what it does.
    #[must_use]
    pub fn with_capabilities(mut self, change: impl FnOnce(&mut Capabilities)) -> Self {
        change(&mut self.capabilities);
        self
    }

    /// Puts an image where containers can be made of it.
    pub fn add_image(&self, image: FakeImage) {
        self.core.change(|world| world.images.insert(image.name.clone(), image));
    }

    /// Puts an image where it must be pulled from first.
    pub fn add_remote_image(&self, image: FakeImage) {
        self.core.change(|world| world.remote.insert(image.name.clone(), image));
    }

    /// Has commands answered for. The handler gives `None` for commands that it has no answer for; of several handlers
    /// the last one is asked first. Commands that nobody answers for are not in the container, but for `true`, `false`,
    /// `echo`, `cat`, `sleep` and `tail -f /dev/null`, and the programs of the conformance suite.
    ///
    /// A handler is called by the thread that starts the command, so it must not wait for the engine; commands that
    /// take their time have an [`Answer`] that does.
    pub fn on(&self, handler: impl Fn(&Invocation) -> Option<Answer> + Send + Sync + 'static) {
        self.core.change(|world| world.handlers.push(Arc::new(handler)));
    }

    /// Has one call of a method fail: the first from now on for `nth` 1, and so on. Nothing else happens in that call.
    pub fn fail(&self, method: Method, nth: usize, fault: Fault, message: &str) {
        let planned = Planned { method, left: nth.max(1), fault, message: message.to_owned() };
        self.core.change(|world| world.planned.push(planned));
    }

    /// A gate at which commands wait, see [`Answer::await_gate`].
    pub fn gate(&self) -> Gate {
        Gate::new(self.core.clone())
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        self.core.change(|world| world.now += i128::try_from(time.as_nanos()).unwrap_or_default());
    }

    /// All calls that changed something, in the order in which they began.
    pub fn journal(&self) -> Vec<Entry> {
        self.core.lock().journal.clone()
    }

    /// Waits until there is a certain entry in the journal, and gives the first such. `None` if it does not come within
    /// half a minute.
    pub fn await_call(&self, wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let begin = Instant::now();
        loop {
            let found = self.core.lock().journal.iter().find(|entry| wanted(entry)).cloned();
            let left = PATIENCE.saturating_sub(begin.elapsed());
            if found.is_some() || left.is_zero() {
                return found;
            }
            // An entry may have come since the look; then nobody wakes us for it.
            self.core.pause(left.min(Duration::from_millis(20)));
        }
    }

    /// The content of a file of a container; through a mount, from where that leads.
    ///
    /// # Errors
    ///
    /// If there is no such container or file.
    pub fn read(&self, id: &ContainerId, path: &str) -> Result<Vec<u8>, EngineError> {
        Ok(self.files(id)?.read(path)?)
    }

    /// Writes a file of a container; directories above are made.
    ///
    /// # Errors
    ///
    /// If there is no such container, or no file can be there.
    pub fn write(&self, id: &ContainerId, path: &str, bytes: &[u8]) -> Result<(), EngineError> {
        self.files(id)?.write(path, bytes, false)?;
        self.core.change(|_| ());
        Ok(())
    }

    /// The address that a name has for a container that runs: of another container's name, alias, host name or short id
    /// in a network that both are in, or of an added host.
    pub fn resolve(&self, id: &ContainerId, name: &str) -> Option<IpAddr> {
        network::resolve(&self.core.lock(), id, name)
    }

    pub(super) fn files(&self, id: &ContainerId) -> Result<Files, EngineError> {
        Ok(self.core.lock().container(id)?.files.clone())
    }
}

impl Drop for FakeEngine {
    /// Whatever still runs ends, with the threads that play it.
    fn drop(&mut self) {
        self.core.change(|world| world.closing = true);
    }
}
