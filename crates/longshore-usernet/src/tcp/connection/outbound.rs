//! What goes to the container: the host's stream, once and if need be once more, and all that is said about its own.

use std::time::Instant;

use super::{Connection, Finish, LARGEST_SEND, Phase, SCALE, Transmit, WINDOW};
use crate::wire::sequence::Sequence;
use crate::wire::tcp::{BLOCKS, Flags, Handshake, Header};

impl Connection {
    pub(super) fn transmit_syn(&mut self, transmit: &mut Transmit<'_>) {
        let flags = if self.passive { Flags::SYN.and(Flags::ACK) } else { Flags::SYN };
        let agreed = !self.passive || self.receive_scale > 0;
        let window = WINDOW.min(usize::from(u16::MAX));
        self.offered_until = self.expected.plus(window);
        let header = Header {
            source: 0,
            destination: 0,
            sequence: self.unacknowledged,
            acknowledged: if self.passive { self.expected } else { Sequence(0) },
            flags,
            window: window as u16,
            handshake: Handshake {
                segment: Some(self.own_segment),
                scale: agreed.then_some(SCALE),
                reports: !self.passive || self.reports,
            },
            report: [None; BLOCKS],
        };
        transmit(&header, [&[], &[]]);
    }

    /// How many bytes may be sent now. It is zero as well if what fits is too little to be worth a segment.
    pub(crate) fn sendable(&self, limit: usize) -> usize {
        if self.phase != Phase::Open || self.finish != Finish::NotYet {
            return 0;
        }
        let room = self.window.min(limit).saturating_sub(self.under_way.len());
        if room < usize::from(self.segment) && !self.under_way.is_empty() {
            return 0;
        }
        let segments = (LARGEST_SEND / usize::from(self.segment)).max(1);
        room.min(segments * usize::from(self.segment))
    }

    /// Whether the container has no room at all, so that somebody has to ask whether that has changed.
    pub(crate) fn await_window(&mut self, now: Instant) {
        if self.phase == Phase::Open && self.window == 0 && self.is_idle() && self.finish == Finish::NotYet {
            let asked = now + self.pause;
            if self.due.is_none_or(|due| due > asked) {
                self.due = Some(asked);
            }
        }
    }

    /// Sends bytes, not more than [`Self::sendable`].
    pub(crate) fn send(&mut self, bytes: &[u8], now: Instant, transmit: &mut Transmit<'_>) {
        if self.is_idle() {
            self.due = Some(now + self.pause);
        }
        let sequence = self.next;
        self.under_way.extend(bytes);
        self.next = self.next.plus(bytes.len());
        let header = self.header(sequence, Flags::ACK.and(Flags::PSH));
        transmit(&header, [bytes, &[]]);
    }

    /// Ends our direction of the stream.
    pub(crate) fn finish(&mut self, now: Instant, transmit: &mut Transmit<'_>) {
        if self.finish != Finish::NotYet {
            return;
        }
        let header = self.header(self.next, Flags::ACK.and(Flags::FIN));
        self.next = self.next.plus(1);
        self.finish = Finish::Sent;
        self.due = Some(now + self.pause);
        transmit(&header, [&[], &[]]);
    }

    /// Ends the connection for both directions at once.
    pub(crate) fn reset(&mut self, transmit: &mut Transmit<'_>) {
        let header = match (self.phase, self.passive) {
            (Phase::Asked, false) => return,
            (Phase::Asked, true) => {
                Header { sequence: Sequence(0), ..self.header(Sequence(0), Flags::RST.and(Flags::ACK)) }
            }
            _ => self.header(self.next, Flags::RST.and(Flags::ACK)),
        };
        transmit(&header, [&[], &[]]);
    }

    /// Sends an acknowledgement if one is owed.
    pub(crate) fn settle(&mut self, transmit: &mut Transmit<'_>) {
        if self.acknowledgement_owed && self.phase == Phase::Open {
            self.acknowledge(transmit);
        }
    }

    pub(super) fn acknowledge(&mut self, transmit: &mut Transmit<'_>) {
        let header = self.header(self.next, Flags::ACK);
        transmit(&header, [&[], &[]]);
    }

    /// Sends the first bytes that are under way once more, or the FIN.
    pub(super) fn transmit_again(&mut self, transmit: &mut Transmit<'_>) {
        let header = self.header(self.unacknowledged, Flags::ACK.and(Flags::PSH));
        if self.under_way.is_empty() {
            let header = Header { flags: Flags::ACK.and(Flags::FIN), ..header };
            transmit(&header, [&[], &[]]);
            return;
        }
        let (first, second) = self.under_way.as_slices();
        let first = first.get(..LARGEST_SEND).unwrap_or(first);
        let second = second.get(..LARGEST_SEND - first.len()).unwrap_or(second);
        transmit(&header, [first, second]);
        if first.len() + second.len() == self.under_way.len() && self.finish == Finish::Sent {
            let sequence = self.next.before();
            let header = Header { sequence, flags: Flags::ACK.and(Flags::FIN), ..header };
            transmit(&header, [&[], &[]]);
        }
    }

    /// A header that acknowledges all that came.
    pub(super) fn header(&mut self, sequence: Sequence, flags: Flags) -> Header {
        self.acknowledgement_owed = false;
        self.offered_until = self.window_edge();
        let room = self.offered_until.since(self.expected).max(0).cast_unsigned();
        Header {
            source: 0,
            destination: 0,
            sequence,
            acknowledged: self.expected,
            flags,
            window: u16::try_from(room >> self.receive_scale).unwrap_or(u16::MAX),
            handshake: Handshake::default(),
            report: if self.reports { self.early.blocks() } else { [None; BLOCKS] },
        }
    }

    /// How many bytes are sent and not acknowledged.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }
}
