//! Packet sockets: sending and receiving whole Ethernet frames of one network device (`packet(7)`).
//!
//! `rustix` knows neither the address family's `sockaddr_ll` nor its options. Frames carry a `virtio_net_hdr`, so that a
//! sender's unfinished checksums and unsegmented data can be taken and given as they are.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// Opens a non-blocking packet socket on the device with the index `interface` of the thread's network namespace.
///
/// Each frame read or written begins with a `virtio_net_hdr` of ten bytes. Frames that others send out of the device are
/// not received, only those that come in. It needs `CAP_NET_RAW` in the user namespace that owns the network namespace;
/// the socket keeps that network namespace alive.
///
/// # Errors
///
/// What the kernel answers: `PERM` without the capability, `NODEV` if there is no such device.
pub fn packet_socket(interface: u32) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // Protocol 0: nothing is received before the socket is bound, hence nothing of other devices.
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, None)?;
    set_option(socket.as_fd(), libc::PACKET_VNET_HDR)?;
    set_option(socket.as_fd(), PACKET_IGNORE_OUTGOING)?;
    bind(socket.as_fd(), interface)?;
    Ok(socket)
}

/// From `linux/if_packet.h`; the `libc` crate lacks it for some targets.
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;

fn set_option(socket: BorrowedFd<'_>, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is borrowed and therefore open; the pointer and the length describe `on`, which outlives the
    // call, and the kernel only reads it.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    check(answer)
}

fn bind(socket: BorrowedFd<'_>, interface: u32) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::c_ushort,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: libc::c_int::try_from(interface).map_err(|_| io::Errno::NODEV)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the descriptor is borrowed and therefore open; the pointer and the length describe `address`, which outlives
    // the call, and the kernel only reads it.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    check(answer)
}

fn check(answer: libc::c_int) -> io::Result<()> {
    if answer == 0 {
        return Ok(());
    }
    Err(io::Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(io::Errno::IO))
}

#[cfg(test)]
mod tests {
    use super::packet_socket;
    use rustix::io::Errno;

    #[test]
    fn a_device_that_is_not_there_is_refused() {
        let refused = packet_socket(u32::MAX).expect_err("no device has this index");
        assert!(matches!(refused, Errno::NODEV | Errno::PERM), "{refused}");
    }
}
