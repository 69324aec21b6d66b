//! Where other monitors of the same user hand their containers' cables to the one that runs the network.
//!
//! A request is one packet with one descriptor: `P` and an address, with a packet socket; or `L` and an address and a port,
//! with the socket of a published port. The answer is one byte, `+` or `-`. A member that closes its connection, be it by
//! dying, takes its container out of the network.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, accept_with, recvmsg, send, sendmsg, sockopt,
};

use crate::poller::{Poller, Token};
use crate::slab::{Key, Slab};

const PLUG: u8 = b'P';
const LEAD: u8 = b'L';
/// The answer to a request that was done.
pub(crate) const DONE: u8 = b'+';
const REFUSED: u8 = b'-';
/// The longest request.
const LONGEST: usize = 16;

/// What a member asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Plug in the container with this address.
    Plug(Ipv4Addr),
    /// Lead a published port there.
    Lead(SocketAddrV4),
}

impl Request {
    fn read(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [PLUG, a, b, c, d] => Some(Self::Plug([a, b, c, d].into())),
            [LEAD, a, b, c, d, high, low] => {
                Some(Self::Lead(SocketAddrV4::new([a, b, c, d].into(), u16::from_be_bytes([high, low]))))
            }
            _ => None,
        }
    }

    fn write(self) -> Vec<u8> {
        match self {
            Self::Plug(address) => [&[PLUG][..], &address.octets()].concat(),
            Self::Lead(to) => [&[LEAD][..], &to.ip().octets(), &to.port().to_be_bytes()].concat(),
        }
    }

    /// Sends the request with its descriptor.
    pub(crate) fn send(self, socket: &OwnedFd, descriptor: BorrowedFd<'_>) -> Result<(), Errno> {
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut room);
        let descriptors = [descriptor];
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        sendmsg(socket, &[IoSlice::new(&self.write())], &mut control, SendFlags::NOSIGNAL).map(drop)
    }
}

/// The socket that members come to, and those who came.
#[derive(Default)]
pub(crate) struct Door {
    listener: Option<OwnedFd>,
    members: Slab<Member>,
}

struct Member {
    socket: OwnedFd,
    /// The address that the member has plugged in.
    address: Option<Ipv4Addr>,
}

/// News of a member.
pub(crate) enum Visit {
    /// It asks for something.
    Asks(Request, OwnedFd),
    /// It is gone, and with it the container of this address.
    Left(Option<Ipv4Addr>),
    /// Nothing.
    Nothing,
}

impl Door {
    /// Opens the door with a listening socket.
    pub(crate) fn open(&mut self, listener: OwnedFd, poller: &Poller) -> Result<(), Errno> {
        poller.watch(&listener, Token::Door)?;
        self.listener = Some(listener);
        Ok(())
    }

    /// Lets in who waits at the door, if it is the same user.
    pub(crate) fn admit(&mut self, poller: &Poller) {
        let Some(listener) = &self.listener else { return };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let Ok(socket) = accept_with(listener, flags) else { return };
        let same = sockopt::socket_peercred(&socket).is_ok_and(|peer| peer.uid == rustix::process::geteuid());
        if !same {
            return;
        }
        let key = self.members.insert_with(|_| Member { socket, address: None });
        let watched = self.members.lookup(key).map(|member| poller.watch(&member.socket, Token::Member(key)));
        if !matches!(watched, Some(Ok(()))) {
            self.members.remove(key);
        }
    }

    /// Takes what a member sent.
    pub(crate) fn visit(&mut self, key: Key) -> Visit {
        let Some(member) = self.members.lookup(key) else { return Visit::Nothing };
        let mut bytes = [0; LONGEST];
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut room);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let received = recvmsg(&member.socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags);
        let length = match received {
            Ok(message) if message.bytes > 0 => message.bytes,
            Err(Errno::AGAIN | Errno::INTR) => return Visit::Nothing,
            _ => return Visit::Left(self.members.remove(key).and_then(|member| member.address)),
        };
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        if let (Some(request), Some(descriptor)) = (bytes.get(..length).and_then(Request::read), descriptor) {
            return Visit::Asks(request, descriptor);
        }
        self.answer(key, None, false);
        Visit::Nothing
    }

    /// Answers a member's request.
    pub(crate) fn answer(&mut self, key: Key, plugged: Option<Ipv4Addr>, done: bool) {
        if let Some(member) = self.members.lookup_mut(key) {
            if done {
                member.address = plugged.or(member.address);
            }
            let answer = if done { DONE } else { REFUSED };
            let _ = send(&member.socket, &[answer], SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        }
    }

    /// The container that a member has plugged in.
    pub(crate) fn address(&self, key: Key) -> Option<Ipv4Addr> {
        self.members.lookup(key)?.address
    }

    /// Forgets who plugged in a container that another takes the place of.
    pub(crate) fn displace(&mut self, address: Ipv4Addr) {
        let former: Vec<Key> = self
            .members
            .iter()
            .filter(|(_, member)| member.address == Some(address))
            .map(|(key, _)| key)
            .collect();
        for key in former {
            if let Some(member) = self.members.lookup_mut(key) {
                member.address = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn requests_are_read_as_they_were_written() {
        for request in
            [Request::Plug([10, 0, 2, 9].into()), Request::Lead("10.0.2.9:8080".parse().expect("an address"))]
        {
            assert_eq!(Request::read(&request.write()), Some(request));
        }
        for hostile in [&b""[..], b"P", b"P1234567", b"L1234", b"X1234"] {
            assert_eq!(Request::read(hostile), None, "{hostile:?}");
        }
    }
}
