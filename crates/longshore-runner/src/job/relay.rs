//! A socket in a directory of the job that leads to a port of this machine's loopback.
//!
//! A job's container has a network of its own, from which this machine is reached in other ways with every kind of engine,
//! or not at all. A directory is seen in all of them.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use rustix::fs::{Mode, OFlags, open};

use crate::forward::join;

/// More connections at the same time are closed at once.
const MOST_CONNECTIONS: usize = 64;

/// A socket that leads to a port. It ends with its connections when it is dropped.
pub(super) struct Relay {
    /// The directory of the socket, by which its path is short.
    directory: OwnedFd,
    name: String,
    open: Arc<Mutex<Open>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Open {
    is_over: bool,
    streams: Vec<Weak<UnixStream>>,
}

impl Relay {
    /// Listens at a name in a directory. Whoever listened there before is gone, as before a job that was kept goes on.
    pub(super) fn start(directory: &Path, name: &str, port: u16) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let directory = open(directory, flags, Mode::empty())?;
        let path = short(&directory, name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        // Who forwards to it inside may be another user; a token is needed to be served.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666))?;
        let open: Arc<Mutex<Open>> = Arc::default();
        let shared = Arc::clone(&open);
        let thread = std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || serve(&listener, &shared, port))?;
        Ok(Self { directory, name: name.to_owned(), open, thread: Some(thread) })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.is_over = true;
        for stream in open.streams.iter().filter_map(Weak::upgrade) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(open);
        // Wakes who waits for connections.
        let woken = UnixStream::connect(short(&self.directory, &self.name)).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

/// The path of a socket, which must be short, whatever directory it is in.
fn short(directory: &OwnedFd, name: &str) -> String {
    format!("/proc/self/fd/{}/{name}", directory.as_raw_fd())
}

fn serve(listener: &UnixListener, open: &Mutex<Open>, port: u16) {
    std::thread::scope(|threads| {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let stream = Arc::new(stream);
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            if open.is_over {
                return;
            }
            open.streams.retain(|stream| stream.strong_count() > 0);
            if open.streams.len() >= MOST_CONNECTIONS {
                continue;
            }
            open.streams.push(Arc::downgrade(&stream));
            drop(open);
            threads.spawn(move || {
                // A server that has ended looks like one that hangs up.
                if let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                    let _ = far.set_nodelay(true);
                    join(&*stream, &far);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::os::unix::net::UnixStream;

    use super::Relay;

    #[test]
    fn bytes_reach_the_port_and_connections_end_with_the_relay() {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut word = [0; 4];
            stream.read_exact(&mut word).unwrap();
            stream.write_all(&word).unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            rest
        });
        let relay = Relay::start(directory.path(), "s", port).unwrap();
        let mut near = UnixStream::connect(directory.path().join("s")).unwrap();
        near.write_all(b"ping").unwrap();
        let mut word = [0; 4];
        near.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"ping");
        drop(relay);
        let mut rest = Vec::new();
        near.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty() && server.join().unwrap().is_empty());
        Relay::start(directory.path(), "s", port).unwrap();
    }
}
