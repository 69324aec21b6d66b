//! Putting IPv4 datagrams together of their fragments (RFC 791, section 3.2), and taking them apart. Sans-IO.
//!
//! Only UDP comes in fragments: the container's kernel cuts streams itself. Unfinished datagrams are bounded by number, and
//! the oldest gives way, so that no clock is needed. Fragments that overlap make their datagram void (RFC 5722).

use std::collections::VecDeque;

use super::ipv4::{HEADER, Packet, Part, Route};

/// How many datagrams may be unfinished.
const UNFINISHED: usize = 16;
/// How many pieces a datagram may have; more than one of an MTU of 576 needs.
const PIECES: usize = 128;
const LARGEST: usize = 65535 - HEADER;

/// Datagrams of which parts are missing.
#[derive(Default)]
pub(crate) struct Fragments {
    unfinished: VecDeque<Unfinished>,
}

struct Unfinished {
    route: Route,
    identification: u16,
    /// Ordered by offset, without overlap.
    pieces: Vec<(usize, Vec<u8>)>,
    total: Option<usize>,
}

impl Fragments {
    /// Takes a fragment; answers the datagram that it finishes.
    pub(crate) fn take(&mut self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let Part { identification, offset, more } = packet.part;
        let end = offset + packet.payload.len();
        let misaligned = more && !packet.payload.len().is_multiple_of(8);
        if packet.payload.is_empty() || misaligned || end > LARGEST {
            return None;
        }
        let found = self
            .unfinished
            .iter()
            .position(|known| known.route == packet.route && known.identification == identification);
        let mut datagram = found.and_then(|at| self.unfinished.remove(at)).unwrap_or_else(|| Unfinished {
            route: packet.route,
            identification,
            pieces: Vec::new(),
            total: None,
        });
        // A datagram that contradicts itself is not put back.
        datagram.add(offset, packet.payload, !more)?;
        if let Some(whole) = datagram.whole() {
            return Some(whole);
        }
        if self.unfinished.len() >= UNFINISHED {
            self.unfinished.pop_front();
        }
        self.unfinished.push_back(datagram);
        None
    }
}

impl Unfinished {
    fn add(&mut self, offset: usize, payload: &[u8], last: bool) -> Option<()> {
        let end = offset + payload.len();
        let at = self.pieces.partition_point(|(start, _)| *start < offset);
        let clear_before = at.checked_sub(1).and_then(|before| self.pieces.get(before));
        let clear_before = clear_before.is_none_or(|(start, bytes)| start + bytes.len() <= offset);
        let clear_after = self.pieces.get(at).is_none_or(|(start, _)| end <= *start);
        let ends = if last { self.total.is_none() } else { self.total.is_none_or(|total| end <= total) };
        if !clear_before || !clear_after || !ends || self.pieces.len() >= PIECES {
            return None;
        }
        if last {
            self.total = Some(end);
        }
        self.pieces.insert(at, (offset, payload.to_vec()));
        Some(())
    }

    fn whole(&self) -> Option<Vec<u8>> {
        let total = self.total?;
        let present: usize = self.pieces.iter().map(|(_, bytes)| bytes.len()).sum();
        (present == total).then(|| self.pieces.iter().flat_map(|(_, bytes)| bytes).copied().collect())
    }
}

/// The parts of a datagram that fit into packets of `mtu` bytes, with their payloads.
pub(crate) fn split(identification: u16, datagram: &[u8], mtu: usize) -> impl Iterator<Item = (Part, &[u8])> {
    let size = (mtu.saturating_sub(HEADER) & !7).max(8);
    datagram.chunks(size).enumerate().map(move |(index, payload)| {
        let offset = index * size;
        let more = offset + payload.len() < datagram.len();
        (Part { identification, offset, more }, payload)
    })
}

#[cfg(test)]
mod tests {
    use super::{Fragments, PIECES, UNFINISHED, split};
    use crate::wire::ipv4::{Packet, Part, Route, UDP};
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    const ROUTE: Route =
        Route { source: Ipv4Addr::LOCALHOST, destination: Ipv4Addr::LOCALHOST, protocol: UDP };

    fn packet(part: Part, payload: &[u8]) -> Packet<'_> {
        Packet { route: ROUTE, part, payload }
    }

    proptest! {
        #[test]
        fn parts_in_any_order_make_the_whole(
            datagram in proptest::collection::vec(any::<u8>(), 1..20_000),
            mtu in 576_usize..2000,
            seed in any::<u64>(),
        ) {
            let mut parts: Vec<_> = split(7, &datagram, mtu).collect();
            let turn = seed as usize % parts.len();
            parts.rotate_left(turn);
            if seed % 2 == 0 { parts.reverse(); }
            let mut fragments = Fragments::default();
            let (last, first) = parts.split_last().expect("a part");
            for (part, payload) in first {
                prop_assert!(fragments.take(&packet(*part, payload)).is_none());
            }
            prop_assert_eq!(fragments.take(&packet(last.0, last.1)), Some(datagram.clone()));
            prop_assert!(fragments.unfinished.is_empty());
        }

        #[test]
        fn hostile_parts_are_bounded(
            parts in proptest::collection::vec((any::<u16>(), 0_usize..8192, any::<bool>(), 0_usize..64), 0..400),
        ) {
            let mut fragments = Fragments::default();
            for (identification, offset, more, length) in parts {
                let part = Part { identification: identification % 40, offset: offset * 8, more };
                fragments.take(&packet(part, &vec![0; length]));
                prop_assert!(fragments.unfinished.len() <= UNFINISHED);
                prop_assert!(fragments.unfinished.iter().all(|one| one.pieces.len() <= PIECES));
            }
        }
    }

    #[test]
    fn overlap_makes_void() {
        let mut fragments = Fragments::default();
        let part = |offset, more| Part { identification: 1, offset, more };
        assert!(fragments.take(&packet(part(0, true), &[1; 16])).is_none());
        assert!(fragments.take(&packet(part(8, true), &[2; 16])).is_none());
        assert!(fragments.unfinished.is_empty());
    }
}
