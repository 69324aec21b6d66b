//! The monitor: one small process for each container that runs.
//!
//! It starts the container's process, keeps what it writes, checks its health, starts it again if that is wanted,
//! answers over its socket, and cleans up. It outlives whoever started it, which is what makes a daemon unnecessary; if
//! it is killed, the kernel ends the container, and the next command cleans up after both.
//!
//! It has one thread of its own, which only waits for descriptors; the name server and the published ports of the
//! network have theirs.

mod connection;
mod ending;
mod links;
mod probe;
mod restart;
mod run;
mod serve;
mod start;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr as _;

use longshore_cgroup::{Cgroup, Hierarchy};
use longshore_engine::{ContainerId, EngineError, Fault};

use self::connection::Connection;
use crate::control::{Frame, RequestDto, listen};
use crate::home::{Home, io_error};
use crate::launch::Privilege;
use crate::log::LogWriter;
use crate::network::Connected;
use crate::process::ProcessDto;
use crate::record::{ContainerDirectory, RecordDto, StateDto};

/// The word after the program's name that makes it a monitor.
pub const MONITOR: &str = "__monitor";

/// A monitor at work.
struct Monitor {
    home: Home,
    id: ContainerId,
    directory: ContainerDirectory,
    record: RecordDto,
    state: StateDto,
    privilege: Privilege,
    hierarchy: Hierarchy,
    cgroup: Option<Cgroup>,
    network: Connected,
    log: LogWriter,
    listener: UnixListener,
    connections: Vec<Connection>,
    /// Locked as long as this process lives.
    lock: File,
    /// How often it ran out of memory before it was started this time.
    oom_kills: u64,
    /// Lines and columns of the terminal of who started it.
    size: Option<(u16, u16)>,
    /// What starting it left, closed once the container has settled, or is over.
    spent: Vec<OwnedFd>,
    /// The container's mount namespace. The kernel would take it down before it tells that the container has ended; held, it
    /// goes when everybody has been told.
    mounts: Option<File>,
}

/// The main function of a monitor: `__monitor HOME ID`, with a connection as standard input and the lock as standard
/// output. Everything that goes wrong is told over the connection.
pub fn main(arguments: &[String]) -> ExitCode {
    if watch(arguments) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Watches over a container until it has ended for good. Whether it could begin.
pub(crate) fn watch(arguments: &[String]) -> bool {
    // It is started as `/proc/self/exe`, whose name tells nobody what it is.
    let _ = rustix::thread::set_name(c"longshore");
    let Ok((connection, lock)) = take_over() else { return false };
    let Ok(mut connection) = Connection::new(connection) else { return false };
    let [home, id] = arguments else { return false };
    match Monitor::open(Path::new(home), id, lock) {
        Ok(mut monitor) => {
            monitor.greet(connection);
            monitor.run();
            true
        }
        Err(error) => {
            connection.answer(crate::control::AnswerDto::Failed((&error).into()));
            connection.finish();
            false
        }
    }
}

/// Takes the two descriptors over, and leaves nothing of who started this process in its streams.
fn take_over() -> io::Result<(UnixStream, File)> {
    let connection = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    let lock = rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok((UnixStream::from(connection), File::from(lock)))
}

impl Monitor {
    fn open(home: &Path, id: &str, lock: File) -> Result<Self, EngineError> {
        let id = ContainerId::from_str(id).map_err(|message| EngineError::new(Fault::Bug, message))?;
        let home = Home::open(home)?;
        let directory = ContainerDirectory::new(&home, &id);
        let record = directory.record()?;
        let log = LogWriter::open(directory.path(), &record.spec.log);
        let listener =
            listen(directory.path()).map_err(|error| io_error("listen in", directory.path(), error))?;
        let before = directory.state()?;
        let state = StateDto {
            monitor: ProcessDto::own(),
            started: before.started,
            finished: before.finished,
            ..StateDto::default()
        };
        let privilege = crate::rootless::enter_for(&home, &record)?;
        let hierarchy = Hierarchy::detect();
        let network = Connected::default();
        Ok(Self {
            home,
            id,
            directory,
            record,
            state,
            privilege,
            hierarchy,
            cgroup: None,
            network,
            log,
            listener,
            connections: Vec::new(),
            lock,
            oom_kills: 0,
            size: None,
            spent: Vec::new(),
            mounts: None,
        })
    }

    /// Takes over the connection of who started this monitor. What they ask for was sent before, so that they miss
    /// nothing.
    fn greet(&mut self, mut connection: Connection) {
        for frame in connection.receive() {
            match frame {
                Frame::Request(RequestDto::Attach { stdout, stderr, stdin }) => {
                    (connection.stdout, connection.stderr, connection.stdin) = (stdout, stderr, stdin);
                    connection.watches = true;
                }
                Frame::Request(RequestDto::Watch) => connection.watches = true,
                Frame::Request(RequestDto::Resize { rows, columns }) => self.size = Some((rows, columns)),
                _ => {}
            }
        }
        self.connections.push(connection);
    }

    /// Starts the container, and stays until it has ended for good.
    fn run(&mut self) {
        if let Err(error) = self.begin() {
            self.fail(&error);
            return;
        }
        let mut delay = restart::RestartDelay::default();
        loop {
            match self.start() {
                Ok(process) => {
                    let ended = self.serve(process);
                    if !self.restart(&ended, &mut delay) {
                        self.end(&ended);
                        return;
                    }
                }
                Err(error) => {
                    self.fail(&error);
                    return;
                }
            }
        }
    }

    /// Says something to all who watch.
    fn tell(&mut self, answer: &crate::control::AnswerDto) {
        for connection in self.connections.iter_mut().filter(|connection| connection.watches) {
            connection.answer(answer.clone());
        }
    }

    /// Writes down what the container is doing. That it cannot be written down must not end the container.
    fn write_state(&mut self) {
        let _ = self.directory.write_state(&self.state);
    }
}

/// The process of a container, and its streams.
struct Process {
    child: longshore_sys::Child,
    streams: crate::launch::Streams,
    identity: ProcessDto,
}

impl Process {
    fn pidfd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.child.pidfd()
    }
}
