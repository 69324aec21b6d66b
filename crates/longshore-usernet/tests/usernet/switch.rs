//! Between the containers of one network.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread;

use longshore_usernet::{Port, UserNetwork, UserNetworkSpec};

use crate::setting::{ADDRESS, Container, Running, as_everyone};

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
