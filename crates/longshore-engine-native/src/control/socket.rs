//! The socket of a monitor, whose path may be longer than an address of a socket has room for.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// The socket's name in the container's directory.
const NAME: &str = "control";

/// A short path of the socket, good as long as the directory is open.
fn short(directory: &Path) -> io::Result<(OwnedFd, PathBuf)> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = rustix::fs::open(directory, flags, Mode::empty())?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", open.as_raw_fd()));
    Ok((open, path))
}

/// Begins to listen. A socket that a killed monitor left behind is replaced.
pub(crate) fn listen(directory: &Path) -> io::Result<UnixListener> {
    let (_open, path) = short(directory)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Connects to the monitor of a container.
pub(crate) fn connect(directory: &Path) -> io::Result<UnixStream> {
    let (_open, path) = short(directory)?;
    UnixStream::connect(path)
}
