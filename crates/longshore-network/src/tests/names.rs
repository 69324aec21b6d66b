//! Names, looked up over the network of a container.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name, Rtype};
use domain::rdata::{A, Ptr};

use super::place::{inside, on_host, spec};
use crate::{Departure, NAME_SERVER, NameServer, NetworkSpec, Resolvers};

/// Longer than any answer takes.
const LONG: Duration = Duration::from_secs(20);

fn question(name: &str, kind: Rtype) -> Vec<u8> {
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(7);
    builder.header_mut().set_rd(true);
    let mut builder = builder.question();
    builder.push((name.parse::<Name<Vec<u8>>>().unwrap(), kind)).unwrap();
    builder.finish()
}

/// Asks the name server in a namespace, as a resolver does.
fn ask(place: &OwnedFd, name: &str, kind: Rtype) -> Message<Vec<u8>> {
    inside(place, || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket.connect((NAME_SERVER, 53)).unwrap();
        socket.send(&question(name, kind)).unwrap();
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).unwrap();
        Message::from_octets(buffer[..length].to_vec()).unwrap()
    })
}

/// Asks over a connection.
fn ask_stream(place: &OwnedFd, name: &str, kind: Rtype) -> Message<Vec<u8>> {
    inside(place, || {
        let mut stream = TcpStream::connect((NAME_SERVER, 53)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let query = question(name, kind);
        stream.write_all(&(query.len() as u16).to_be_bytes()).unwrap();
        stream.write_all(&query).unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut reply).unwrap();
        Message::from_octets(reply).unwrap()
    })
}

fn addresses(reply: &Message<Vec<u8>>) -> Vec<Ipv4Addr> {
    reply.answer().unwrap().limit_to::<A>().map(|record| record.unwrap().data().addr()).collect()
}

/// A resolver on the host's loopback that answers one datagram and one connection with 192.0.2.9.
fn resolver() -> (SocketAddr, thread::JoinHandle<()>) {
    let answer = |query: &[u8]| {
        let query = Message::from_octets(query).unwrap();
        let mut builder = MessageBuilder::new_vec().start_answer(&query, Rcode::NOERROR).unwrap();
        let name = query.sole_question().unwrap().into_qname();
        builder.push((name, 60, A::new(Ipv4Addr::new(192, 0, 2, 9)))).unwrap();
        builder.finish()
    };
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = datagrams.local_addr().unwrap();
    let connections = std::net::TcpListener::bind(address).unwrap();
    let serve = thread::spawn(move || {
        let mut buffer = [0; 4096];
        let (length, client) = datagrams.recv_from(&mut buffer).unwrap();
        // Something that was not asked for comes first.
        datagrams.send_to(&answer(&question("evil.example", Rtype::A)), client).unwrap();
        datagrams.send_to(&answer(&buffer[..length]), client).unwrap();
        let (mut stream, _) = connections.accept().unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query).unwrap();
        let reply = answer(&query);
        stream.write_all(&(reply.len() as u16).to_be_bytes()).unwrap();
        stream.write_all(&reply).unwrap();
    });
    (address, serve)
}

#[test]
fn containers_find_each_other_by_name() {
    on_host(|host| {
        let (one, two) = (host.network("one"), host.network("two"));
        let a = host.container(&one, "a");
        let nowhere = Resolvers::Addresses(Vec::new());
        let _server =
            NameServer::start(a.netns.as_fd(), &host.networks, &a.endpoint.container, nowhere).unwrap();
        let b = host.container(&one, "b");
        let c = host.container(&two, "c");
        assert_eq!(addresses(&ask(&a.netns, "b", Rtype::A)), [b.endpoint.address]);
        assert_eq!(addresses(&ask(&a.netns, "B.one.", Rtype::A)), [b.endpoint.address]);
        assert_eq!(addresses(&ask_stream(&a.netns, "b", Rtype::A)), [b.endpoint.address]);
        assert_eq!(addresses(&ask(&a.netns, "a", Rtype::A)), [a.endpoint.address]);
        assert_eq!(ask(&a.netns, "c", Rtype::A).header().rcode(), Rcode::SERVFAIL);
        let [.., third, fourth] = b.endpoint.address.octets();
        let [first, second, ..] = b.endpoint.address.octets();
        let reply = ask(&a.netns, &format!("{fourth}.{third}.{second}.{first}.in-addr.arpa"), Rtype::PTR);
        let record = reply.answer().unwrap().limit_to::<Ptr<_>>().next().unwrap().unwrap();
        assert_eq!(record.data().to_string().trim_end_matches('.'), "b.one");
        // What changes is known at once.
        host.networks.rename(&b.endpoint.container, "b", "renamed").unwrap();
        assert_eq!(addresses(&ask(&a.netns, "renamed", Rtype::A)), [b.endpoint.address]);
        assert_eq!(ask(&a.netns, "b", Rtype::A).header().rcode(), Rcode::SERVFAIL);
        let mut second = spec("a");
        second.interface = "eth1".to_owned();
        second.default_route = false;
        host.networks.attach(&two, &second, a.netns.as_fd()).unwrap();
        assert_eq!(addresses(&ask(&a.netns, "c", Rtype::A)), [c.endpoint.address]);
        host.networks.detach(&two, &c.endpoint.container, Departure::Ended).unwrap();
        assert_eq!(ask(&a.netns, "c", Rtype::A).header().rcode(), Rcode::SERVFAIL);
    });
}

