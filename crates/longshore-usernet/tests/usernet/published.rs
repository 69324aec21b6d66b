//! From the host into containers.

use std::io::{Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use longshore_usernet::{Port, UserNetwork, UserNetworkSpec, connect_inside};

use crate::setting::{ADDRESS, Container, Running, as_everyone};

const SERVED: u16 = 8080;

#[test]
fn published_ports_lead_into_the_container() {
    as_everyone("published::published_ports_lead_into_the_container", || {
        let Some(container) = Container::new() else { return };
        let spec = UserNetworkSpec::default();
        let port = Port::attach(container.netns.as_fd(), &spec, ADDRESS).expect("a cable");
        let mut network = UserNetwork::new(spec, Box::new(())).expect("a network");
        network.plug(port).expect("a port");
        let outside = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = outside.local_addr().expect("an address");
        let to = SocketAddrV4::new(ADDRESS, SERVED);
        network.publish(outside.into(), to).expect("a published port");
        let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let datagram_address = datagrams.local_addr().expect("an address");
        network.publish(datagrams.into(), to).expect("a published port");
        let _running = Running::start(network);

        // Nobody listens yet: the connection comes to stand with the host, and is reset.
        let mut early = TcpStream::connect(address).expect("a published port");
        assert!(early.read(&mut [0]).is_err());

        let listener = container.run(|| TcpListener::bind(("0.0.0.0", SERVED)).expect("a listener"));
        let server = thread::spawn(move || {
            let (mut stream, peer) = listener.accept().expect("a client");
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).expect("a question");
            heard.reverse();
            stream.write_all(&heard).expect("a client");
            peer
        });
        let mut client = TcpStream::connect(address).expect("a published port");
        client.write_all(&vec![5; 300_000]).expect("a server");
        client.write_all(b"last").expect("a server");
        client.shutdown(std::net::Shutdown::Write).expect("half a stream");
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).expect("an answer");
        assert_eq!(heard.len(), 300_004);
        assert!(heard.starts_with(b"tsal"));
        let peer = server.join().expect("a server");
        assert_eq!(peer.ip().to_string(), "10.0.2.2");

        let socket = container.run(|| UdpSocket::bind(("0.0.0.0", SERVED)).expect("a socket"));
        let answering = thread::spawn(move || {
            for _ in 0..2 {
                let mut room = [0; 100];
                let (length, peer) = socket.recv_from(&mut room).expect("a datagram");
                socket.send_to(&room[..length], peer).expect("an answer");
            }
        });
        for word in [b"one", b"two"] {
            let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            client.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
            client.send_to(word, datagram_address).expect("a published port");
            let mut room = [0; 100];
            let (length, from) = client.recv_from(&mut room).expect("an answer");
            assert_eq!((&room[..length], from), (&word[..], datagram_address));
        }
        answering.join().expect("a server");
    });
}

#[test]
fn the_loopback_of_a_container_can_be_reached_from_outside() {
    as_everyone("published::the_loopback_of_a_container_can_be_reached_from_outside", || {
        let Some(container) = Container::new() else { return };
        let spec = UserNetworkSpec::default();
        let _port = Port::attach(container.netns.as_fd(), &spec, ADDRESS).expect("a cable");
        let listener = container.run(|| TcpListener::bind(("127.0.0.1", 0)).expect("a listener"));
        let address: SocketAddr = listener.local_addr().expect("an address");
        let limit = Duration::from_secs(20);
        connect_inside(container.netns.as_fd(), address, limit).expect("a connection");
        // In this namespace nobody but the listener listens; its own port may be open for a little longer in a child.
        let closed = SocketAddr::new(address.ip(), address.port() ^ 1);
        let refused = connect_inside(container.netns.as_fd(), closed, limit).expect_err("nobody listens");
        assert!(refused.to_string().starts_with("failed to connect to 127.0.0.1:"), "{refused}");
    });
}
