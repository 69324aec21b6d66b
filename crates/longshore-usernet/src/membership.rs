//! One network of several monitors, without a process of its own.
//!
//! The containers of one network may have monitors that know nothing of each other, and user namespaces that may not reach
//! into each other. What they can always do is hand each other descriptors. So one monitor runs the network, and the others
//! hand it their packet sockets over a socket in the network's directory. Which one it is, a lock decides: it is whoever
//! holds `switch.lock`. When it ends, by `kill -9` as well, the kernel frees the lock and closes the connections; the others
//! notice at once, one of them gets the lock, and the rest hand their packet sockets to it. Cables stay, and connections
//! between containers live on, because the switch keeps nothing about them; connections to the outside are reset.
//!
//! A bridge in a namespace held by one more process would need that process, its life cycle, and privileges over all
//! containers; it would let containers forge each other's addresses; and its death would cut the cables.
//!
//! **Invariant:** `start.lock` is held from deciding who runs the network until its socket listens, so whoever finds
//! `switch.lock` taken finds the socket listening, or its owner dead.

use std::fs::File;
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use crate::door::{DONE, Request};
use crate::gateway::{RunError, UserNetwork};
use crate::link::Port;

/// How long to wait for a dying owner of the lock, each time.
const DYING: Duration = Duration::from_millis(5);
/// How many members may wait to be let in.
const BACKLOG: i32 = 128;

