//! What comes from the container: acknowledgements of what was sent there, and its stream in order.
//!
//! Bytes that the host's side cannot take stay here; the window that is offered shrinks with them, so that they are bounded.

use std::collections::VecDeque;
use std::time::Instant;

use super::{
    Connection, DUPLICATES, FIRST_PAUSE, Finish, PeerFinish, Phase, Received, SILENCE, Transmit, UNDER_WAY,
    WINDOW,
};
use crate::wire::sequence::Sequence;
use crate::wire::tcp::{Flags, Header};

impl Connection {
    /// Takes a segment.
    pub(crate) fn receive<'a>(
        &mut self,
        header: &Header,
        payload: &'a [u8],
        now: Instant,
        transmit: &mut Transmit<'_>,
    ) -> Received<'a> {
        match self.phase {
            // Repeated SYNs wait like the first; the rest has no place yet.
            Phase::Asked => Received {
                reset: header.flags.has(Flags::RST) && header.sequence == self.expected,
                ..Received::default()
            },
            Phase::Opening if !self.passive => self.receive_answer(header, now, transmit),
            Phase::Opening | Phase::Open => self.receive_synchronised(header, payload, now, transmit),
        }
    }

    /// Takes the answer to our SYN.
    fn receive_answer(
        &mut self,
        header: &Header,
        now: Instant,
        transmit: &mut Transmit<'_>,
    ) -> Received<'static> {
        let answers = header.flags.has(Flags::ACK) && header.acknowledged == self.next;
        if !answers {
            return Received::default();
        }
        if header.flags.has(Flags::RST) {
            return Received { reset: true, ..Received::default() };
        }
        if !header.flags.has(Flags::SYN) {
            return Received::default();
        }
        let window = WINDOW.min(usize::from(u16::MAX));
        self.agree(header);
        self.offered_until = self.expected.plus(window);
        self.become_open(header.acknowledged, now);
        self.acknowledge(transmit);
        Received { opened: true, ..Received::default() }
    }

    fn become_open(&mut self, acknowledged: Sequence, now: Instant) {
        self.phase = Phase::Open;
        self.unacknowledged = acknowledged;
        self.pause = FIRST_PAUSE;
        self.tries = 0;
        self.due = Some(now + SILENCE);
    }

    fn receive_synchronised<'a>(
        &mut self,
        header: &Header,
        payload: &'a [u8],
        now: Instant,
        transmit: &mut Transmit<'_>,
    ) -> Received<'a> {
        let mut received = Received::default();
        if header.flags.has(Flags::RST) {
            // Only the exact place is believed, others are asked about (RFC 5961, section 3.2).
            received.reset = header.sequence == self.expected;
            self.acknowledgement_owed |= !received.reset;
            return received;
        }
        if header.flags.has(Flags::SYN) {
            // A lost SYN-ACK, or a stranger (RFC 5961, section 4.2).
            match self.phase {
                Phase::Opening => self.transmit_syn(transmit),
                _ => self.acknowledge(transmit),
            }
            return received;
        }
        if !header.flags.has(Flags::ACK) {
            return received;
        }
        if header.acknowledged.is_after(self.next) {
            self.acknowledge(transmit);
            return received;
        }
        if self.phase == Phase::Opening {
            if header.acknowledged != self.next {
                return received;
            }
            self.become_open(header.acknowledged, now);
            received.opened = true;
        }
        self.take_acknowledgement(header, payload.is_empty(), now, transmit);
        received.payload = self.take_payload(header, payload, transmit);
        received
    }

    fn take_acknowledgement(
        &mut self,
        header: &Header,
        bare: bool,
        now: Instant,
        transmit: &mut Transmit<'_>,
    ) {
        let window = usize::from(header.window) << self.send_scale;
        let advance = header.acknowledged.since(self.unacknowledged);
        if advance < 0 {
            return;
        }
        let unchanged = bare && window == self.window && !header.flags.has(Flags::FIN);
        self.window = window;
        // Whatever was heard, the other end lives.
        self.tries = 0;
        if advance == 0 {
            if unchanged && !self.under_way.is_empty() {
                self.duplicates += 1;
                if self.duplicates == DUPLICATES && self.recovering_until.is_none() {
                    self.recovering_until = Some(self.next);
                    self.transmit_again(transmit);
                }
            } else if window > 0 && self.is_idle() {
                self.pause = FIRST_PAUSE;
                self.due = Some(now + SILENCE);
            }
            return;
        }
        let advance = advance.cast_unsigned() as usize;
        self.unacknowledged = header.acknowledged;
        self.duplicates = 0;
        self.pause = FIRST_PAUSE;
        if advance > self.under_way.len() {
            self.finish = Finish::Acknowledged;
        }
        self.under_way.drain(..advance.min(self.under_way.len()));
        if self.is_idle() {
            self.due = Some(now + SILENCE);
            self.recovering_until = None;
            // Large buffers are kept only while they are in use.
            if self.under_way.capacity() > UNDER_WAY / 8 {
                self.under_way = VecDeque::new();
            }
            return;
        }
        self.due = Some(now + self.pause);
        match self.recovering_until {
            Some(end) if end.is_after(self.unacknowledged) => self.transmit_again(transmit),
            _ => self.recovering_until = None,
        }
    }

    fn take_payload<'a>(
        &mut self,
        header: &Header,
        payload: &'a [u8],
        transmit: &mut Transmit<'_>,
    ) -> &'a [u8] {
        let ahead = header.sequence.since(self.expected);
        let end = header.sequence.plus(payload.len());
        if header.flags.has(Flags::FIN) && !end.is_after(self.offered_until) {
            self.peer_finish = self.peer_finish.or_at(end);
        }
        if ahead > 0 {
            let room = self.offered_until.since(header.sequence).max(0).cast_unsigned() as usize;
            self.early.add(header.sequence, payload.get(..room).unwrap_or(payload));
            // Something got lost; each such segment must be answered at once, so that the sender can count.
            self.acknowledge(transmit);
            return &[];
        }
        let known = ahead.unsigned_abs() as usize;
        if known > 0 || !payload.is_empty() || header.flags.has(Flags::FIN) {
            self.acknowledgement_owed = true;
        }
        if self.peer_finish == PeerFinish::Reached {
            return &[];
        }
        let fresh = payload.get(known..).unwrap_or_default();
        let room = self.offered_until.since(self.expected).max(0).cast_unsigned() as usize;
        let mut taken = fresh.get(..room).unwrap_or(fresh);
        self.expected = self.expected.plus(taken.len());
        if !self.early.is_empty() {
            // What follows must not overtake.
            self.held.extend(taken);
            taken = &[];
            while let Some(next) = self.early.next(self.expected) {
                self.expected = self.expected.plus(next.len());
                self.held.extend(next);
            }
        }
        if self.peer_finish == PeerFinish::At(self.expected) {
            self.expected = self.expected.plus(1);
            self.peer_finish = PeerFinish::Reached;
        }
        taken
    }

    /// Keeps bytes that the host's side cannot take now.
    pub(crate) fn hold(&mut self, bytes: &[u8]) {
        self.held.extend(bytes);
    }

    /// The first of the bytes that are kept for the host's side.
    pub(crate) fn held(&self) -> &[u8] {
        self.held.as_slices().0
    }

    /// How many bytes wait for the host's side to take them.
    pub(crate) fn held_length(&self) -> usize {
        self.held.len()
    }

    /// How many bytes of the container are kept, those that came before their time included.
    pub(crate) fn kept(&self) -> usize {
        self.held.len() + self.early.length()
    }

    /// Forgets bytes that the host's side has taken.
    pub(crate) fn release(&mut self, count: usize) {
        self.held.drain(..count.min(self.held.len()));
        if self.held.is_empty() {
            self.held = VecDeque::new();
        }
        let opened = self.window_edge().since(self.offered_until);
        self.acknowledgement_owed |= opened.max(0).cast_unsigned() as usize > WINDOW / 4;
    }

    /// Where the window ends that can be offered now.
    pub(super) fn window_edge(&self) -> Sequence {
        let room = WINDOW.saturating_sub(self.held.len());
        let largest = usize::from(u16::MAX) << self.receive_scale;
        let room = room.min(largest) >> self.receive_scale << self.receive_scale;
        let edge = self.expected.plus(room);
        if edge.is_after(self.offered_until) { edge } else { self.offered_until }
    }

    /// Whether the container has sent all it will, and the host's side has taken it.
    pub(crate) fn is_drained(&self) -> bool {
        self.peer_finish == PeerFinish::Reached && self.held.is_empty()
    }
}
