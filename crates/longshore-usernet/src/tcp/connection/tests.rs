//! Two connections talk to each other over a link that loses segments, in a time of their own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Connection, Expired, UNDER_WAY, WINDOW};
use crate::wire::sequence::Sequence;
use crate::wire::tcp::{BLOCKS, Flags, Handshake, Header};

type Segments = VecDeque<(Header, Vec<u8>)>;

/// One end, what it has to say, and what it has heard.
struct End {
    connection: Connection,
    says: Vec<u8>,
    said: usize,
    heard: Vec<u8>,
    sent: Segments,
}

impl End {
    fn new(connection: Connection, length: usize) -> Self {
        let says = (0..length).map(|at| ((at * 2_654_435_761) >> 7) as u8).collect();
        Self { connection, says, said: 0, heard: Vec::new(), sent: Segments::new() }
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut Connection, &mut super::Transmit<'_>) -> T) -> T {
        let sent = &mut self.sent;
        act(&mut self.connection, &mut |header, pieces| sent.push_back((*header, pieces.concat())))
    }

    fn hear(&mut self, header: &Header, payload: &[u8], now: Instant) {
        let received = self.act(|connection, transmit| connection.receive(header, payload, now, transmit));
        assert!(!received.reset);
        // Every other delivery takes the way of those whom the host keeps waiting.
        if header.sequence.0.is_multiple_of(2) || self.connection.held_length() > 0 {
            self.connection.hold(received.payload);
        } else {
            self.heard.extend(received.payload);
        }
        assert!(self.connection.kept() <= 2 * WINDOW);
    }

    /// Takes what is held, and says what may be said.
    fn turn(&mut self, now: Instant) {
        while self.connection.held_length() > 0 {
            let held = self.connection.held().to_vec();
            self.connection.release(held.len());
            self.heard.extend(held);
        }
        loop {
            let room = self.connection.sendable(UNDER_WAY);
            let next = self.says[self.said..].chunks(room.max(1)).next().unwrap_or_default().to_vec();
            if room == 0 || next.is_empty() {
                break;
            }
            self.said += next.len();
            self.act(|connection, transmit| connection.send(&next, now, transmit));
        }
        if self.connection.is_open() && self.said == self.says.len() {
            self.act(|connection, transmit| connection.finish(now, transmit));
        }
        self.act(|connection, transmit| connection.settle(transmit));
    }
}

