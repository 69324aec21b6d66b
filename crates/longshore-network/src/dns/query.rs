//! Reading queries and writing answers.
//!
//! Sans-IO. Only the question of a query is looked at; whatever else it holds is passed on as it came, so that nothing
//! which clients and resolvers may invent gets lost on the way.

use std::net::{IpAddr, Ipv4Addr};

use domain::base::iana::{Class, Opcode, Rcode};
use domain::base::message_builder::{AdditionalBuilder, AnswerBuilder, PushError};
use domain::base::name::{Name, ToName};
use domain::base::{Message, MessageBuilder, Rtype, StaticCompressor, Ttl};
use domain::rdata::{A, Ptr};

use super::zone::Lookup;

/// How long an answer may be remembered; Docker's value.
const TIME_TO_LIVE: Ttl = Ttl::from_secs(600);
/// What every client takes over UDP.
const PLAIN_LIMIT: usize = 512;
/// What is sent over UDP at most, so that no packet is split on its way.
const DATAGRAM_LIMIT: usize = 1232;
/// The size of a header.
const HEADER: usize = 12;

/// How a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In a datagram: answers have a limit.
    Datagram,
    /// Over a connection.
    Stream,
}

/// What becomes of a query.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// This is sent back.
    Reply(Vec<u8>),
    /// Other resolvers are asked.
    Forward,
    /// Nothing: it is no query.
    Ignore,
}

/// Decides about a query.
pub(crate) fn react(query: &[u8], transport: Transport, names: &dyn Lookup) -> Reaction {
    let Ok(message) = Message::from_octets(query) else { return Reaction::Ignore };
    if message.header().qr() {
        return Reaction::Ignore;
    }
    if message.header().opcode() != Opcode::QUERY {
        return failure(query, Rcode::NOTIMP);
    }
    let Ok(question) = message.sole_question() else { return failure(query, Rcode::FORMERR) };
    if question.qclass() != Class::IN {
        return forward(query, names);
    }
    let name = question.qname().fmt_with_dot().to_string().to_ascii_lowercase();
    let name = name.trim_end_matches('.');
    if let Some(address) = reverse(name) {
        return match names.name(address).and_then(|found| found.parse::<Name<Vec<u8>>>().ok()) {
            Some(found) if matches!(question.qtype(), Rtype::PTR | Rtype::ANY) => {
                let push =
                    |answer: &mut Answer| answer.push((question.qname(), TIME_TO_LIVE, Ptr::new(&found)));
                written(answer(&message, transport, [push]))
            }
            _ => forward(query, names),
        };
    }
    let addresses = names.addresses(name);
    if addresses.is_empty() {
        return forward(query, names);
    }
    let wanted = if matches!(question.qtype(), Rtype::A | Rtype::ANY) { addresses } else { Vec::new() };
    let pushes = wanted.into_iter().map(|address| {
        move |answer: &mut Answer| answer.push((question.qname(), TIME_TO_LIVE, A::new(address)))
    });
    written(answer(&message, transport, pushes))
}

/// What is sent back when nobody knows.
pub(crate) fn server_failure(query: &[u8]) -> Option<Vec<u8>> {
    match failure(query, Rcode::SERVFAIL) {
        Reaction::Reply(reply) => Some(reply),
        _ => None,
    }
}

/// Whether a reply answers a query: the number that was sent, and the same question.
pub(crate) fn answers(reply: &[u8], query: &[u8]) -> bool {
    let (Ok(reply), Ok(query)) = (Message::from_octets(reply), Message::from_octets(query)) else {
        return false;
    };
    if !reply.header().qr() || reply.header().id() != query.header().id() {
        return false;
    }
    match (reply.sole_question(), query.sole_question()) {
        (Ok(one), Ok(other)) => one.qname().name_eq(other.qname()) && one.qtype() == other.qtype(),
        // Servers that refuse a query altogether may leave the question out.
        (Err(_), Ok(_)) => reply.header_counts().qdcount() == 0 && reply.header().rcode() != Rcode::NOERROR,
        _ => false,
    }
}

/// Whether the server that sent a reply could not help, and another one may.
pub(crate) fn is_refusal(reply: &[u8]) -> bool {
    Message::from_octets(reply)
        .is_ok_and(|reply| matches!(reply.header().rcode(), Rcode::SERVFAIL | Rcode::REFUSED | Rcode::NOTIMP))
}

type Answer = AnswerBuilder<StaticCompressor<Vec<u8>>>;

fn written(reply: Result<Vec<u8>, PushError>) -> Reaction {
    reply.map_or(Reaction::Ignore, Reaction::Reply)
}

fn forward(query: &[u8], names: &dyn Lookup) -> Reaction {
    if names.leads_outside() { Reaction::Forward } else { failure(query, Rcode::SERVFAIL) }
}

/// A reply that is a header and nothing else, whatever the query holds.
fn failure(query: &[u8], code: Rcode) -> Reaction {
    let Some(header) = query.get(..HEADER).and_then(|header| <[u8; HEADER]>::try_from(header).ok()) else {
        return Reaction::Ignore;
    };
    let [high, low, flags, ..] = header;
    // QR is set; opcode and RD stay; RA is set.
    let mut reply = vec![high, low, 0x80 | (flags & 0x79), 0x80 | code.to_int()];
    // With the question, so that clients find what it is about.
    let question = Message::from_octets(query).ok().and_then(|message| {
        let question = message.sole_question().ok()?;
        let mut bytes = Vec::new();
        question.compose(&mut bytes).ok()?;
        Some(bytes)
    });
    reply.extend_from_slice(&[0, u8::from(question.is_some()), 0, 0, 0, 0, 0, 0]);
    reply.extend(question.unwrap_or_default());
    Reaction::Reply(reply)
}

/// An answer with as many records as fit. If some do not, the client is told to ask again over a connection.
fn answer<P: FnOnce(&mut Answer) -> Result<(), PushError>>(
    query: &Message<&[u8]>,
    transport: Transport,
    pushes: impl IntoIterator<Item = P>,
) -> Result<Vec<u8>, PushError> {
    let extended = query.opt().map(|opt| usize::from(opt.udp_payload_size()));
    let limit = match transport {
        Transport::Datagram => extended.unwrap_or(PLAIN_LIMIT).clamp(PLAIN_LIMIT, DATAGRAM_LIMIT),
        Transport::Stream => usize::from(u16::MAX),
    };
    let mut builder = MessageBuilder::from_target(StaticCompressor::new(Vec::new()))?;
    // What the record of the extension takes is kept free.
    builder.set_push_limit(limit - 11);
    builder.header_mut().set_ra(true);
    let mut builder = builder.start_answer(query, Rcode::NOERROR)?;
    for push in pushes {
        if push(&mut builder).is_err() {
            builder.header_mut().set_tc(true);
            break;
        }
    }
    builder.clear_push_limit();
    let mut builder: AdditionalBuilder<_> = builder.additional();
    if extended.is_some() {
        builder.opt(|opt| {
            opt.set_udp_payload_size(DATAGRAM_LIMIT as u16);
            Ok(())
        })?;
    }
    Ok(builder.finish().into_target())
}

/// The address that a name below `in-addr.arpa` stands for.
fn reverse(name: &str) -> Option<IpAddr> {
    let mut parts = name.strip_suffix(".in-addr.arpa")?.split('.').rev();
    let mut octets = [0; 4];
    for octet in &mut octets {
        *octet = parts.next()?.parse().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets).into())
}
