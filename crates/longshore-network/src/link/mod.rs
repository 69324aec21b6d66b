//! Links, addresses and routes, by rtnetlink.
//!
//! Numbers are those of `linux/if_link.h`, `linux/if_addr.h` and `linux/rtnetlink.h`. A [`Links`] speaks to the network
//! namespace of the thread that opened it.

mod bridge;
mod neighbour;
mod route;
mod veth;

pub(crate) use veth::Pair;

use rustix::io::Errno;

use crate::netlink::attribute::Attributes;
use crate::netlink::message::{ACK, Message};
use crate::netlink::socket::Socket;
use crate::netlink::{Attempt, KernelError};
use crate::random;

const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
const ASK_LINK: u16 = 18;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_GROUP: u16 = 27;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;

const IFF_UP: u32 = 1;
/// `RTEXT_FILTER_SKIP_STATS`: counters are long and nobody reads them.
const WITHOUT_COUNTERS: u32 = 1 << 3;
/// The size of `struct ifinfomsg`.
const IFINFO: usize = 16;

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// The text that says whose it is.
    pub(crate) alias: Option<String>,
    pub(crate) up: bool,
    /// The bridge that it is a port of.
    pub(crate) master: Option<u32>,
}

/// The links of one network namespace.
#[derive(Debug)]
pub(crate) struct Links {
    socket: Socket,
}

impl Links {
    /// The links of the thread's network namespace.
    pub(crate) fn open() -> Result<Self, KernelError> {
        Socket::open(None).attempt(|| "open a netlink socket for links").map(|socket| Self { socket })
    }

    /// The link of a name, if there is one.
    pub(crate) fn find(&mut self, name: &str) -> Result<Option<Link>, KernelError> {
        let request = Message::new(ASK_LINK, 0)
            .fixed(&interface(0, 0, 0))
            .text(IFLA_IFNAME, name)
            .native(IFLA_EXT_MASK, WITHOUT_COUNTERS);
        match self.socket.ask(request) {
            Ok(answer) => Ok(read(&answer)),
            Err(Errno::NODEV) => Ok(None),
            Err(errno) => Err(KernelError::new(format!("look for the interface `{name}`"), errno)),
        }
    }

    /// All links.
    pub(crate) fn all(&mut self) -> Result<Vec<Link>, KernelError> {
        let mut links = Vec::new();
        self.socket
            .dump(ASK_LINK, &interface(0, 0, 0), |answer| links.extend(read(answer)))
            .attempt(|| "list the interfaces")?;
        Ok(links)
    }

    /// Takes a link up.
    pub(crate) fn set_up(&mut self, index: u32) -> Result<(), KernelError> {
        self.socket.send([up(index)]).attempt(|| format!("take interface {index} up"))
    }

    /// Takes a link down.
    #[cfg(test)]
    pub(crate) fn set_down(&mut self, name: &str) -> Result<(), KernelError> {
        let request = Message::new(NEW_LINK, ACK).fixed(&interface(0, 0, IFF_UP)).text(IFLA_IFNAME, name);
        self.socket.send([request]).attempt(|| format!("take `{name}` down"))
    }

    /// Makes the kernel act at once on what it noticed of a link, such as that the other end of a cable came up.
    ///
    /// It may put that off for a second, and drop all packets until then. Asking about a link makes it catch up (since
    /// Linux 6.8; before, there is nothing better than to wait).
    pub(crate) fn catch_up(&mut self, name: &str) -> Result<(), KernelError> {
        self.find(name).map(drop)
    }

    /// Removes a link. One that is gone already is no error.
    pub(crate) fn delete(&mut self, name: &str) -> Result<(), KernelError> {
        let request = Message::new(DELETE_LINK, ACK).fixed(&interface(0, 0, 0)).text(IFLA_IFNAME, name);
        match self.socket.send([request]) {
            Ok(()) | Err(Errno::NODEV) => Ok(()),
            Err(errno) => Err(KernelError::new(format!("remove the interface `{name}`"), errno)),
        }
    }
}

impl Links {
    /// Removes several links at once, because the kernel waits as long for many as for one, and lets nobody else make or
    /// change links meanwhile. Those that are gone already are no error.
    pub(crate) fn delete_all(&mut self, names: &[&str]) -> Result<(), KernelError> {
        if let [] | [_] = names {
            return names.iter().try_for_each(|name| self.delete(name));
        }
        // What can be removed at once is a group. Nobody else comes upon the number of one that is there for a moment.
        let group = random::hex::<4>().attempt(|| "get random bytes")?;
        let group = u32::from_str_radix(&group, 16).unwrap_or_default() >> 1 | 1;
        for name in names {
            let fixed = interface(0, 0, 0);
            let request =
                Message::new(NEW_LINK, ACK).fixed(&fixed).text(IFLA_IFNAME, name).native(IFLA_GROUP, group);
            match self.socket.send([request]) {
                Ok(()) | Err(Errno::NODEV) => {}
                Err(errno) => {
                    return Err(KernelError::new(format!("put the interface `{name}` into a group"), errno));
                }
            }
        }
        let request = Message::new(DELETE_LINK, ACK).fixed(&interface(0, 0, 0)).native(IFLA_GROUP, group);
        match self.socket.send([request]) {
            Ok(()) | Err(Errno::NODEV) => Ok(()),
            Err(errno) => Err(KernelError::new(format!("remove the interfaces {}", names.join(", ")), errno)),
        }
    }
}

/// `struct ifinfomsg`.
fn interface(index: u32, flags: u32, change: u32) -> [u8; IFINFO] {
    let mut fields = [0; IFINFO];
    for (room, number) in fields.as_chunks_mut::<4>().0.iter_mut().skip(1).zip([index, flags, change]) {
        *room = number.to_ne_bytes();
    }
    fields
}

fn up(index: u32) -> Message {
    Message::new(NEW_LINK, ACK).fixed(&interface(index, IFF_UP, IFF_UP))
}

fn read(answer: &[u8]) -> Option<Link> {
    let number = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    let attributes = Attributes::after(answer, IFINFO);
    Some(Link {
        index: number(4)?,
        name: attributes.text(IFLA_IFNAME)?,
        alias: attributes.text(IFLA_IFALIAS),
        up: number(8)? & IFF_UP != 0,
        master: attributes.native(IFLA_MASTER),
    })
}