/// Both ends after they have said everything to each other.
fn converse(lengths: (usize, usize), segments: (u16, u16), losses: &[bool]) -> (End, End) {
    let mut now = Instant::now();
    let mut losses = losses.iter().copied().cycle();
    let mut asking = End::new(Connection::asking(Sequence(u32::MAX - 9), segments.0), lengths.0);
    asking.act(|connection, transmit| connection.open(now, transmit));
    // The first segment is what makes the other end.
    let (syn, _) = asking.sent.pop_front().expect("a SYN");
    let mut asked = End::new(Connection::asked(&syn, Sequence(77), segments.1), lengths.1);
    asked.act(|connection, transmit| connection.open(now, transmit));
    for _ in 0..200_000 {
        for from_asked in [true, false] {
            let (from, to) = if from_asked { (&mut asked, &mut asking) } else { (&mut asking, &mut asked) };
            from.turn(now);
            while let Some((header, payload)) = from.sent.pop_front() {
                if losses.next() != Some(true) {
                    to.hear(&header, &payload, now);
                }
            }
        }
        if asking.connection.is_over() && asked.connection.is_over() {
            return (asking, asked);
        }
        if asking.sent.is_empty() && asked.sent.is_empty() {
            // One of them may be done and gone, as far as it knows; then the other only repeats its FIN.
            let due = [&asking, &asked].into_iter().filter_map(|end| end.connection.due()).min();
            now = due.expect("a moment").max(now + Duration::from_millis(1));
            for end in [&mut asking, &mut asked] {
                let expired = end.act(|connection, transmit| connection.expire(now, transmit));
                assert_eq!(expired, Expired::Waiting);
            }
        }
    }
    panic!("they never came to an end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn everything_arrives_once_and_in_order(
        first in 0_usize..600_000,
        second in 0_usize..600_000,
        segments in (88_u16..9000, 88_u16..9000),
        mut losses in proptest::collection::vec(proptest::bool::weighted(0.2), 1..200),
    ) {
        // A link that loses everything is none.
        losses.extend([false; 7]);
        let (asking, asked) = converse((first, second), segments, &losses);
        prop_assert!(asking.heard == asked.says, "{} of {} bytes", asking.heard.len(), asked.says.len());
        prop_assert!(asked.heard == asking.says, "{} of {} bytes", asked.heard.len(), asking.says.len());
    }

    #[test]
    fn segments_of_strangers_do_no_harm(
        segments in proptest::collection::vec(
            (any::<u32>(), any::<u32>(), 0_u8..64, any::<u16>(), 0_usize..3000), 1..300),
        near in any::<bool>(),
    ) {
        let now = Instant::now();
        let syn = header(Sequence(100), Sequence(0), Flags::SYN);
        let mut end = End::new(Connection::asked(&syn, Sequence(5), 1460), 100_000);
        end.act(|connection, transmit| connection.open(now, transmit));
        for (sequence, acknowledged, flags, window, length) in segments {
            let spread = if near { 5000 } else { u32::MAX };
            let mut hostile = header(
                Sequence(101 + sequence % spread),
                Sequence(5 + acknowledged % spread),
                Flags(flags & !Flags::RST.0),
            );
            hostile.window = window;
            end.hear(&hostile, &vec![0; length], now);
            end.turn(now);
            prop_assert!(end.connection.under_way() <= UNDER_WAY);
            end.sent.clear();
        }
    }
}

fn header(sequence: Sequence, acknowledged: Sequence, flags: Flags) -> Header {
    Header {
        source: 0,
        destination: 0,
        sequence,
        acknowledged,
        flags,
        window: 1000,
        handshake: Handshake { segment: Some(1460), scale: Some(7), reports: true },
        report: [None; BLOCKS],
    }
}

#[test]
fn a_silent_container_is_given_up() {
    let mut now = Instant::now();
    let syn = header(Sequence(100), Sequence(0), Flags::SYN);
    let mut end = End::new(Connection::asked(&syn, Sequence(5), 1460), 10);
    end.act(|connection, transmit| connection.open(now, transmit));
    end.hear(&header(Sequence(101), Sequence(6), Flags::ACK), &[], now);
    end.turn(now);
    for _ in 0..20 {
        now = end.connection.due().expect("a moment");
        if end.act(|connection, transmit| connection.expire(now, transmit)) == Expired::GaveUp {
            return;
        }
    }
    panic!("it is never given up");
}

#[test]
fn a_closed_window_is_asked_about_until_it_opens() {
    let mut now = Instant::now();
    let syn = header(Sequence(100), Sequence(0), Flags::SYN);
    let mut end = End::new(Connection::asked(&syn, Sequence(5), 1460), 10);
    end.act(|connection, transmit| connection.open(now, transmit));
    let mut closed = header(Sequence(101), Sequence(6), Flags::ACK);
    closed.window = 0;
    end.hear(&closed, &[], now);
    assert_eq!(end.connection.sendable(UNDER_WAY), 0);
    for _ in 0..50 {
        end.connection.await_window(now);
        end.sent.clear();
        now = end.connection.due().expect("a moment");
        let expired = end.act(|connection, transmit| connection.expire(now, transmit));
        assert_eq!((expired, end.sent.len()), (Expired::Waiting, 1));
        end.hear(&closed, &[], now);
    }
    closed.window = 10;
    end.hear(&closed, &[], now);
    assert_eq!(end.connection.sendable(UNDER_WAY), 1280);
}
