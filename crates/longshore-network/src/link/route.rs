//! Addresses and routes.

use std::net::Ipv4Addr;

use rustix::io::Errno;

use super::{Links, up};
use crate::Subnet;
use crate::netlink::attribute::Attributes;
use crate::netlink::message::{ACK, CREATE, EXCL, Message};
use crate::netlink::{Attempt, KernelError};

const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
const ASK_ROUTE: u16 = 26;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_TABLE: u16 = 15;

const INET: u8 = 2;
/// `RT_TABLE_MAIN`.
const MAIN: u8 = 254;
/// `RTPROT_BOOT`, as tools that configure interfaces say.
const BOOT: u8 = 3;
/// `RTN_UNICAST`.
const UNICAST: u8 = 1;
/// The size of `struct rtmsg`.
const ROUTE: usize = 12;

impl Links {
    /// Gives an interface an address, if it does not have it.
    pub(crate) fn add_address(
        &mut self,
        index: u32,
        address: Ipv4Addr,
        subnet: Subnet,
    ) -> Result<(), KernelError> {
        match self.socket.send([address_message(index, address, subnet)]) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => {
                Err(KernelError::new(format!("give the address {address} to interface {index}"), errno))
            }
        }
    }

    /// Everything that a container's side of a network needs, in one request: the interface and the loopback up, the
    /// address, and the default route.
    pub(crate) fn configure(
        &mut self,
        index: u32,
        address: Ipv4Addr,
        subnet: Subnet,
        gateway: Option<Ipv4Addr>,
    ) -> Result<(), KernelError> {
        // The loopback is the first interface of every network namespace.
        let mut requests = vec![up(1), address_message(index, address, subnet), up(index)];
        if let Some(gateway) = gateway {
            requests.push(default_route(index, gateway));
        }
        self.socket
            .send(requests)
            .attempt(|| format!("configure the address {address} inside of the container"))
    }

    /// Takes an address from an interface.
    #[cfg(test)]
    pub(crate) fn delete_address(
        &mut self,
        index: u32,
        address: Ipv4Addr,
        prefix: u8,
    ) -> Result<(), KernelError> {
        let [a, b, c, d] = index.to_ne_bytes();
        let request = Message::new(21, ACK)
            .fixed(&[INET, prefix, 0, 0, a, b, c, d])
            .bytes(IFA_LOCAL, &address.octets());
        self.socket.send([request]).attempt(|| format!("take the address {address}"))
    }

    /// Sends what is not on a network of the namespace through a gateway.
    pub(crate) fn add_default_route(&mut self, index: u32, gateway: Ipv4Addr) -> Result<(), KernelError> {
        self.socket
            .send([default_route(index, gateway)])
            .attempt(|| format!("set the default route of the container to {gateway}"))
    }

    /// The subnets that the machine has routes to, without the default route. Addresses of interfaces are among them.
    pub(crate) fn routed_subnets(&mut self) -> Result<Vec<Subnet>, KernelError> {
        let mut subnets = Vec::new();
        let mut request = [0; ROUTE];
        request[0] = INET;
        self.socket
            .dump(ASK_ROUTE, &request, |answer| subnets.extend(read(answer)))
            .attempt(|| "list the routes")?;
        Ok(subnets)
    }
}

fn default_route(index: u32, gateway: Ipv4Addr) -> Message {
    Message::new(NEW_ROUTE, ACK | CREATE | EXCL)
        .fixed(&[INET, 0, 0, 0, MAIN, BOOT, 0, UNICAST, 0, 0, 0, 0])
        .bytes(RTA_GATEWAY, &gateway.octets())
        .native(RTA_OIF, index)
}

fn address_message(index: u32, address: Ipv4Addr, subnet: Subnet) -> Message {
    let [a, b, c, d] = index.to_ne_bytes();
    Message::new(NEW_ADDRESS, ACK | CREATE | EXCL)
        .fixed(&[INET, subnet.prefix(), 0, 0, a, b, c, d])
        .bytes(IFA_LOCAL, &address.octets())
        .bytes(IFA_ADDRESS, &address.octets())
        .bytes(IFA_BROADCAST, &subnet.broadcast().octets())
}

/// A route to a subnet in the main table.
fn read(answer: &[u8]) -> Option<Subnet> {
    let (family, prefix, table) = (*answer.first()?, *answer.get(1)?, *answer.get(4)?);
    let attributes = Attributes::after(answer, ROUTE);
    let table = attributes.native(RTA_TABLE).unwrap_or(u32::from(table));
    if family != INET || prefix == 0 || table != u32::from(MAIN) {
        return None;
    }
    let destination: [u8; 4] = attributes.find(RTA_DST)?.try_into().ok()?;
    Subnet::containing(Ipv4Addr::from(destination), prefix)
}