/// Why a container could not be kept in its network.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// A lock of the network could not be opened or taken.
    #[error("failed to take the lock `{}` of a network", path.display())]
    Lock {
        /// Which lock.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The network's socket could not be made.
    #[error("failed to listen at `{}` for the containers of a network", path.display())]
    Listen {
        /// Where.
        path: PathBuf,
        /// The kernel's answer.
        source: Errno,
    },
    /// The network's socket could not be reached.
    #[error("failed to {attempt} at `{}`, where a network is run", path.display())]
    Join {
        /// What was attempted.
        attempt: &'static str,
        /// Where.
        path: PathBuf,
        /// The kernel's answer.
        source: Errno,
    },
    /// The monitor that runs the network did not take the container in.
    #[error("the monitor that runs the network at `{}` refused the container {address}", path.display())]
    Refused {
        /// Where.
        path: PathBuf,
        /// The container's address.
        address: std::net::Ipv4Addr,
    },
    /// A descriptor could not be duplicated.
    #[error("failed to duplicate a socket of the container")]
    Duplicate(#[source] io::Error),
    /// The network could not be run.
    #[error("failed to run the network")]
    Run(#[from] RunError),
}

/// A container's place in a network of several monitors.
pub struct Membership {
    directory: PathBuf,
    port: Port,
    published: Vec<(OwnedFd, SocketAddrV4)>,
}

/// What came of an attempt to join.
enum Joined {
    /// The network is ours to run.
    Switch { lock: File, door: OwnedFd },
    /// Another monitor runs it, and is at the other end.
    Member(OwnedFd),
    /// Who ran it is just dying.
    Nobody,
}

impl Membership {
    /// A place for `port` in the network of `directory`, which belongs to the user and to nobody else.
    pub fn new(directory: &Path, port: Port) -> Self {
        Self { directory: directory.to_owned(), port, published: Vec::new() }
    }

    /// Leads a port of the host to the container, as [`UserNetwork::publish`] does.
    pub fn publish(&mut self, socket: OwnedFd, to: SocketAddrV4) {
        self.published.push((socket, to));
    }

    /// Keeps the container in the network until `stop` becomes readable, and runs the network while nobody else does.
    ///
    /// `make` makes the network without containers; all members must make the same. `joined` is called whenever the
    /// container has got into the network: once in the beginning, and again after another monitor has taken over. What others
    /// send to it before is lost.
    ///
    /// # Errors
    ///
    /// If the network's directory cannot be used, or the network cannot be run.
    pub fn run(
        &self,
        mut make: impl FnMut() -> Result<UserNetwork, RunError>,
        mut joined: impl FnMut(),
        stop: impl AsFd,
    ) -> Result<(), MembershipError> {
        loop {
            match self.join()? {
                Joined::Switch { lock, door } => {
                    let mut network = make()?;
                    network.plug(self.duplicate()?)?;
                    for (socket, to) in &self.published {
                        network.publish(socket.try_clone().map_err(MembershipError::Duplicate)?, *to)?;
                    }
                    network.open_door(door)?;
                    joined();
                    let ended = network.run_borrowed(stop.as_fd());
                    // The lock first: those who notice that the network is gone find it free.
                    drop(lock);
                    drop(network);
                    return ended.map_err(MembershipError::Run);
                }
                Joined::Member(connection) => {
                    if self.hand_over(&connection)? {
                        joined();
                        if wait(stop.as_fd(), Some(connection.as_fd()), None) {
                            return Ok(());
                        }
                    }
                }
                Joined::Nobody => {}
            }
            if wait(stop.as_fd(), None, Some(DYING)) {
                return Ok(());
            }
        }
    }

    /// Hands the container and its published ports to who runs the network; says whether it still does.
    fn hand_over(&self, connection: &OwnedFd) -> Result<bool, MembershipError> {
        if !self.ask(connection, Request::Plug(self.port.address()), self.port.as_fd())? {
            return Ok(false);
        }
        for (socket, to) in &self.published {
            if !self.ask(connection, Request::Lead(*to), socket.as_fd())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn duplicate(&self) -> Result<Port, MembershipError> {
        let socket = self.port.as_fd().try_clone_to_owned().map_err(MembershipError::Duplicate)?;
        Ok(Port::new(socket, self.port.address()))
    }

    fn join(&self) -> Result<Joined, MembershipError> {
        let start = self.lock("start.lock", FlockOperation::LockExclusive)?;
        let switch = self.lock("switch.lock", FlockOperation::NonBlockingLockExclusive)?;
        let path = self.directory.join("switch.sock");
        let joined = match (switch, start) {
            (Some(lock), _start) => Joined::Switch { lock, door: open_door(&path)? },
            (None, _start) => knock(&path)?.map_or(Joined::Nobody, Joined::Member),
        };
        Ok(joined)
    }

    /// Opens a lock and takes it; nothing if somebody else has it.
    fn lock(&self, name: &str, operation: FlockOperation) -> Result<Option<File>, MembershipError> {
        let path = self.directory.join(name);
        let opened = File::options().create(true).truncate(false).write(true).open(&path);
        let locked = opened.and_then(|file| match flock(&file, operation) {
            Ok(()) => Ok(Some(file)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(failure) => Err(failure.into()),
        });
        locked.map_err(|source| MembershipError::Lock { path, source })
    }

    /// Asks who runs the network for something; says whether it still does.
    fn ask(
        &self,
        connection: &OwnedFd,
        request: Request,
        descriptor: std::os::fd::BorrowedFd<'_>,
    ) -> Result<bool, MembershipError> {
        let path = || self.directory.join("switch.sock");
        let mut answer = [0];
        let answered =
            request.send(connection, descriptor).and_then(|()| rustix::io::read(connection, &mut answer));
        match (answered, answer) {
            (Ok(1..), [DONE]) => Ok(true),
            (Ok(0) | Err(Errno::PIPE | Errno::CONNRESET), _) => Ok(false),
            (Ok(_), _) => Err(MembershipError::Refused { path: path(), address: self.port.address() }),
            (Err(source), _) => {
                Err(MembershipError::Join { attempt: "hand over a container", path: path(), source })
            }
        }
    }
}

/// The address of a socket at a path of any length (the kernel's own limit is 107 bytes), good as long as the descriptor of
/// its directory is open.
fn address(path: &Path) -> Result<(OwnedFd, SocketAddrUnix), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path.parent().unwrap_or(path), flags, Mode::empty())?;
    let name = path.file_name().unwrap_or_default().display();
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd()))?;
    Ok((directory, address))
}

/// Makes the socket that members come to, in the place of one that a dead monitor left.
fn open_door(path: &Path) -> Result<OwnedFd, MembershipError> {
    let listen_at = || {
        match rustix::fs::unlink(path) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(failure) => return Err(failure),
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        bind(&socket, &address(path)?.1)?;
        listen(&socket, BACKLOG)?;
        Ok(socket)
    };
    listen_at().map_err(|source| MembershipError::Listen { path: path.to_owned(), source })
}

/// Connects to who runs the network; nothing if it has just ended.
fn knock(path: &Path) -> Result<Option<OwnedFd>, MembershipError> {
    let connect_to = || {
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        connect(&socket, &address(path)?.1)?;
        Ok(socket)
    };
    match connect_to() {
        Ok(socket) => Ok(Some(socket)),
        Err(Errno::CONNREFUSED | Errno::NOENT | Errno::CONNRESET | Errno::INTR) => Ok(None),
        Err(source) => Err(MembershipError::Join { attempt: "connect", path: path.to_owned(), source }),
    }
}

/// Waits for the stop, the other descriptor, or the end of the time; says whether it was the stop.
fn wait(
    stop: std::os::fd::BorrowedFd<'_>,
    other: Option<std::os::fd::BorrowedFd<'_>>,
    limit: Option<Duration>,
) -> bool {
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    let watch = |descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN);
    let mut watched: Vec<PollFd<'_>> = [Some(stop), other].into_iter().flatten().map(watch).collect();
    loop {
        match poll(&mut watched, limit.as_ref()) {
            Err(Errno::INTR) => {}
            Ok(_) => return watched.first().is_some_and(|stop| !stop.revents().is_empty()),
            Err(_) => return false,
        }
    }
}
