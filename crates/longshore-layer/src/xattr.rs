//! Reading extended attributes.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use rustix::fs::{fgetxattr, flistxattr, getxattr, listxattr};
use rustix::io::Errno;

/// What the kernel allows for a list of names and for a value.
const LARGEST: usize = 64 << 10;

/// All attributes of an opened file or directory, sorted by their names. A file system without attributes has none.
pub(crate) fn of(fd: impl AsFd) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let fd = fd.as_fd();
    collected(|buffer| flistxattr(fd, buffer), |name, buffer| fgetxattr(fd, name, buffer))
}

/// All attributes of something that was opened only as a place, such as a link. The descriptor's name in /proc stands
/// for it, since there is no call for such descriptors.
pub(crate) fn of_place(fd: impl AsFd) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    collected(|buffer| listxattr(path.as_str(), buffer), |name, buffer| getxattr(path.as_str(), name, buffer))
}

fn collected(
    list: impl Fn(&mut [u8]) -> rustix::io::Result<usize>,
    value: impl Fn(&[u8], &mut [u8]) -> rustix::io::Result<usize>,
) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    // Most files have none, or few with short values.
    let mut small = [0_u8; 512];
    let names = match list(&mut small) {
        Ok(length) => small.get(..length).unwrap_or_default().to_vec(),
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(Errno::RANGE) => {
            let mut large = vec![0; LARGEST];
            let length = list(&mut large)?;
            large.truncate(length);
            large
        }
        Err(error) => return Err(error.into()),
    };
    let mut attributes = Vec::new();
    for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut buffer = vec![0; LARGEST];
        match value(name, &mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                buffer.shrink_to_fit();
                attributes.push((name.to_vec(), buffer));
            }
            // It went away between the two calls.
            Err(Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
    }
    attributes.sort();
    Ok(attributes)
}