#[test]
fn a_shared_alias_goes_round() {
    on_host(|host| {
        let network = host.network("one");
        let a = host.container(&network, "a");
        for name in ["b", "c"] {
            let mut wish = spec(name);
            wish.names.push("both".to_owned());
            let netns = super::place::namespace();
            host.networks.attach(&network, &wish, netns.as_fd()).unwrap();
        }
        let nowhere = Resolvers::Addresses(Vec::new());
        let _server =
            NameServer::start(a.netns.as_fd(), &host.networks, &a.endpoint.container, nowhere).unwrap();
        let (first, second) = (ask(&a.netns, "both", Rtype::A), ask(&a.netns, "both", Rtype::A));
        assert_eq!(addresses(&first).len(), 2);
        assert_ne!(addresses(&first), addresses(&second));
    });
}

#[test]
fn other_names_are_asked_of_the_resolvers_of_the_host() {
    on_host(|host| {
        let network = host.network("one");
        let a = host.container(&network, "a");
        let (address, serving) = resolver();
        // The first resolver is not there.
        let gone = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let resolvers = Resolvers::Addresses(vec![gone, address]);
        let server =
            NameServer::start(a.netns.as_fd(), &host.networks, &a.endpoint.container, resolvers).unwrap();
        let reply = ask(&a.netns, "example.org", Rtype::A);
        assert_eq!((addresses(&reply), reply.header().id()), (vec![Ipv4Addr::new(192, 0, 2, 9)], 7));
        assert_eq!(addresses(&ask_stream(&a.netns, "example.org", Rtype::A)), [Ipv4Addr::new(192, 0, 2, 9)]);
        serving.join().unwrap();
        assert_eq!(ask(&a.netns, "example.org", Rtype::A).header().rcode(), Rcode::SERVFAIL);
        drop(server);
    });
}

#[test]
fn a_container_can_be_a_name_server_itself() {
    on_host(|host| {
        let network = host.network("one");
        let a = host.container(&network, "a");
        let nowhere = Resolvers::Addresses(Vec::new());
        let server =
            NameServer::start(a.netns.as_fd(), &host.networks, &a.endpoint.container, nowhere.clone())
                .unwrap();
        inside(&a.netns, || {
            UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 53)).unwrap();
            std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 53)).unwrap();
        });
        // A restarted container gets another name server in the same namespace.
        drop(server);
        let _server =
            NameServer::start(a.netns.as_fd(), &host.networks, &a.endpoint.container, nowhere).unwrap();
        assert_eq!(addresses(&ask(&a.netns, "a", Rtype::A)), [a.endpoint.address]);
    });
}

#[test]
fn containers_without_a_way_outside_do_not_ask_there() {
    on_host(|host| {
        let spec = NetworkSpec { name: "inner".to_owned(), internal: true, ..NetworkSpec::default() };
        let network = host.networks.create(&spec).unwrap();
        let a = host.container(&network, "a");
        let watched = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        watched.set_nonblocking(true).unwrap();
        let resolvers = Resolvers::Addresses(vec![watched.local_addr().unwrap()]);
        let _server =
            NameServer::start(a.netns.as_fd(), &host.networks, &a.endpoint.container, resolvers).unwrap();
        assert_eq!(addresses(&ask(&a.netns, "a", Rtype::A)), [a.endpoint.address]);
        assert_eq!(ask(&a.netns, "secret.example", Rtype::A).header().rcode(), Rcode::SERVFAIL);
        assert!(watched.recv(&mut [0; 16]).is_err());
    });
}
