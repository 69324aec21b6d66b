//! The gateway's end of one TCP connection with a container (RFC 9293). Sans-IO.
//!
//! The other end is the container's kernel, one virtual cable away: the link keeps the order, loses only what does not fit
//! into a queue, and has no capacity to be found out. So there is no congestion control; what is lost on the way there is
//! sent again after three duplicate acknowledgements or a pause (RFC 5681, section 3.2, and RFC 6582 for what follows),
//! and what is lost on the way here is reported (see [`Reassembly`]). Windows are scaled (RFC 7323).
//!
//! **Invariants:** the right edge of the window that was offered never moves back; what was acknowledged is never
//! forgotten; memory is bounded by the windows, whatever the other end sends.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::reassembly::Reassembly;
use crate::wire::sequence::Sequence;
use crate::wire::tcp::{BLOCKS, Flags, Handshake, Header};

/// By how many bits our windows are shifted.
const SCALE: u8 = 5;
/// How much the container may send before it is taken.
pub(crate) const WINDOW: usize = 128 * 1024;
/// How much may be under way to the container.
pub(crate) const UNDER_WAY: usize = 512 * 1024;
/// What the other end can take if it does not say (RFC 9293, section 3.7.1).
const DEFAULT_SEGMENT: u16 = 536;
/// The smallest segment size that is believed; smaller ones would only make work.
const SMALLEST_SEGMENT: u16 = 88;
/// The most that is sent at once; the receiver cuts it, or takes it whole.
const LARGEST_SEND: usize = 65535 - 20 - 20 - 8;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const FIRST_PAUSE_OF_HANDSHAKE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
const TRIES: u32 = 12;
const TRIES_OF_HANDSHAKE: u32 = 6;
/// When a silent connection is asked whether it still lives.
const SILENCE: Duration = Duration::from_hours(2);
const DUPLICATES: u32 = 3;

/// Where segments go: the header with ports left at zero, and the payload in two pieces.
pub(crate) type Transmit<'a> = dyn FnMut(&Header, [&[u8]; 2]) + 'a;

/// How far the connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The container's SYN waits for an answer, until the host's side is connected.
    Asked,
    /// Our SYN or SYN-ACK is under way.
    Opening,
    /// Both have agreed.
    Open,
}

/// What became of our FIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finish {
    NotYet,
    Sent,
    Acknowledged,
}

/// What became of the container's FIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PeerFinish {
    Unknown,
    /// It came, and stands here in the stream; what is before it has not all come.
    At(Sequence),
    /// Everything up to it has come.
    Reached,
}

impl PeerFinish {
    fn or_at(self, end: Sequence) -> Self {
        if self == Self::Reached { self } else { Self::At(end) }
    }
}

/// What a segment meant for the host's side.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Received<'a> {
    /// Bytes of the stream, which must be written to the host or given to [`Connection::hold`].
    pub(crate) payload: &'a [u8],
    /// The container reset the connection, or refused it.
    pub(crate) reset: bool,
    /// The connection came to stand with this segment.
    pub(crate) opened: bool,
}

/// What a timer led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// All is well.
    Waiting,
    /// The other end is gone.
    GaveUp,
}

/// One connection.
pub(crate) struct Connection {
    phase: Phase,
    /// The container asked, or we did.
    passive: bool,
    segment: u16,
    /// The largest payload of a segment that the container may send.
    own_segment: u16,
    send_scale: u8,
    receive_scale: u8,
    /// The first byte that is not acknowledged.
    unacknowledged: Sequence,
    /// The next byte to send.
    next: Sequence,
    window: usize,
    under_way: VecDeque<u8>,
    finish: Finish,
    duplicates: u32,
    recovering_until: Option<Sequence>,
    expected: Sequence,
    offered_until: Sequence,
    held: VecDeque<u8>,
    early: Reassembly,
    /// Whether reports are understood.
    reports: bool,
    peer_finish: PeerFinish,
    acknowledgement_owed: bool,
    due: Option<Instant>,
    pause: Duration,
    tries: u32,
}

impl Connection {
    /// A connection that the container's SYN asks for. It is answered by [`Self::open`].
    pub(crate) fn asked(syn: &Header, initial: Sequence, own_segment: u16) -> Self {
        let mut connection = Self::new(Phase::Asked, initial, own_segment);
        connection.passive = true;
        connection.agree(syn);
        connection
    }

    /// A connection that we ask the container for. It begins with [`Self::open`].
    pub(crate) fn asking(initial: Sequence, own_segment: u16) -> Self {
        Self::new(Phase::Asked, initial, own_segment)
    }

