//! Neighbours: which hardware address has which address of an interface's network, as far as the machine remembers.

use rustix::io::Errno;

use super::Links;
use crate::netlink::attribute::Attributes;
use crate::netlink::message::{ACK, Message};
use crate::netlink::{Attempt, KernelError};

const DELETE_NEIGHBOUR: u16 = 29;
const ASK_NEIGHBOUR: u16 = 30;

const NDA_DST: u16 = 1;

const INET: u8 = 2;
/// The size of `struct ndmsg`.
const NEIGHBOUR: usize = 12;

impl Links {
    /// Makes the machine forget who is behind an interface.
    pub(crate) fn forget_neighbours(&mut self, index: u32) -> Result<(), KernelError> {
        let mut known: Vec<Vec<u8>> = Vec::new();
        self.socket
            .dump(ASK_NEIGHBOUR, &neighbour(0), |answer| {
                let behind = answer.get(4..8) == Some(&index.to_ne_bytes()[..]);
                if behind && answer.first() == Some(&INET) {
                    known.extend(Attributes::after(answer, NEIGHBOUR).find(NDA_DST).map(<[u8]>::to_vec));
                }
            })
            .attempt(|| "list the neighbours")?;
        for address in known {
            let request =
                Message::new(DELETE_NEIGHBOUR, ACK).fixed(&neighbour(index)).bytes(NDA_DST, &address);
            match self.socket.send([request]) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => {
                    return Err(KernelError::new(
                        format!("forget the neighbours behind interface {index}"),
                        errno,
                    ));
                }
            }
        }
        Ok(())
    }
}

/// `struct ndmsg`.
fn neighbour(index: u32) -> [u8; NEIGHBOUR] {
    let [a, b, c, d] = index.to_ne_bytes();
    [INET, 0, 0, 0, a, b, c, d, 0, 0, 0, 0]
}
