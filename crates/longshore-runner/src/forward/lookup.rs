//! Asking a container's name server for addresses, where the system's own resolver would ask this machine's.
//!
//! Follows RFC 1035, sections 4.1 and 4.2: one question for addresses (A), one datagram each way.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

/// Where every container on a network finds its name server.
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(127, 0, 0, 11), 53);
/// Answers come from the same machine.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions and answers of type A in the Internet's class.
const ADDRESS: [u8; 4] = [0, 1, 0, 1];
/// The size of a header.
const HEADER: usize = 12;
/// Any number tells this question from others, of which a socket has none.
const ID: [u8; 2] = [0x4c, 0x53];

/// The addresses that a name has.
pub(super) fn addresses(name: &str) -> io::Result<Vec<Ipv4Addr>> {
    let question =
        question(name).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "is no name of a host"))?;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(SERVER)?;
    socket.send(&question)?;
    let mut answer = [0; 1232];
    let length = socket.recv(&mut answer)?;
    let answer = answer.get(..length).unwrap_or_default();
    read(answer, question.len())
        .filter(|addresses| !addresses.is_empty())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "nobody has that name"))
}

/// A query for the addresses of a name.
fn question(name: &str) -> Option<Vec<u8>> {
    let mut query = ID.to_vec();
    // Recursion is desired; one question, and nothing else.
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        query.push(length);
        query.extend(label.bytes());
    }
    query.push(0);
    query.extend(ADDRESS);
    (query.len() <= HEADER + 255 + ADDRESS.len()).then_some(query)
}

/// The addresses in an answer to a query of a length; none if it is no answer to it.
fn read(answer: &[u8], question: usize) -> Option<Vec<Ipv4Addr>> {
    let header = answer.get(..HEADER)?;
    let is_answer = header.starts_with(&ID) && header.get(2)? & 0x80 != 0 && header.get(3)? % 16 == 0;
    let count = u16::from_be_bytes([*header.get(6)?, *header.get(7)?]);
    let mut rest = answer.get(question..)?;
    let mut addresses = Vec::new();
    for _ in 0..if is_answer { count } else { 0 } {
        rest = after_name(rest)?;
        let (fixed, after) = rest.split_at_checked(10)?;
        let length = u16::from_be_bytes([*fixed.get(8)?, *fixed.get(9)?]);
        let (content, after) = after.split_at_checked(length.into())?;
        if fixed.starts_with(&ADDRESS) {
            addresses.push(Ipv4Addr::from(<[u8; 4]>::try_from(content).ok()?));
        }
        rest = after;
    }
    is_answer.then_some(addresses)
}

/// What follows a name, which ends with an empty label or points to where it goes on.
fn after_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let length = *bytes.first()?;
        match length {
            0 => return bytes.get(1..),
            0xc0.. => return bytes.get(2..),
            1..64 => bytes = bytes.get(1 + usize::from(length)..)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::{ADDRESS, question, read};

    fn answer(question: &[u8], records: &[&[u8]]) -> Vec<u8> {
        let mut answer = question.to_vec();
        answer[2] |= 0x80;
        answer[7] = u8::try_from(records.len()).unwrap();
        records.iter().for_each(|record| answer.extend(*record));
        answer
    }

    #[test]
    fn addresses_are_read_past_other_records() {
        let question = question("db.example.").unwrap();
        assert!(question.ends_with(b"\x02db\x07example\x00\x00\x01\x00\x01"), "{question:?}");
        let alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x01\x00\x02\x01a";
        let address = b"\x01a\x00\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04\x0a\x00\x00\x07";
        let good = answer(&question, &[alias, address]);
        assert_eq!(read(&good, question.len()), Some(vec![Ipv4Addr::new(10, 0, 0, 7)]));
        let mut failed = good.clone();
        failed[3] |= 3;
        assert_eq!(read(&failed, question.len()), None, "no such name");
        assert_eq!(read(&question, question.len()), None, "a question is no answer");
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        for name in ["", "a..b", &"x".repeat(64), &"abc.".repeat(80)] {
            assert_eq!(question(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let question = question("db").unwrap();
            let mut answer = answer(&question, &[&bytes]);
            let _ = read(&answer, question.len());
            answer.extend(ADDRESS);
            answer[7] = 255;
            let _ = read(&answer, question.len());
        }
    }
}