    fn new(phase: Phase, initial: Sequence, own_segment: u16) -> Self {
        Self {
            phase,
            passive: false,
            segment: DEFAULT_SEGMENT,
            own_segment,
            send_scale: 0,
            receive_scale: 0,
            unacknowledged: initial,
            next: initial,
            window: 0,
            under_way: VecDeque::new(),
            finish: Finish::NotYet,
            duplicates: 0,
            recovering_until: None,
            expected: Sequence(0),
            offered_until: Sequence(0),
            held: VecDeque::new(),
            early: Reassembly::default(),
            reports: false,
            peer_finish: PeerFinish::Unknown,
            acknowledgement_owed: false,
            due: None,
            pause: FIRST_PAUSE_OF_HANDSHAKE,
            tries: 0,
        }
    }

    /// Takes over what the other end's SYN says.
    fn agree(&mut self, syn: &Header) {
        let theirs = syn.handshake.segment.unwrap_or(DEFAULT_SEGMENT);
        self.segment = theirs.clamp(SMALLEST_SEGMENT, self.own_segment.max(SMALLEST_SEGMENT));
        if let Some(scale) = syn.handshake.scale {
            self.send_scale = scale;
            self.reports = syn.handshake.reports;
            self.receive_scale = SCALE;
        }
        self.expected = syn.sequence.plus(1);
        self.offered_until = self.expected;
        // The window of a SYN is never scaled.
        self.window = usize::from(syn.window);
    }

    /// Answers the container's SYN, or sends ours.
    pub(crate) fn open(&mut self, now: Instant, transmit: &mut Transmit<'_>) {
        self.phase = Phase::Opening;
        self.next = self.unacknowledged.plus(1);
        self.transmit_syn(transmit);
        self.due = Some(now + self.pause);
    }

    fn transmit_syn(&mut self, transmit: &mut Transmit<'_>) {
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

    /// The place of the SYN that asked for the connection.
    pub(crate) fn asked_at(&self) -> Sequence {
        self.expected.before()
    }

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

    /// Whether nothing of ours is waited for.
    fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.finish != Finish::Sent
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
    fn window_edge(&self) -> Sequence {
        let room = WINDOW.saturating_sub(self.held.len());
        let largest = usize::from(u16::MAX) << self.receive_scale;
        let room = room.min(largest) >> self.receive_scale << self.receive_scale;
        let edge = self.expected.plus(room);
        if edge.is_after(self.offered_until) { edge } else { self.offered_until }
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

    fn acknowledge(&mut self, transmit: &mut Transmit<'_>) {
        let header = self.header(self.next, Flags::ACK);
        transmit(&header, [&[], &[]]);
    }

    /// Sends the first bytes that are under way once more, or the FIN.
    fn transmit_again(&mut self, transmit: &mut Transmit<'_>) {
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
    fn header(&mut self, sequence: Sequence, flags: Flags) -> Header {
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

    /// When [`Self::expire`] is to be called.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, now: Instant, transmit: &mut Transmit<'_>) -> Expired {
        if self.due.is_none_or(|due| now < due) {
            return Expired::Waiting;
        }
        self.tries += 1;
        let opening = self.phase != Phase::Open;
        if self.tries > if opening { TRIES_OF_HANDSHAKE } else { TRIES } {
            return Expired::GaveUp;
        }
        if opening {
            self.transmit_syn(transmit);
        } else if self.is_idle() {
            // A byte that the other end has already: it must answer, and says its window.
            let header = self.header(self.unacknowledged.before(), Flags::ACK);
            transmit(&header, [&[], &[]]);
        } else {
            self.duplicates = 0;
            self.recovering_until = Some(self.next);
            self.transmit_again(transmit);
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.due = Some(now + self.pause);
        Expired::Waiting
    }

    /// How many bytes are sent and not acknowledged.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// The size to cut what is sent into.
    pub(crate) fn segment(&self) -> u16 {
        self.segment
    }

    /// Whether both ends have agreed.
    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether the container has sent all it will, and the host's side has taken it.
    pub(crate) fn is_drained(&self) -> bool {
        self.peer_finish == PeerFinish::Reached && self.held.is_empty()
    }

    /// Whether both directions have ended and nothing is waited for.
    pub(crate) fn is_over(&self) -> bool {
        self.is_drained() && self.finish == Finish::Acknowledged
    }
}

#[cfg(test)]
mod tests;
