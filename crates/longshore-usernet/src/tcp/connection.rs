//! The gateway's end of one TCP connection with a container (RFC 9293). Sans-IO.
//!
//! The other end is the container's kernel, one virtual cable away: the link keeps the order, loses only what does not fit
//! into a queue, and has no capacity to be found out. So there is no congestion control; what is lost on the way there is
//! sent again after three duplicate acknowledgements or a pause (RFC 5681, section 3.2, and RFC 6582 for what follows),
//! and what is lost on the way here is reported (see [`Reassembly`]). Windows are scaled (RFC 7323).
//!
//! **Invariants:** the right edge of the window that was offered never moves back; what was acknowledged is never
//! forgotten; memory is bounded by the windows, whatever the other end sends.

mod inbound;
mod outbound;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::reassembly::Reassembly;
use crate::wire::sequence::Sequence;
use crate::wire::tcp::{Flags, Header};

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

    /// The place of the SYN that asked for the connection.
    pub(crate) fn asked_at(&self) -> Sequence {
        self.expected.before()
    }

    /// Whether nothing of ours is waited for.
    fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.finish != Finish::Sent
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

    /// The size to cut what is sent into.
    pub(crate) fn segment(&self) -> u16 {
        self.segment
    }

    /// Whether both ends have agreed.
    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether both directions have ended and nothing is waited for.
    pub(crate) fn is_over(&self) -> bool {
        self.is_drained() && self.finish == Finish::Acknowledged
    }
}
