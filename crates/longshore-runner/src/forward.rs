//! Handing ports on: the process in a job's network that lets it find services at `localhost`.
//!
//! `__forward LISTEN=NAME:PORT…` listens on the loopback addresses and carries bytes to the named container, and with
//! `LISTEN=unix:PATH` to a socket. Names are looked up for each connection, because a service may be started anew with another address.
//!
//! With `--beside` before these it is a process of this machine that has only the job's network, and so needs nothing of the
//! job's image: it asks the container's name server itself, and ends when its standard input, the job's container, has ended.
//! Without, it is a process in the container, for engines that can do no better, and needs what it is linked with there.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

mod lookup;

/// The word before the rules of a process that is not in the container.
pub(crate) const BESIDE: &str = "--beside";

/// How names are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// By the system.
    System,
    /// By the name server of the network that this process is in.
    Container,
}

/// Runs until it is killed. The arguments are those after `__forward`.
pub fn forward_main(arguments: &[String]) -> ExitCode {
    let (names, arguments) = match arguments.split_first() {
        Some((first, rest)) if first == BESIDE => (Names::Container, rest),
        _ => (Names::System, arguments),
    };
    let mut listeners = Vec::new();
    for argument in arguments {
        match listen(argument) {
            Ok(own) => listeners.extend(own.into_iter().map(|listener| (listener, argument.clone()))),
            Err(error) => return say(&format!("{argument}: {error}"), ExitCode::FAILURE),
        }
    }
    if say("ready", ExitCode::SUCCESS) != ExitCode::SUCCESS {
        return ExitCode::FAILURE;
    }
    for (listener, argument) in listeners {
        std::thread::spawn(move || serve(&listener, &argument, names));
    }
    match names {
        Names::Container => await_end(),
        Names::System => loop {
            std::thread::park();
        },
    }
    ExitCode::SUCCESS
}

fn serve(listener: &TcpListener, argument: &str, names: Names) {
    let target = argument.split_once('=').map(|(_, target)| target).unwrap_or_default();
    for stream in listener.incoming().flatten() {
        let target = target.to_owned();
        std::thread::spawn(move || carry(&stream, &target, names));
    }
}

fn say(text: &str, code: ExitCode) -> ExitCode {
    let written = writeln!(io::stdout(), "{text}").and_then(|()| io::stdout().flush());
    if written.is_ok() { code } else { ExitCode::FAILURE }
}

/// Listens where programs look for `localhost`; without IPv6 on its first version alone.
fn listen(argument: &str) -> io::Result<Vec<TcpListener>> {
    let port = argument.split_once('=').and_then(|(port, _)| port.parse::<u16>().ok());
    let port = port.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "is not LISTEN=NAME:PORT"))?;
    let mut listeners = vec![TcpListener::bind((Ipv4Addr::LOCALHOST, port))?];
    listeners.extend(TcpListener::bind((Ipv6Addr::LOCALHOST, port)).ok());
    Ok(listeners)
}

/// `unix:PATH` or `NAME:PORT`.
fn carry(near: &TcpStream, target: &str, names: Names) {
    let _ = near.set_nodelay(true);
    // A connection that is refused at once is what a service that does not listen looks like.
    let refused = || drop(near.shutdown(Shutdown::Both));
    match target.strip_prefix("unix:") {
        Some(path) => socket(Path::new(path)).map_or_else(|_| refused(), |far| join(near, &far)),
        None => connect(target, names).map_or_else(
            |_| refused(),
            |far| {
                let _ = far.set_nodelay(true);
                join(near, &far);
            },
        ),
    }
}

/// Connects to a socket, whose path may be longer than an address of one.
fn socket(path: &Path) -> io::Result<UnixStream> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return UnixStream::connect(path);
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(directory, flags, Mode::empty()) {
        Ok(directory) => {
            let directory = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
            UnixStream::connect(directory.join(name))
        }
        Err(_) => UnixStream::connect(path),
    }
}

/// Connects to `NAME:PORT`.
fn connect(target: &str, names: Names) -> io::Result<TcpStream> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "is not NAME:PORT");
    let (name, port) = target.rsplit_once(':').ok_or_else(wrong)?;
    if names == Names::System || name.parse::<IpAddr>().is_ok() {
        return TcpStream::connect(target);
    }
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let addresses: Vec<SocketAddr> =
        lookup::addresses(name)?.into_iter().map(|address| SocketAddr::new(address.into(), port)).collect();
    TcpStream::connect(&*addresses)
}

/// Waits until standard input says that the container has ended.
fn await_end() {
    let stdin = io::stdin();
    loop {
        let mut container = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut container, None) {
            Ok(0) | Err(Errno::INTR) => {}
            _ => return,
        }
    }
}

/// A connection with two directions that end on their own.
pub(crate) trait Duplex: Sync {
    /// Carries what comes from here there, until it ends.
    fn copy_to(&self, other: &mut dyn io::Write);
    /// The end that is written to.
    fn writer(&self) -> Box<dyn io::Write + '_>;
    /// Says that no more will be written.
    fn end(&self);
}

macro_rules! duplex {
    ($stream:ty) => {
        impl Duplex for $stream {
            fn copy_to(&self, other: &mut dyn io::Write) {
                let mut from = self;
                let _ = io::copy(&mut from, other);
            }

            fn writer(&self) -> Box<dyn io::Write + '_> {
                Box::new(self)
            }

            fn end(&self) {
                let _ = self.shutdown(Shutdown::Write);
            }
        }
    };
}

duplex!(TcpStream);
duplex!(UnixStream);

/// Carries bytes both ways until both have ended.
pub(crate) fn join(near: &dyn Duplex, far: &dyn Duplex) {
    std::thread::scope(|threads| {
        threads.spawn(|| copy(near, far));
        copy(far, near);
    });
}

fn copy(from: &dyn Duplex, to: &dyn Duplex) {
    from.copy_to(&mut to.writer());
    to.end();
}
