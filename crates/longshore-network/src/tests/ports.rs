//! Published ports.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use super::place::{Container, Host, call, inside, on_host, outside, serve};
use crate::{Forwarding, Network, OverBridge, PortBinding, Ports, PublishedPort, ReserveError};

const WAN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

/// Publishes ports of a container, as its monitor does.
fn publish(
    host: &Host,
    network: &Network,
    container: &Container,
    text: &str,
) -> (Vec<PublishedPort>, Ports, Forwarding) {
    let ports = Ports::reserve(&PortBinding::parse(text).unwrap()).unwrap();
    let published = ports.published();
    let warning = host.networks.publish(network, &container.endpoint.container, &published).unwrap();
    assert_eq!(warning, None);
    let forwarding = ports.forward(Arc::new(OverBridge(container.endpoint.address))).unwrap();
    (published, ports, forwarding)
}

fn call_container(place: &OwnedFd, from: Option<&OwnedFd>, address: impl Into<SocketAddr>) -> Option<String> {
    let address = address.into();
    let listener = inside(place, || TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).unwrap());
    let server = serve(listener);
    let answer = match from {
        Some(from) => inside(from, || call(address)),
        None => call(address),
    };
    if answer.is_none() {
        inside(place, || call((Ipv4Addr::LOCALHOST, 80)));
    }
    server.join().unwrap();
    answer
}

#[test]
fn a_published_port_is_reached_from_everywhere() {
    on_host(|host| {
        let machine = outside();
        let (one, two) = (host.network("one"), host.network("two"));
        let (web, near, far) =
            (host.container(&one, "web"), host.container(&one, "near"), host.container(&two, "far"));
        let (published, ports, forwarding) = publish(host, &one, &web, "8080:80");
        assert_eq!(published.len(), 2);
        let gateway = web.endpoint.gateway;
        // Through the proxy, which speaks with the address of the bridge.
        assert_eq!(call_container(&web.netns, None, (Ipv4Addr::LOCALHOST, 8080)), Some(gateway.to_string()));
        assert_eq!(call_container(&web.netns, None, (Ipv6Addr::LOCALHOST, 8080)), Some(gateway.to_string()));
        assert_eq!(call_container(&web.netns, None, (WAN, 8080)), Some(gateway.to_string()));
        // By rules, which keep the address.
        assert_eq!(call_container(&web.netns, Some(&machine), (WAN, 8080)).as_deref(), Some("203.0.113.2"));
        assert_eq!(
            call_container(&web.netns, Some(&far.netns), (WAN, 8080)),
            Some(gateway.to_string()),
            "another network"
        );
        // A container of the same network, and the container itself.
        assert_eq!(call_container(&web.netns, Some(&near.netns), (WAN, 8080)), Some(gateway.to_string()));
        assert_eq!(call_container(&web.netns, Some(&web.netns), (gateway, 8080)), Some(gateway.to_string()));
        drop((forwarding, ports));
        host.networks.detach(&one, &web.endpoint.container, crate::Departure::Disconnect).unwrap();
        assert_eq!(inside(&machine, || call((WAN, 8080))), None);
    });
}

#[test]
fn a_port_of_the_loopback_is_not_reached_from_outside() {
    on_host(|host| {
        let machine = outside();
        let network = host.network("one");
        let web = host.container(&network, "web");
        let (_, _ports, _forwarding) = publish(host, &network, &web, "127.0.0.1:8080:80");
        assert!(call_container(&web.netns, None, (Ipv4Addr::LOCALHOST, 8080)).is_some());
        assert_eq!(call_container(&web.netns, Some(&machine), (WAN, 8080)), None);
    });
}

#[test]
fn connections_are_carried_whole_and_end_for_each_side() {
    on_host(|host| {
        let network = host.network("one");
        let web = host.container(&network, "web");
        let (published, _ports, _forwarding) = publish(host, &network, &web, "127.0.0.1::80");
        let listener = inside(&web.netns, || TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            stream.read_to_end(&mut request).unwrap();
            stream.write_all(&request).unwrap();
        });
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, published[0].host_port)).unwrap();
        let sent = vec![7; 1_000_000];
        client.write_all(&sent).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert!(answer == sent);
        server.join().unwrap();
    });
}

#[test]
fn datagrams_find_their_way_back() {
    on_host(|host| {
        let machine = outside();
        let network = host.network("one");
        let web = host.container(&network, "web");
        let (_, _ports, _forwarding) = publish(host, &network, &web, "5000:53/udp");
        let server = inside(&web.netns, || UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 53)).unwrap());
        let ask = |address: IpAddr, text: &str| {
            let local: IpAddr =
                if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            let socket = UdpSocket::bind((local, 0)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            socket.connect((address, 5000)).unwrap();
            socket.send(text.as_bytes()).unwrap();
            let mut buffer = [0; 64];
            let (length, client) = server.recv_from(&mut buffer).unwrap();
            server.send_to(&buffer[..length], client).unwrap();
            let length = socket.recv(&mut buffer).unwrap();
            (String::from_utf8_lossy(&buffer[..length]).into_owned(), client.ip().to_string())
        };
        let gateway = web.endpoint.gateway.to_string();
        assert_eq!(ask(Ipv4Addr::LOCALHOST.into(), "one"), ("one".to_owned(), gateway.clone()));
        assert_eq!(ask(Ipv6Addr::LOCALHOST.into(), "two"), ("two".to_owned(), gateway));
        let outside = inside(&machine, || ask(WAN.into(), "three"));
        assert_eq!(outside, ("three".to_owned(), "203.0.113.2".to_owned()));
    });
}

#[test]
fn a_port_in_use_is_told_with_who_has_it() {
    on_host(|_| {
        let first = Ports::reserve(&PortBinding::parse("127.0.0.1:8080:80").unwrap()).unwrap();
        let refused = Ports::reserve(&PortBinding::parse("8080:80").unwrap()).unwrap_err();
        let ReserveError::InUse { port: 8080, holder: Some(holder), .. } = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!(holder.process, std::process::id());
        assert!(
            refused.to_string().starts_with("port 8080/tcp of 0.0.0.0 is already in use by `"),
            "{refused}"
        );
        // Of a range, the first free one is taken.
        let second = Ports::reserve(&PortBinding::parse("8080-8081:80").unwrap()).unwrap();
        assert_eq!(second.published()[0].host_port, 8081);
        let any = Ports::reserve(&PortBinding::parse("80/udp").unwrap()).unwrap();
        assert_eq!(any.published()[0].host_port, any.published()[1].host_port);
        let nowhere = Ports::reserve(&PortBinding::parse("198.51.100.1:80:80").unwrap());
        assert!(matches!(nowhere, Err(ReserveError::NoAddress { .. })));
        drop(first);
        Ports::reserve(&PortBinding::parse("8080:80").unwrap()).unwrap();
    });
}
