//! UDP, names and pings.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use longshore_usernet::{Names, Port, UserNetwork, UserNetworkSpec};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto, recv, sendto, socket};

use crate::setting::{ADDRESS, Container, Running, as_everyone, connected, connected_with, own_address};

fn ask(to: SocketAddr, question: &[u8]) -> Result<Vec<u8>, ErrorKind> {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    socket.connect(to).expect("a route");
    socket.send(question).expect("a word");
    let mut answer = vec![0; 65_536];
    let length = socket.recv(&mut answer).map_err(|why| why.kind())?;
    answer.truncate(length);
    Ok(answer)
}

/// Answers `count` datagrams with their own bytes, reversed.
fn reverse(socket: UdpSocket, count: usize) {
    thread::spawn(move || {
        let mut room = vec![0; 65_536];
        for _ in 0..count {
            let (length, peer) = socket.recv_from(&mut room).expect("a datagram");
            room[..length].reverse();
            socket.send_to(&room[..length], peer).expect("an answer");
        }
    });
}

#[test]
fn datagrams_of_all_sizes_come_back() {
    as_everyone("datagrams::datagrams_of_all_sizes_come_back", || {
        const SIZES: [usize; 6] = [0, 1, 1472, 1473, 9000, 40_000];
        let Some(outside) = own_address() else { return };
        let Some((container, _running)) = connected(UserNetworkSpec::default()) else { return };
        let server = UdpSocket::bind((outside, 0)).expect("a socket");
        let address = server.local_addr().expect("an address");
        reverse(server, SIZES.len());
        for size in SIZES {
            let said: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let expected: Vec<u8> = said.iter().rev().copied().collect();
            assert_eq!(container.run(move || ask(address, &said)), Ok(expected), "{size} bytes");
        }
    });
}

#[test]
fn a_closed_port_is_told() {
    as_everyone("datagrams::a_closed_port_is_told", || {
        let Some((container, _running)) = connected(UserNetworkSpec::default()) else { return };
        let gateway = SocketAddr::from(([10, 0, 2, 2], 9));
        assert_eq!(container.run(move || ask(gateway, b"?")), Err(ErrorKind::ConnectionRefused));
        let Some(outside) = own_address() else { return };
        let closed = UdpSocket::bind((outside, 0)).expect("a socket").local_addr().expect("an address");
        assert_eq!(container.run(move || ask(closed, b"?")), Err(ErrorKind::ConnectionRefused));
    });
}

/// Knows one question.
struct OneName;

impl Names for OneName {
    fn answer(&mut self, message: &[u8], asker: Ipv4Addr) -> Option<Vec<u8>> {
        (message == b"known").then(|| asker.octets().to_vec())
    }
}

#[test]
fn names_are_answered_here_and_then_by_the_host() {
    as_everyone("datagrams::names_are_answered_here_and_then_by_the_host", || {
        let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let closed = silent.local_addr().expect("an address");
        drop(silent);
        let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let resolvers = vec![closed, server.local_addr().expect("an address")];
        reverse(server, 1);
        let spec = UserNetworkSpec { resolvers, ..UserNetworkSpec::default() };
        let Some((container, _running)) = connected_with(spec, Box::new(OneName)) else { return };
        let dns = SocketAddr::from(([10, 0, 2, 3], 53));
        assert_eq!(container.run(move || ask(dns, b"known")), Ok(vec![10, 0, 2, 100]));
        assert_eq!(container.run(move || ask(dns, b"unknown")), Ok(b"nwonknu".to_vec()));
    });
}

#[test]
fn without_name_servers_questions_fail() {
    as_everyone("datagrams::without_name_servers_questions_fail", || {
        let Some((container, _running)) = connected(UserNetworkSpec::default()) else { return };
        let dns = SocketAddr::from(([10, 0, 2, 3], 53));
        let question = [7, 8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'x', 0, 0, 1, 0, 1];
        let failure = vec![7, 8, 0x81, 0x82, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(container.run(move || ask(dns, &question)), Ok(failure));
    });
}

#[test]
fn the_gateway_answers_pings() {
    as_everyone("datagrams::the_gateway_answers_pings", || {
        let Some((container, _running)) = connected(UserNetworkSpec::default()) else { return };
        let reply = container.run(|| ping(Ipv4Addr::new(10, 0, 2, 2)));
        assert_eq!(reply, [0, 0, 0xed, 0xca, 0x12, 0x34, 0, 1]);
    });
}

/// Sends an echo request and answers the ICMP message that comes back.
fn ping(to: Ipv4Addr) -> Vec<u8> {
    let socket = socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP)).expect("a raw socket");
    // Type 8, checksum, identifier 0x1234, sequence 1.
    let request = [8, 0, 0xe5, 0xca, 0x12, 0x34, 0, 1];
    sendto(&socket, &request, SendFlags::empty(), &SocketAddr::from((to, 0))).expect("a route");
    let mut reply = [0; 64];
    let (length, _) = recv(&socket, &mut reply[..], RecvFlags::empty()).expect("a reply");
    reply[20..length].to_vec()
}

#[test]
fn pings_leave_where_users_may_send_them() {
    as_everyone("datagrams::pings_leave_where_users_may_send_them", || {
        // A namespace plays the host, because this is a setting of the host's.
        let (Some(host), Some(container)) = (Container::new(), Container::new()) else { return };
        let own = Ipv4Addr::new(10, 9, 9, 9);
        let spec = UserNetworkSpec { gateway: Ipv4Addr::new(10, 9, 9, 1), ..UserNetworkSpec::default() };
        let _cable = Port::attach(host.netns.as_fd(), &spec, own).expect("a cable");
        let spec = UserNetworkSpec::default();
        let port = Port::attach(container.netns.as_fd(), &spec, ADDRESS).expect("a cable");
        let mut network = UserNetwork::new(spec, Box::new(())).expect("a network");
        network.plug(port).expect("a port");
        let _running = host.run(|| Running::start(network));
        // A new namespace allows nobody.
        assert_eq!(container.run(move || ping(own))[..2], [3, 13]);
        host.run(|| std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0").expect("a setting"));
        assert_eq!(container.run(move || ping(own)), [0, 0, 0xed, 0xca, 0x12, 0x34, 0, 1]);
    });
}
