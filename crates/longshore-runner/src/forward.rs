//! Handing ports on: the process in a job's container that lets it find services at `localhost`.
//!
//! `__forward LISTEN=NAME:PORT…` listens on the loopback addresses and carries bytes to the named container, and with
//! `LISTEN=unix:PATH` to a socket. Names are looked up for each connection, because a service may be started anew with another address.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

/// Runs until it is killed. The arguments are those after `__forward`.
pub fn forward_main(arguments: &[String]) -> ExitCode {
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
    std::thread::scope(|threads| {
        for (listener, argument) in &listeners {
            threads.spawn(move || {
                let target = argument.split_once('=').map(|(_, target)| target).unwrap_or_default();
                for stream in listener.incoming().flatten() {
                    let target = target.to_owned();
                    std::thread::spawn(move || carry(&stream, &target));
                }
            });
        }
    });
    ExitCode::SUCCESS
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
fn carry(near: &TcpStream, target: &str) {
    let _ = near.set_nodelay(true);
    // A connection that is refused at once is what a service that does not listen looks like.
    let refused = || drop(near.shutdown(Shutdown::Both));
    match target.strip_prefix("unix:") {
        Some(path) => UnixStream::connect(path).map_or_else(|_| refused(), |far| join(near, &far)),
        None => TcpStream::connect(target).map_or_else(
            |_| refused(),
            |far| {
                let _ = far.set_nodelay(true);
                join(near, &far);
            },
        ),
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
