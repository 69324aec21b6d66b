//! Who reaches whom.

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd;
use std::process::Command;

use super::place::{Host, call, inside, namespace, on_host, outside, reaches, serve, spec};
use crate::nft::{like_docker, marked};
use crate::{Departure, Network, NetworkSpec, Warning};

#[test]
fn containers_of_one_network_reach_each_other() {
    on_host(|host| {
        let network = host.network("one");
        let (a, b) = (host.container(&network, "a"), host.container(&network, "b"));
        assert_eq!(reaches(&a.netns, &b.netns, b.endpoint.address), Some(a.endpoint.address.to_string()));
        assert_eq!(reaches(&b.netns, &a.netns, a.endpoint.address), Some(b.endpoint.address.to_string()));
    });
}

#[test]
fn networks_are_apart() {
    on_host(|host| {
        let (one, two) = (host.network("one"), host.network("two"));
        let (a, b) = (host.container(&one, "a"), host.container(&two, "b"));
        assert_eq!(reaches(&a.netns, &b.netns, b.endpoint.address), None);
        assert_eq!(reaches(&b.netns, &a.netns, a.endpoint.address), None);
    });
}

#[test]
fn a_container_on_two_networks_reaches_both() {
    on_host(|host| {
        let (one, two) = (host.network("one"), host.network("two"));
        let (a, b) = (host.container(&one, "a"), host.container(&two, "b"));
        let mut second = spec("a");
        second.interface = "eth1".to_owned();
        second.default_route = false;
        host.networks.attach(&two, &second, a.netns.as_fd()).unwrap();
        assert!(reaches(&a.netns, &b.netns, b.endpoint.address).is_some());
        host.networks.detach(&two, &spec("a").container, crate::Departure::Disconnect).unwrap();
        assert_eq!(reaches(&a.netns, &b.netns, b.endpoint.address), None);
    });
}

#[test]
fn outside_is_reached_with_the_address_of_the_machine_and_does_not_reach_in() {
    on_host(|host| {
        let machine = outside();
        let network = host.network("one");
        let a = host.container(&network, "a");
        let answer = reaches(&a.netns, &machine, Ipv4Addr::new(203, 0, 113, 2));
        assert_eq!(answer.as_deref(), Some("203.0.113.1"));
        inside(&machine, || {
            let mut links = crate::link::Links::open().unwrap();
            let index = links.find("eth0").unwrap().unwrap().index;
            links.add_default_route(index, Ipv4Addr::new(203, 0, 113, 1)).unwrap();
        });
        assert_eq!(reaches(&machine, &a.netns, a.endpoint.address), None);
    });
}

#[test]
fn internal_networks_have_no_way_outside() {
    on_host(|host| {
        let machine = outside();
        let spec = NetworkSpec { name: "inner".to_owned(), internal: true, ..NetworkSpec::default() };
        let network: Network = host.networks.create(&spec).unwrap();
        let open = host.network("open");
        let (a, b) = (host.container(&network, "a"), host.container(&network, "b"));
        let c = host.container(&open, "c");
        assert!(reaches(&a.netns, &b.netns, b.endpoint.address).is_some());
        assert_eq!(reaches(&a.netns, &machine, Ipv4Addr::new(203, 0, 113, 2)), None);
        // Not even with a route that the container makes itself.
        host.networks.route_through(&a.endpoint, a.netns.as_fd()).unwrap();
        assert_eq!(reaches(&a.netns, &machine, Ipv4Addr::new(203, 0, 113, 2)), None);
        assert_eq!(reaches(&a.netns, &c.netns, c.endpoint.address), None);
        assert_eq!(reaches(&c.netns, &a.netns, a.endpoint.address), None);
    });
}

#[test]
fn the_loopback_of_the_host_is_out_of_reach() {
    on_host(|host| {
        let network = host.network("one");
        let a = host.container(&network, "a");
        // The worst that a machine can be set to.
        for which in ["all", network.bridge.as_ref().unwrap().interface.as_str()] {
            std::fs::write(format!("/proc/sys/net/ipv4/conf/{which}/route_localnet"), "1").unwrap();
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 8080)).unwrap();
        let server = serve(listener);
        let through_gateway = inside(&a.netns, || {
            // The container does what it can to send such packets.
            std::fs::write("/proc/sys/net/ipv4/conf/all/route_localnet", "1").unwrap();
            let mut links = crate::link::Links::open().unwrap();
            links.delete_address(1, Ipv4Addr::LOCALHOST, 8).unwrap();
            call((Ipv4Addr::LOCALHOST, 8080)).or_else(|| call((a.endpoint.gateway, 8080)))
        });
        assert_eq!(through_gateway, None);
        assert!(call((Ipv4Addr::LOCALHOST, 8080)).is_some());
        server.join().unwrap();
    });
}

#[test]
fn without_inter_container_traffic_only_the_gateway_is_reached() {
    on_host(|host| {
        let mut spec = NetworkSpec { name: "quiet".to_owned(), ..NetworkSpec::default() };
        spec.options.insert("com.docker.network.bridge.enable_icc".to_owned(), "false".to_owned());
        let network = host.networks.create(&spec).unwrap();
        let (a, b) = (host.container(&network, "a"), host.container(&network, "b"));
        assert_eq!(reaches(&a.netns, &b.netns, b.endpoint.address), None);
        let server = serve(TcpListener::bind((a.endpoint.gateway, 8080)).unwrap());
        assert!(inside(&a.netns, || call((a.endpoint.gateway, 8080))).is_some());
        server.join().unwrap();
    });
}

