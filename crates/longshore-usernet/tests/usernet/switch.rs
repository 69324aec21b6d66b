//! Between the containers of one network.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread;

use longshore_usernet::{Membership, Port, UserNetwork, UserNetworkSpec};

use crate::setting::{ADDRESS, Container, Running, as_everyone, own_address};

const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 101);

#[test]
fn neighbours_reach_each_other() {
    as_everyone("switch::neighbours_reach_each_other", || {
        let (Some(one), Some(other)) = (Container::new(), Container::new()) else { return };
        let spec = UserNetworkSpec::default();
        let mut network = UserNetwork::new(spec.clone(), Box::new(())).expect("a network");
        for (container, address) in [(&one, ADDRESS), (&other, NEIGHBOUR)] {
            let port = Port::attach(container.netns.as_fd(), &spec, address).expect("a cable");
            network.plug(port).expect("a port");
        }
        let _running = Running::start(network);
        let listener = other.run(|| TcpListener::bind(("0.0.0.0", 0)).expect("a listener"));
        let to = SocketAddr::from((NEIGHBOUR, listener.local_addr().expect("an address").port()));
        let server = thread::spawn(move || {
            let (mut stream, peer) = listener.accept().expect("a client");
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).expect("a stream");
            (heard.len(), peer.ip())
        });
        one.run(move || {
            let mut stream = TcpStream::connect(to).expect("a neighbour");
            stream.write_all(&vec![1; 5_000_000]).expect("a reader");
        });
        assert_eq!(server.join().expect("a server"), (5_000_000, ADDRESS.into()));
    });
}

/// Three containers, each with a monitor of its own; here the monitors are threads.
#[test]
fn another_monitor_takes_over_when_one_ends() {
    as_everyone("switch::another_monitor_takes_over_when_one_ends", || {
        let directory = tempfile::tempdir().expect("a directory");
        let spec = UserNetworkSpec::default();
        let outside = own_address();
        let echo = TcpListener::bind(("0.0.0.0", 0)).expect("a listener");
        let echo_port = echo.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in echo.incoming() {
                let stream = stream.expect("a client");
                thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
            }
        });
        let mut members = Vec::new();
        for last in 100..103 {
            let Some(container) = Container::new() else { return };
            let address = Ipv4Addr::new(10, 0, 2, last);
            let port = Port::attach(container.netns.as_fd(), &spec, address).expect("a cable");
            let published = TcpListener::bind("127.0.0.1:0").expect("a listener");
            let published_at = published.local_addr().expect("an address");
            let served = container.run(|| TcpListener::bind(("0.0.0.0", 7)).expect("a listener"));
            thread::spawn(move || {
                for stream in served.incoming() {
                    let stream = stream.expect("a client");
                    thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
                }
            });
            let mut membership = Membership::new(directory.path(), port);
            membership.publish(published.into(), SocketAddrV4::new(address, 7));
            let (stopped, stop) = rustix::pipe::pipe().expect("a pipe");
            let spec = spec.clone();
            let monitor = thread::spawn(move || {
                membership.run(|| UserNetwork::new(spec.clone(), Box::new(())), stopped).expect("a network");
            });
            members.push((container, address, published_at, stop, monitor));
        }
        let talk = |to: SocketAddr| {
            move || {
                let mut stream = TcpStream::connect(to).expect("a neighbour");
                stream.write_all(b"hello").expect("a neighbour");
                let mut heard = [0; 5];
                stream.read_exact(&mut heard).expect("an echo");
                assert_eq!(&heard, b"hello");
                stream
            }
        };
        let kept = members[1].0.run(talk((members[2].1, 7).into()));
        while !members.is_empty() {
            for (container, ..) in &members {
                for (_, address, published_at, ..) in &members {
                    container.run(talk((*address, 7).into()));
                    talk(*published_at)();
                }
                if let Some(outside) = outside {
                    container.run(talk((outside, echo_port).into()));
                }
            }
            // The first may be the one that runs the network, and in the end each of them is.
            let (_container, _, _, stop, monitor) = members.remove(0);
            drop(stop);
            monitor.join().expect("a monitor");
            if members.len() == 2 {
                // Connections between containers do not notice.
                let mut stream = &kept;
                stream.write_all(b"again").expect("a neighbour");
                stream.read_exact(&mut [0; 5]).expect("an echo");
            }
        }
    });
}

#[test]
fn forged_frames_go_nowhere() {
    as_everyone("switch::forged_frames_go_nowhere", || {
        let (Some(one), Some(other)) = (Container::new(), Container::new()) else { return };
        let spec = UserNetworkSpec::default();
        let mut network = UserNetwork::new(spec.clone(), Box::new(())).expect("a network");
        for (container, address) in [(&one, ADDRESS), (&other, NEIGHBOUR)] {
            let port = Port::attach(container.netns.as_fd(), &spec, address).expect("a cable");
            network.plug(port).expect("a port");
        }
        let _running = Running::start(network);
        let listener = other.run(|| std::net::UdpSocket::bind(("0.0.0.0", 9)).expect("a socket"));
        one.run(move || {
            // An address that is not this container's, taken by one who may.
            let socket = std::net::UdpSocket::bind("127.9.9.9:0").expect("a socket");
            let forged = socket.send_to(b"forged", (NEIGHBOUR, 9));
            let honest = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
            honest.send_to(b"honest", (NEIGHBOUR, 9)).expect("a route");
            forged.is_ok()
        });
        let mut room = [0; 16];
        let (length, from) = listener.recv_from(&mut room).expect("a datagram");
        assert_eq!((&room[..length], from.ip()), (&b"honest"[..], ADDRESS.into()));
    });
}
