//! TCP from containers to the host's world.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::thread;

use longshore_usernet::UserNetworkSpec;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use sha2::{Digest, Sha256};

use crate::setting::{Container, as_everyone, connected, own_address};

const MEGABYTE: usize = 1 << 20;

/// Bytes that are different everywhere, `length` of them, and their digest.
fn send_pattern(mut to: impl Write, length: usize) -> Vec<u8> {
    let mut digest = Sha256::new();
    let mut block = vec![0_u8; 61_441];
    let mut state = 1_u64;
    let mut left = length;
    while left > 0 {
        for word in block.chunks_mut(8) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            word.copy_from_slice(&state.to_le_bytes()[..word.len()]);
        }
        let part = &block[..left.min(block.len())];
        to.write_all(part).expect("a listener");
        digest.update(part);
        left -= part.len();
    }
    digest.finalize().to_vec()
}

fn digest_of(mut from: impl Read) -> (usize, Vec<u8>) {
    let mut digest = Sha256::new();
    let mut block = vec![0_u8; 65_536];
    let mut length = 0;
    loop {
        let count = from.read(&mut block).expect("a sender");
        if count == 0 {
            return (length, digest.finalize().to_vec());
        }
        digest.update(&block[..count]);
        length += count;
    }
}

fn listen(at: Ipv4Addr) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((at, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

fn attempt(container: &Container, to: SocketAddr) -> Result<(), ErrorKind> {
    container.run(move || TcpStream::connect(to).map(drop).map_err(|why| why.kind()))
}

#[test]
fn a_large_stream_arrives_as_it_was_sent() {
    as_everyone("streams::a_large_stream_arrives_as_it_was_sent", || {
        let Some(outside) = own_address() else { return };
        for mtu in [1500, 65520] {
            let spec = UserNetworkSpec { mtu, ..UserNetworkSpec::default() };
            let Some((container, _running)) = connected(spec) else { return };
            let (listener, address) = listen(outside);
            let server = thread::spawn(move || {
                let (stream, _) = listener.accept().expect("a client");
                let received = digest_of(&stream);
                (received, send_pattern(&stream, 100 * MEGABYTE))
            });
            let (sent, received) = container.run(move || {
                let stream = TcpStream::connect(address).expect("a server");
                let sent = send_pattern(&stream, 100 * MEGABYTE);
                stream.shutdown(Shutdown::Write).expect("half a stream");
                (sent, digest_of(&stream))
            });
            let (arrived, answered) = server.join().expect("a server");
            assert_eq!(arrived, (100 * MEGABYTE, sent));
            assert_eq!(received, (100 * MEGABYTE, answered));
        }
    });
}

#[test]
fn a_closed_port_refuses() {
    as_everyone("streams::a_closed_port_refuses", || {
        let Some(outside) = own_address() else { return };
        let Some((container, _running)) = connected(UserNetworkSpec::default()) else { return };
        let (_listener, address) = listen(outside);
        assert_eq!(attempt(&container, address), Ok(()));
        // Bound, so that nobody else listens there meanwhile.
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddrV4::new(outside, 0)).expect("an address");
        let bound = getsockname(&socket).expect("its address");
        let closed = SocketAddr::try_from(bound).expect("an address of the internet");
        assert_eq!(attempt(&container, closed), Err(ErrorKind::ConnectionRefused));
    });
}

#[test]
fn the_loopback_of_the_host_is_out_of_reach() {
    as_everyone("streams::the_loopback_of_the_host_is_out_of_reach", || {
        let (_listener, address) = listen(Ipv4Addr::LOCALHOST);
        let port = address.port();
        let Some((container, running)) = connected(UserNetworkSpec::default()) else { return };
        for to in [[10, 0, 2, 2], [10, 0, 2, 3], [127, 0, 0, 1], [0, 0, 0, 0]] {
            let answer = attempt(&container, (to, port).into());
            assert_eq!(answer, Err(ErrorKind::ConnectionRefused), "{to:?}");
        }
        if let Some(outside) = own_address() {
            assert_eq!(attempt(&container, (outside, port).into()), Err(ErrorKind::ConnectionRefused));
        }
        drop((container, running));
        let spec =
            UserNetworkSpec { host_loopback: Some([10, 0, 2, 4].into()), ..UserNetworkSpec::default() };
        let Some((container, _running)) = connected(spec) else { return };
        assert_eq!(attempt(&container, ([10, 0, 2, 4], port).into()), Ok(()));
        assert_eq!(attempt(&container, ([10, 0, 2, 2], port).into()), Err(ErrorKind::ConnectionRefused));
    });
}

#[test]
fn a_reset_crosses_the_gateway_both_ways() {
    as_everyone("streams::a_reset_crosses_the_gateway_both_ways", || {
        let Some(outside) = own_address() else { return };
        let Some((container, _running)) = connected(UserNetworkSpec::default()) else { return };
        let (listener, address) = listen(outside);
        let reset = |stream: &TcpStream| {
            rustix::net::sockopt::set_socket_linger(stream, Some(std::time::Duration::ZERO))
                .expect("an option");
        };
        let server = thread::spawn(move || {
            let (mut first, _) = listener.accept().expect("a client");
            // Once the client has spoken, its connection stands.
            first.read_exact(&mut [0]).expect("a word");
            reset(&first);
            drop(first);
            let (mut second, _) = listener.accept().expect("a client");
            second.read(&mut [0]).map_err(|why| why.kind())
        });
        let seen = container.run(move || {
            let mut first = TcpStream::connect(address).expect("a server");
            first.write_all(b"x").expect("a server");
            let seen = first.read(&mut [0]).map_err(|why| why.kind());
            let second = TcpStream::connect(address).expect("a server");
            reset(&second);
            seen
        });
        assert_eq!(seen, Err(ErrorKind::ConnectionReset));
        assert_eq!(server.join().expect("a server"), Err(ErrorKind::ConnectionReset));
    });
}

#[test]
fn those_who_do_not_read_stop_those_who_write() {
    as_everyone("streams::those_who_do_not_read_stop_those_who_write", || {
        let Some(outside) = own_address() else { return };
        let Some((container, _running)) = connected(UserNetworkSpec::default()) else { return };
        let (listener, address) = listen(outside);
        let stream = container.run(move || TcpStream::connect(address).expect("a server"));
        let (peer, _) = listener.accept().expect("a client");
        for (writer, reader) in [(&stream, &peer), (&peer, &stream)] {
            writer.set_write_timeout(Some(std::time::Duration::from_millis(500))).expect("a limit");
            let block = vec![7_u8; 65_536];
            let mut written = 0;
            let mut writing = writer;
            while let Ok(count) = writing.write(&block) {
                written += count;
                assert!(written < 64 * MEGABYTE, "nothing stops the writer");
            }
            writer.shutdown(Shutdown::Write).expect("half a stream");
            assert_eq!(digest_of(reader).0, written);
        }
    });
}

#[test]
fn many_connections_work_at_once() {
    as_everyone("streams::many_connections_work_at_once", || {
        const MANY: usize = 500;
        let Some(outside) = own_address() else { return };
        let Some((container, _running)) = connected(UserNetworkSpec::default()) else { return };
        let (listener, address) = listen(outside);
        let server = thread::spawn(move || {
            let serve = |_| {
                let (stream, _) = listener.accept().expect("a client");
                thread::spawn(move || std::io::copy(&mut &stream, &mut &stream).expect("an echo"))
            };
            let echoes: Vec<_> = (0..MANY).map(serve).collect();
            echoes.into_iter().map(|echo| echo.join().expect("an echo")).sum::<u64>()
        });
        let equal = container.run(move || {
            let streams: Vec<TcpStream> =
                (0..MANY).map(|_| TcpStream::connect(address).expect("a server")).collect();
            let talk = |(number, stream): (usize, TcpStream)| {
                thread::spawn(move || {
                    let said: Vec<u8> = (0..40_000).map(|at| (at * 7 + number * 13) as u8).collect();
                    let mut heard = Vec::new();
                    thread::scope(|scope| {
                        scope.spawn(|| {
                            (&stream).write_all(&said).expect("a server");
                            stream.shutdown(Shutdown::Write).expect("half a stream");
                        });
                        (&stream).read_to_end(&mut heard).expect("an echo");
                    });
                    heard == said
                })
            };
            let talks: Vec<_> = streams.into_iter().enumerate().map(talk).collect();
            talks
                .into_iter()
                .filter(|_| true)
                .map(|talk| talk.join().expect("a talk"))
                .filter(|equal| *equal)
                .count()
        });
        assert_eq!(equal, MANY);
        assert_eq!(server.join().expect("a server"), 40_000 * MANY as u64);
    });
}
