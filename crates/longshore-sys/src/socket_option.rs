//! Options of sockets that are no plain numbers (`getsockopt(2)`).

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

/// Asks a socket for an option of the level `SOL_IP`. The bytes are the question and are overwritten by the answer; the
/// number of bytes that the answer has is the result.
///
/// # Errors
///
/// What the kernel answers: `ENOPROTOOPT` for an option that it does not have, `EPERM` without the capability that the
/// option needs, `EINVAL` for a length that is not the option's.
pub fn ip_socket_option(socket: &impl AsFd, option: i32, bytes: &mut [u8]) -> io::Result<usize> {
    let mut length =
        libc::socklen_t::try_from(bytes.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    // SAFETY: the pointers describe `bytes`, of which the kernel reads and writes at most `length`, and `length` itself;
    // both are borrowed for the call. Every pattern of bits is a valid byte.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_IP,
            option,
            bytes.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(length as usize) }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::ip_socket_option;

    #[test]
    fn options_are_read() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_ttl(42).unwrap();
        let mut bytes = [0; 8];
        assert_eq!(ip_socket_option(&socket, libc::IP_TTL, &mut bytes).unwrap(), 4);
        assert_eq!(i32::from_ne_bytes(bytes[..4].try_into().unwrap()), 42);
        let unknown = ip_socket_option(&socket, 9999, &mut bytes).unwrap_err();
        assert_eq!(unknown.raw_os_error(), Some(libc::ENOPROTOOPT));
    }
}
