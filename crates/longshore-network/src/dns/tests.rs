//! What becomes of queries.

use std::net::{IpAddr, Ipv4Addr};

use domain::base::iana::{Opcode, Rcode};
use domain::base::{Message, MessageBuilder, Name, Rtype};
use domain::rdata::{A, Ptr};
use proptest::prelude::*;

use super::query::{Reaction, Transport, answers, react};
use super::zone::Lookup;

/// Knows `web`, `many`, and the address of `web`.
struct Names {
    outside: bool,
}

impl Lookup for Names {
    fn addresses(&self, name: &str) -> Vec<Ipv4Addr> {
        match name {
            "web" => vec![Ipv4Addr::new(172, 17, 0, 2)],
            "many" => (0..200).map(|last| Ipv4Addr::new(172, 17, 1, last)).collect(),
            _ => Vec::new(),
        }
    }

    fn name(&self, address: IpAddr) -> Option<String> {
        (address == Ipv4Addr::new(172, 17, 0, 2)).then(|| "web.one".to_owned())
    }

    fn leads_outside(&self) -> bool {
        self.outside
    }
}

const OPEN: Names = Names { outside: true };

pub(super) fn query(name: &str, kind: Rtype, size: Option<u16>) -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(0x1234);
    builder.header_mut().set_rd(true);
    let mut builder = builder.question();
    builder.push((name.parse::<Name<Vec<u8>>>().unwrap(), kind)).unwrap();
    let mut builder = builder.additional();
    if let Some(size) = size {
        builder
            .opt(|opt| {
                opt.set_udp_payload_size(size);
                Ok(())
            })
            .unwrap();
    }
    builder.finish()
}

fn reply(query: &[u8], transport: Transport) -> Message<Vec<u8>> {
    match react(query, transport, &OPEN) {
        Reaction::Reply(reply) => Message::from_octets(reply).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn addresses(reply: &Message<Vec<u8>>) -> Vec<Ipv4Addr> {
    reply.answer().unwrap().limit_to::<A>().map(|record| record.unwrap().data().addr()).collect()
}

#[test]
fn names_of_containers_are_answered_whatever_their_case() {
    for name in ["web", "WEB", "Web."] {
        let asked = query(name, Rtype::A, Some(4096));
        let reply = reply(&asked, Transport::Datagram);
        assert_eq!(addresses(&reply), [Ipv4Addr::new(172, 17, 0, 2)], "{name}");
        assert_eq!((reply.header().id(), reply.header().rcode()), (0x1234, Rcode::NOERROR));
        assert!(reply.opt().is_some() && reply.header().ra() && reply.header().rd());
        assert!(answers(reply.as_slice(), &asked));
        let record = reply.answer().unwrap().limit_to::<A>().next().unwrap().unwrap();
        assert_eq!(record.ttl().as_secs(), 600);
    }
}

#[test]
fn other_kinds_of_records_of_containers_do_not_exist() {
    for kind in [Rtype::AAAA, Rtype::MX, Rtype::HTTPS] {
        let reply = reply(&query("web", kind, None), Transport::Datagram);
        assert_eq!((reply.header().rcode(), reply.header_counts().ancount()), (Rcode::NOERROR, 0));
        assert!(reply.opt().is_none());
    }
}

#[test]
fn addresses_have_names() {
    let reply = reply(&query("2.0.17.172.in-addr.arpa", Rtype::PTR, None), Transport::Datagram);
    let record = reply.answer().unwrap().limit_to::<Ptr<_>>().next().unwrap().unwrap();
    assert_eq!(record.data().to_string().trim_end_matches('.'), "web.one");
    for name in [
        "3.0.17.172.in-addr.arpa",
        "x.0.17.172.in-addr.arpa",
        "17.172.in-addr.arpa",
        "1.2.0.17.172.in-addr.arpa",
    ] {
        assert_eq!(
            react(&query(name, Rtype::PTR, None), Transport::Datagram, &OPEN),
            Reaction::Forward,
            "{name}"
        );
    }
}

#[test]
fn what_does_not_fit_is_asked_for_again() {
    for (size, transport, limit) in [
        (None, Transport::Datagram, 512),
        (Some(100), Transport::Datagram, 512),
        (Some(900), Transport::Datagram, 900),
        (Some(65_535), Transport::Datagram, 1232),
    ] {
        let reply = reply(&query("many", Rtype::A, size), transport);
        assert!(reply.as_slice().len() <= limit && reply.header().tc(), "{size:?}");
        assert!(!addresses(&reply).is_empty());
    }
    let whole = reply(&query("many", Rtype::A, None), Transport::Stream);
    assert_eq!((addresses(&whole).len(), whole.header().tc()), (200, false));
}

#[test]
fn everything_else_is_forwarded_or_fails() {
    let asked = query("example.org", Rtype::A, None);
    assert_eq!(react(&asked, Transport::Datagram, &OPEN), Reaction::Forward);
    let Reaction::Reply(inner) = react(&asked, Transport::Datagram, &Names { outside: false }) else {
        panic!()
    };
    let inner = Message::from_octets(inner).unwrap();
    assert_eq!(inner.header().rcode(), Rcode::SERVFAIL);
    assert!(answers(inner.as_slice(), &asked));
}

#[test]
fn what_is_no_query_is_refused_or_ignored() {
    assert_eq!(react(&[0; 11], Transport::Datagram, &OPEN), Reaction::Ignore);
    let mut answer = query("web", Rtype::A, None);
    answer[2] |= 0x80;
    assert_eq!(react(&answer, Transport::Datagram, &OPEN), Reaction::Ignore);
    let mut update = query("web", Rtype::A, None);
    update[2] |= Opcode::UPDATE.to_int() << 3;
    assert_eq!(reply(&update, Transport::Datagram).header().rcode(), Rcode::NOTIMP);
    let mut two = query("web", Rtype::A, None);
    two[5] = 2;
    assert_eq!(reply(&two, Transport::Datagram).header().rcode(), Rcode::FORMERR);
    // A name that points to itself.
    let mut circle = query("web", Rtype::A, None);
    circle.truncate(12);
    circle.extend([0xc0, 12, 0, 1, 0, 1]);
    assert_eq!(reply(&circle, Transport::Datagram).header().rcode(), Rcode::FORMERR);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = react(&bytes, Transport::Datagram, &OPEN);
        let _ = answers(&bytes, &bytes);
    }

    #[test]
    fn no_damage_to_a_query_makes_it_panic(at in 0_usize..40, byte: u8, name in "[a-z]{1,10}") {
        for mut asked in [query(&name, Rtype::A, Some(1232)), query("web", Rtype::A, None)] {
            let at = at % asked.len();
            asked[at] = byte;
            if let Reaction::Reply(reply) = react(&asked, Transport::Datagram, &OPEN) {
                prop_assert!(reply.len() <= 1232);
                prop_assert_eq!(&reply[..2], &asked[..2]);
            }
        }
    }
}
