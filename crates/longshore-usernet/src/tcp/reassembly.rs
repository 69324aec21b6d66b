//! What came before its time: parts of a stream behind a gap, until the gap is filled (RFC 9293, section 3.10.7.4), and
//! the report of them to the sender (RFC 2018). Sans-IO.
//!
//! A user may not ask the kernel for a long queue of frames, so a burst of the container can overflow it. Without reports
//! the sender would repeat one segment for each pause.

use crate::wire::sequence::Sequence;
use crate::wire::tcp::{BLOCKS, Block};

/// How many parts are kept at most; a sender that leaves more gaps sends again.
const PARTS: usize = 64;

/// Parts of a stream in their order, with gaps between them.
#[derive(Default)]
pub(crate) struct Reassembly {
    parts: Vec<Part>,
    /// The beginning of the part that grew last.
    latest: Option<Sequence>,
}

struct Part {
    start: Sequence,
    bytes: Vec<u8>,
}

impl Part {
    fn end(&self) -> Sequence {
        self.start.plus(self.bytes.len())
    }
}

impl Reassembly {
    /// How many bytes are kept.
    pub(crate) fn length(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }

    /// Keeps bytes from `start` on, as far as they are not kept already.
    pub(crate) fn add(&mut self, start: Sequence, bytes: &[u8]) {
        let at = self.parts.partition_point(|part| !part.start.is_after(start));
        let before = at.checked_sub(1).and_then(|before| self.parts.get(before)).map(Part::end);
        let known = before.map_or(0, |end| end.since(start).max(0).cast_unsigned() as usize);
        let room = self.parts.get(at).map(|after| after.start.since(start).max(0).cast_unsigned() as usize);
        let fresh =
            bytes.get(..room.unwrap_or(bytes.len())).unwrap_or(bytes).get(known..).unwrap_or_default();
        if fresh.is_empty() {
            return;
        }
        let start = start.plus(known);
        let grown = match at.checked_sub(1).filter(|_| before == Some(start)) {
            Some(grown) => grown,
            None if self.parts.len() < PARTS => {
                self.parts.insert(at, Part { start, bytes: Vec::new() });
                at
            }
            None => return,
        };
        let touching = self.parts.get(grown + 1).is_some_and(|next| next.start == start.plus(fresh.len()));
        let following = if touching { self.parts.remove(grown + 1).bytes } else { Vec::new() };
        if let Some(part) = self.parts.get_mut(grown) {
            part.bytes.extend_from_slice(fresh);
            part.bytes.extend(following);
            self.latest = Some(part.start);
        }
    }

    /// Takes the next bytes that follow at `expected`, if they are there.
    pub(crate) fn next(&mut self, expected: Sequence) -> Option<Vec<u8>> {
        while self.parts.first().is_some_and(|part| !part.start.is_after(expected)) {
            let mut part = self.parts.remove(0);
            let known = expected.since(part.start).cast_unsigned() as usize;
            if known < part.bytes.len() {
                part.bytes.drain(..known);
                return Some(part.bytes);
            }
        }
        None
    }

    /// Whether nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The report: stretches that are kept, the one that grew last before the others.
    pub(crate) fn blocks(&self) -> [Option<Block>; BLOCKS] {
        let mut blocks = [None; BLOCKS];
        let is_latest = |part: &&Part| self.latest == Some(part.start);
        let latest = self.parts.iter().find(is_latest);
        let others = self.parts.iter().filter(|part| !is_latest(part));
        for (place, part) in blocks.iter_mut().zip(latest.into_iter().chain(others)) {
            *place = Some((part.start, part.end()));
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::{PARTS, Reassembly};
    use crate::wire::sequence::Sequence;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_stream_comes_out_as_it_was(
            cuts in proptest::collection::vec((0_usize..3000, 1_usize..400), 1..200),
            initial in any::<u32>(),
        ) {
            let stream: Vec<u8> = (0..4000_u32).map(|at| ((at * 31) >> 3) as u8).collect();
            let initial = Sequence(initial);
            let mut expected = initial;
            let mut out = Vec::new();
            let mut reassembly = Reassembly::default();
            // Whatever came, in the end all comes in order.
            let sweep = (0..40).map(|at| (at * 100, 100));
            for (offset, length) in cuts.into_iter().chain(sweep) {
                let start = initial.plus(offset);
                let bytes = &stream[offset..(offset + length).min(4000)];
                if start.is_after(expected) {
                    reassembly.add(start, bytes);
                } else if let Some(fresh) = bytes.get(expected.since(start).unsigned_abs() as usize..) {
                    out.extend_from_slice(fresh);
                    expected = expected.plus(fresh.len());
                    while let Some(more) = reassembly.next(expected) {
                        expected = expected.plus(more.len());
                        out.extend(more);
                    }
                }
                prop_assert!(reassembly.parts.len() <= PARTS);
                for (from, to) in reassembly.blocks().into_iter().flatten() {
                    prop_assert!(to.is_after(from) && from.is_after(expected));
                }
            }
            prop_assert_eq!(out, stream);
            prop_assert!(reassembly.is_empty());
        }
    }

    #[test]
    fn the_latest_is_reported_first() {
        let mut reassembly = Reassembly::default();
        for start in [100, 300, 200, 500, 700] {
            reassembly.add(Sequence(start), &[0; 50]);
        }
        reassembly.add(Sequence(350), &[0; 10]);
        let block = |from, to| Some((Sequence(from), Sequence(to)));
        assert_eq!(reassembly.blocks(), [block(300, 360), block(100, 150), block(200, 250)]);
    }
}
