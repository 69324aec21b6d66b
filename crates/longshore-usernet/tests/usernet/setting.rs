//! What the tests play in: the user namespace, the container, and the gateway.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use longshore_usernet::{Names, Port, UserNetwork, UserNetworkSpec};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Set in the processes that run a test again.
pub(crate) const INSIDE: &str = "LONGSHORE_USERNET_TEST";

fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Runs `body` as root if we are, and as the root of a user namespace that belongs to an ordinary user.
pub(crate) fn as_everyone(name: &str, body: fn()) {
    if std::env::var_os(INSIDE).is_some() {
        return run(body);
    }
    let root = rustix::process::getuid().is_root();
    if root {
        run(body);
    }
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("test");
    std::fs::copy(std::env::current_exe().expect("this program"), &program).expect("a copy");
    for path in [directory.path(), &program] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    }
    let drop_root = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let words: Vec<&str> =
        if root { drop_root.to_vec() } else { Vec::new() }.into_iter().chain(["unshare", "-Ur"]).collect();
    let command = |argument: &[&std::ffi::OsStr]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(argument).env(INSIDE, "1").current_dir("/");
        command
    };
    match command(&["true".as_ref()]).output() {
        Ok(output) if output.status.success() => {}
        answer => return note(&format!("skipped: no user namespace can be made: {answer:?}")),
    }
    let status = command(&[program.as_os_str(), name.as_ref(), "--exact".as_ref(), "--nocapture".as_ref()])
        .status()
        .expect("a child");
    assert!(status.success(), "{name} failed as an ordinary user");
}

fn run(body: fn()) {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    body();
}

/// An address of this machine that is not its loopback's.
pub(crate) fn own_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let found = socket.connect("198.51.100.1:9").and_then(|()| socket.local_addr());
    match found.map(|address| address.ip()) {
        Ok(IpAddr::V4(address)) if !address.is_loopback() => Some(address),
        answer => {
            note(&format!("skipped: this machine has no address but its loopback's: {answer:?}"));
            None
        }
    }
}

type Errand = Box<dyn FnOnce() + Send>;

/// A thread in a network namespace of its own.
pub(crate) struct Container {
    errands: Sender<Errand>,
    pub(crate) netns: OwnedFd,
}

impl Container {
    /// A container, or nothing if this machine lets us make none.
    pub(crate) fn new() -> Option<Self> {
        let (errands, work) = channel::<Errand>();
        let (tell, told) = channel();
        thread::spawn(move || {
            let made = longshore_sys::unshare_network()
                .map_err(std::io::Error::from)
                .and_then(|()| std::fs::File::open("/proc/thread-self/ns/net"));
            tell.send(made.map(OwnedFd::from)).expect("a listener");
            work.iter().for_each(|errand| errand());
        });
        match told.recv().expect("an answer") {
            Ok(netns) => Some(Self { errands, netns }),
            Err(why) => {
                note(&format!("skipped: no network namespace can be made: {why}"));
                None
            }
        }
    }

    /// Runs something inside.
    pub(crate) fn run<T: Send + 'static>(&self, errand: impl FnOnce() -> T + Send + 'static) -> T {
        let (tell, told) = channel();
        let errand = move || {
            let _ = tell.send(errand());
        };
        self.errands.send(Box::new(errand)).expect("a container");
        told.recv().expect("an answer of the container")
    }
}

/// A gateway that runs.
pub(crate) struct Running {
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(network: UserNetwork) -> Self {
        let (stopped, stop) = pipe();
        let thread = thread::spawn(move || network.run(stopped.as_fd()).expect("a run"));
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        rustix::io::write(&self.stop, b"x").expect("a word");
        let joined = self.thread.take().map(JoinHandle::join);
        assert!(matches!(joined, Some(Ok(()))) || thread::panicking(), "the gateway failed");
    }
}

pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 100);

/// A container with a gateway.
pub(crate) fn connected(spec: UserNetworkSpec) -> Option<(Container, Running)> {
    connected_with(spec, Box::new(()))
}

pub(crate) fn connected_with(spec: UserNetworkSpec, names: Box<dyn Names>) -> Option<(Container, Running)> {
    let container = Container::new()?;
    let port = Port::attach(container.netns.as_fd(), &spec, ADDRESS).expect("a cable");
    let mut network = UserNetwork::new(spec, names).expect("a network");
    network.plug(port).expect("a port");
    Some((container, Running::start(network)))
}

/// A pipe that other tests' children do not keep open.
pub(crate) fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe")
}
