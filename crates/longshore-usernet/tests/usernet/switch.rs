//! Between the containers of one network.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

use longshore_usernet::{Membership, Port, UserNetwork, UserNetworkSpec};

use crate::setting::{ADDRESS, Container, INSIDE, Running, as_everyone, own_address, pipe};

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
            let (stopped, stop) = pipe();
            let spec = spec.clone();
            let monitor = thread::spawn(move || {
                membership
                    .run(|| UserNetwork::new(spec.clone(), Box::new(())), || {}, stopped)
                    .expect("a network");
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
        let listener = other.run(|| UdpSocket::bind(("0.0.0.0", 9)).expect("a socket"));
        let own = [2, 0x42, 10, 0, 2, 100];
        let gateway = [2, 0x42, 10, 0, 2, 2];
        listener.set_read_timeout(Some(std::time::Duration::from_millis(200))).expect("an option");
        let mut room = [0; 16];
        // Datagrams may get lost, as anywhere; those of the honest come through in the end, and no others before them.
        let heard = (0..50).find_map(|_| {
            one.run(move || {
                let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
                let index = rustix::net::netdevice::name_to_index(&socket, "eth0").expect("a device");
                let raw = longshore_sys::packet_socket(index).expect("a packet socket");
                for (hardware, address) in
                    [(own, [10, 0, 2, 50]), (gateway, [10, 0, 2, 100]), (own, [10, 0, 2, 100])]
                {
                    rustix::io::write(&raw, &frame(hardware, address)).expect("a frame");
                }
            });
            listener.recv_from(&mut room).ok()
        });
        let (length, from) = heard.expect("a datagram");
        assert_eq!((&room[..length], from.ip(), from.port()), (&b"hi"[..], ADDRESS.into(), 1));
    });
}

/// A frame to the neighbour with a datagram to port 9, from whom one likes.
fn frame(hardware: [u8; 6], address: [u8; 4]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0, 0];
    packet.extend([address, NEIGHBOUR.octets()].concat());
    let sum: u32 = packet.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    // From port 1 to port 9, without a checksum.
    packet.extend([0, 1, 0, 9, 0, 10, 0, 0, b'h', b'i']);
    [&[0; 10][..], &[2, 0x42, 10, 0, 2, 101], &hardware, &[8, 0], &packet].concat()
}

/// Names the network's directory to the process that is going to be killed.
const KILLED: &str = "LONGSHORE_USERNET_KILLED";

/// What that process says when it runs the network.
const RUNS: &str = "it runs the network";

/// Runs the network of a directory until it is killed.
fn run_until_killed(directory: &std::path::Path) {
    let container = Container::new().expect("a container");
    let spec = UserNetworkSpec::default();
    let port = Port::attach(container.netns.as_fd(), &spec, NEIGHBOUR).expect("a cable");
    let (stopped, _stop) = pipe();
    let make = || {
        writeln!(std::io::stdout(), "\n{RUNS}").expect("a listener");
        UserNetwork::new(spec.clone(), Box::new(()))
    };
    Membership::new(directory, port).run(make, || {}, stopped).expect("a network");
}

#[test]
fn a_killed_monitor_is_replaced() {
    as_everyone("switch::a_killed_monitor_is_replaced", || {
        if let Some(directory) = std::env::var_os(KILLED) {
            return run_until_killed(directory.as_ref());
        }
        let (Some(outside), Some(container)) = (own_address(), Container::new()) else { return };
        let directory = tempfile::tempdir().expect("a directory");
        let mut killed = Command::new(std::env::current_exe().expect("this program"))
            .args(["switch::a_killed_monitor_is_replaced", "--exact", "--nocapture"])
            .env(INSIDE, "1")
            .env(KILLED, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let said = BufReader::new(killed.stdout.take().expect("its words"));
        assert!(said.lines().any(|line| line.expect("a line") == RUNS));

        let listener = TcpListener::bind((outside, 0)).expect("a listener");
        let to = listener.local_addr().expect("an address");
        let spec = UserNetworkSpec::default();
        let port = Port::attach(container.netns.as_fd(), &spec, ADDRESS).expect("a cable");
        let membership = Membership::new(directory.path(), port);
        let (stopped, stop) = pipe();
        let monitor = thread::spawn(move || {
            membership
                .run(|| UserNetwork::new(spec.clone(), Box::new(())), || {}, stopped)
                .expect("a network");
        });
        let mut before =
            container.run(move || TcpStream::connect(to).expect("a way through the other process"));
        killed.kill().expect("a kill");
        killed.wait().expect("an end");
        container.run(move || TcpStream::connect(to).map(drop).expect("a way through this process"));
        // Nobody knows the former connection any more, and that is told.
        let told = before.write_all(b"?").and_then(|()| before.read(&mut [0]));
        assert!(told.is_err(), "{told:?}");
        drop(stop);
        monitor.join().expect("a monitor");
    });
}

#[test]
fn a_cable_ends_with_its_port() {
    as_everyone("switch::a_cable_ends_with_its_port", || {
        let Some(container) = Container::new() else { return };
        let spec = UserNetworkSpec::default();
        // The second would be refused if anything were left of the first.
        for _ in 0..2 {
            let port = Port::attach(container.netns.as_fd(), &spec, ADDRESS).expect("a cable");
            let refused =
                Port::attach(container.netns.as_fd(), &spec, ADDRESS).expect_err("there is an eth0");
            assert_eq!(refused.to_string(), "failed to make the cable of uplink");
            drop(port);
            // The kernel takes namespaces apart in its own time.
            let devices = || std::fs::read_to_string("/proc/thread-self/net/dev").expect("devices");
            while container.run(devices).contains("eth0") {
                thread::yield_now();
            }
        }
    });
}