#[test]
fn a_container_of_nobody_reaches_nobody() {
    on_host(|host| {
        let network = host.network("one");
        let a = host.container(&network, "a");
        assert_eq!(reaches(&namespace(), &a.netns, a.endpoint.address), None);
    });
}

#[test]
fn the_firewall_of_docker_lets_containers_through() {
    on_host(|host| {
        like_docker(true);
        let machine = outside();
        let network = host.network("one");
        let (a, b) = (host.container(&network, "a"), host.container(&network, "b"));
        assert!(reaches(&a.netns, &machine, Ipv4Addr::new(203, 0, 113, 2)).is_some());
        assert!(reaches(&a.netns, &b.netns, b.endpoint.address).is_some());
        assert_eq!(passages(host, &network), 2);
        for container in [&a, &b] {
            host.networks.detach(&network, &container.endpoint.container, Departure::Ended).unwrap();
        }
        host.networks.remove(&network).unwrap();
        assert_eq!(passages(host, &network), 0);
    });
}

const BRIDGE_FILTER: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/// Lets what crosses a bridge go through the chains of iptables, if the kernel can. The switch belongs to the network
/// namespace.
fn filter_bridges() -> bool {
    let able = std::fs::write(BRIDGE_FILTER, "1").is_ok();
    if !able {
        eprintln!("skipped: the kernel does not filter what crosses a bridge");
    }
    able
}

/// The number of our rules in chains of others, for a network.
fn passages(host: &Host, network: &Network) -> usize {
    let instance = std::fs::read_to_string(host.directory.path().join("networks/instance")).unwrap();
    marked(&format!("longshore-{instance} {}", network.bridge.as_ref().unwrap().interface))
}

#[test]
fn what_stays_on_an_internal_network_passes_firewalls_that_drop() {
    for docker in [true, false] {
        on_host(|host| {
            like_docker(docker);
            filter_bridges();
            let machine = outside();
            let spec = NetworkSpec { name: "inner".to_owned(), internal: true, ..NetworkSpec::default() };
            let network = host.networks.create(&spec).unwrap();
            let (a, b) = (host.container(&network, "a"), host.container(&network, "b"));
            assert!(reaches(&a.netns, &b.netns, b.endpoint.address).is_some(), "Docker's chain: {docker}");
            assert_eq!(passages(host, &network), 1);
            // Neither out nor in, whatever routes there are.
            host.networks.route_through(&a.endpoint, a.netns.as_fd()).unwrap();
            assert_eq!(reaches(&a.netns, &machine, Ipv4Addr::new(203, 0, 113, 2)), None);
            inside(&machine, || {
                let mut links = crate::link::Links::open().unwrap();
                let index = links.find("eth0").unwrap().unwrap().index;
                links.add_default_route(index, Ipv4Addr::new(203, 0, 113, 1)).unwrap();
            });
            assert_eq!(reaches(&machine, &a.netns, a.endpoint.address), None);
            for container in [&a, &b] {
                host.networks.detach(&network, &container.endpoint.container, Departure::Ended).unwrap();
            }
            host.networks.remove(&network).unwrap();
            assert_eq!(passages(host, &network), 0);
        });
    }
}

#[test]
fn a_firewall_that_drops_is_told_of_and_keeps_no_neighbours_apart() {
    on_host(|host| {
        like_docker(false);
        filter_bridges();
        let machine = outside();
        let network = host.network("one");
        let join = |name| {
            let netns = namespace();
            let attachment = host.networks.attach(&network, &spec(name), netns.as_fd()).unwrap();
            assert!(matches!(attachment.warnings[..], [Warning::ForeignFirewall { .. }]));
            (netns, attachment.endpoint)
        };
        let ((a, _), (b, endpoint)) = (join("a"), join("b"));
        assert!(reaches(&a, &b, endpoint.address).is_some());
        assert_eq!(reaches(&a, &machine, Ipv4Addr::new(203, 0, 113, 2)), None);
        assert_eq!(passages(host, &network), 1);
    });
}

#[test]
fn an_older_firewall_that_drops_is_told_of() {
    on_host(|host| {
        let set = Command::new("iptables-legacy").args(["-P", "FORWARD", "DROP"]).output();
        if !set.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: there is no older iptables");
            return;
        }
        let inner = NetworkSpec { name: "inner".to_owned(), internal: true, ..NetworkSpec::default() };
        let (inner, open) = (host.networks.create(&inner).unwrap(), host.network("open"));
        let told = |network: &Network| {
            let attachment = host.networks.attach(network, &spec("a"), namespace().as_fd()).unwrap();
            assert_eq!(passages(host, network), 0);
            let bridge_filter = |warning: &Warning| matches!(warning, Warning::ForeignBridgeFilter { .. });
            let firewall = |warning: &Warning| matches!(warning, Warning::ForeignFirewall { .. });
            let any = |kind: &dyn Fn(&Warning) -> bool| attachment.warnings.iter().any(kind);
            (any(&bridge_filter), any(&firewall))
        };
        if filter_bridges() {
            assert_eq!((told(&inner), told(&open)), ((true, false), (true, true)));
            std::fs::write(BRIDGE_FILTER, "0").unwrap();
        }
        for network in [&inner, &open] {
            // They are there if the kernel filters bridges.
            let _ = host.networks.detach(network, &spec("a").container, Departure::Ended);
        }
        assert_eq!((told(&inner), told(&open)), ((false, false), (false, true)));
    });
}
