//! `nf_tables`: the kernel's packet filter, spoken to directly.

mod expression;
mod foreign;
mod legacy;
mod table;

pub(crate) use expression::Expression;
pub use expression::Protocol;
pub use foreign::foreign_firewall_drops;
#[cfg(test)]
pub(crate) use foreign::tests::{like_docker, marked};
pub(crate) use foreign::{
    ForeignPolicy, Passage, close_passage, filters_bridges, forward_policy, open_passage,
};
pub(crate) use table::{Chain, Hook, Rule, Table};

use std::time::Duration;

use rustix::io::Errno;

use crate::netlink::message::{ACK, Message};
use crate::netlink::socket::Socket;
use crate::netlink::{Attempt, KernelError};

/// `NFNL_SUBSYS_NFTABLES`, in the upper byte of every type.
const SUBSYSTEM: u16 = 10;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const ASK_TABLE: u16 = SUBSYSTEM << 8 | 1;
const DELETE_TABLE: u16 = SUBSYSTEM << 8 | 2;
const NEW_CHAIN: u16 = SUBSYSTEM << 8 | 3;
const ASK_CHAIN: u16 = SUBSYSTEM << 8 | 4;
const NEW_RULE: u16 = SUBSYSTEM << 8 | 6;
const ASK_RULE: u16 = SUBSYSTEM << 8 | 7;
const DELETE_RULE: u16 = SUBSYSTEM << 8 | 8;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
/// The size of `struct nfgenmsg`.
const NFGEN: usize = 4;
/// Longer than the kernel takes to throw away what was replaced.
const DISPOSAL: Duration = Duration::from_millis(200);
/// `NFPROTO_IPV4`.
const IPV4: u8 = 2;

/// The rules of the network namespace of the thread that opened it.
#[derive(Debug)]
pub(crate) struct Firewall {
    socket: Socket,
    /// Whether rules went away, which the kernel is about to throw away.
    disposes: bool,
}

impl Firewall {
    /// Opens a way to the packet filter. None if the kernel has no netfilter.
    pub(crate) fn open() -> Result<Option<Self>, KernelError> {
        match Socket::open(Some(rustix::net::netlink::NETFILTER)) {
            Ok(socket) => Ok(Some(Self { socket, disposes: false })),
            Err(Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT) => Ok(None),
            Err(errno) => Err(KernelError::new("open a netlink socket for rules", errno)),
        }
    }

    /// Makes the kernel's table of this name be this table.
    pub(crate) fn replace(&mut self, table: &Table) -> Result<(), KernelError> {
        // Whoever replaces a table holds a lock or owns the namespace, so nobody makes it in between.
        let present = self.has_table(&table.name)?;
        self.disposes |= present;
        let attempt = || format!("set the firewall rules in the table `{}`", table.name);
        match self.batch(table.replacement(present)) {
            // Another version had other chains by these names.
            Err(Errno::EXIST | Errno::OPNOTSUPP | Errno::INVAL) if present => {
                self.remove(&table.name)?;
                self.batch(table.replacement(false)).attempt(attempt)
            }
            result => result.attempt(attempt),
        }
    }

    /// Adds rules at the ends of chains. This is quick, unlike replacing rules: what goes away makes the kernel wait until
    /// no processor looks at it.
    pub(crate) fn append(&mut self, table: &str, rules: &[(&str, Rule)]) -> Result<(), KernelError> {
        if rules.is_empty() {
            return Ok(());
        }
        self.batch(table::addition(table, rules))
            .attempt(|| format!("add firewall rules to the table `{table}`"))
    }

    /// Removes a table. One that is gone already is no error.
    pub(crate) fn remove(&mut self, name: &str) -> Result<(), KernelError> {
        let mut changes = Table::removal(name);
        if let Some(last) = changes.pop() {
            changes.push(last.with_flags(ACK));
        }
        self.batch(changes).attempt(|| format!("remove the firewall table `{name}`"))
    }

    /// Closes the way when nobody waits for that. While rules that were replaced are thrown away, which the kernel does
    /// when no processor looks at them any more, closing waits, and so does whoever makes or removes a link.
    pub(crate) fn leave(way: Option<Self>) {
        let Some(way) = way.filter(|way| way.disposes) else { return };
        // Where there can be no thread, the way is closed here.
        let _ = std::thread::Builder::new().spawn(move || {
            std::thread::sleep(DISPOSAL);
            drop(way);
        });
    }

    /// Whether there is a table of a name.
    pub(crate) fn has_table(&mut self, name: &str) -> Result<bool, KernelError> {
        match self.socket.ask(Message::new(ASK_TABLE, 0).fixed(&header()).text(1, name)) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(KernelError::new(format!("look for the firewall table `{name}`"), errno)),
        }
    }

    fn batch(&mut self, changes: Vec<Message>) -> Result<(), Errno> {
        let [high, low] = SUBSYSTEM.to_be_bytes();
        let bound = |kind| Message::new(kind, 0).fixed(&[0, 0, high, low]);
        self.socket.send_batch(bound(BATCH_BEGIN), changes, bound(BATCH_END))
    }
}

/// Whether a refusal means that the kernel lacks `nf_tables`, or a part of it that rules need.
pub(crate) fn is_missing(refusal: &KernelError) -> bool {
    [Errno::OPNOTSUPP, Errno::NOENT, Errno::INVAL, Errno::PROTONOSUPPORT, Errno::AFNOSUPPORT]
        .iter()
        .any(|errno| errno.raw_os_error() == refusal.errno())
}

/// `struct nfgenmsg` of IPv4.
fn header() -> [u8; NFGEN] {
    [IPV4, 0, 0, 0]
}
