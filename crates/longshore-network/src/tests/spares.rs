//! Networks that are set aside, taken over, and removed.

use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;

use super::place::{Container, Host, inside, on_host, outside, reaches, spec};
use crate::link::Links;
use crate::nft::Firewall;
use crate::{
    CreateError, Departure, LookupError, Network, NetworkSpec, OverBridge, PortBinding, Ports, RemoveError,
    Zone,
};

/// Who has the spare networks of a test.
const ME: &str = "me";

fn wanted(name: &str) -> NetworkSpec {
    NetworkSpec { name: name.to_owned(), transient: true, ..NetworkSpec::default() }
}

fn bridge(network: &Network) -> String {
    network.bridge.as_ref().unwrap().interface.clone()
}

fn is_there(interface: &str) -> bool {
    Links::open().unwrap().find(interface).unwrap().is_some()
}

impl Host {
    /// Ends a container, as its monitor and the kernel do.
    fn end(&self, network: &Network, container: &Container) {
        self.networks.detach(network, &container.endpoint.container, Departure::Disconnect).unwrap();
    }

    /// A network on which somebody was, set aside.
    fn spare(&self, name: &str) -> Network {
        let network = self.networks.create(&wanted(name)).unwrap();
        let container = self.container(&network, name);
        self.end(&network, &container);
        assert!(self.networks.set_aside(&network, ME).unwrap());
        network
    }
}

#[test]
fn a_network_that_was_set_aside_does_not_exist() {
    on_host(|host| {
        let first = host.networks.create(&wanted("one")).unwrap();
        let web = host.container(&first, "web");
        let refused = host.networks.set_aside(&first, ME).unwrap_err();
        assert!(matches!(refused, RemoveError::InUse { .. }));
        host.end(&first, &web);
        assert!(host.networks.set_aside(&first, ME).unwrap());
        assert!(is_there(&bridge(&first)));
        for text in ["one", first.id.as_str(), first.id.short()] {
            assert!(matches!(host.networks.inspect(text), Err(LookupError::NotFound(_))));
        }
        assert_eq!(host.networks.list().unwrap().len(), 3);
        assert_eq!(host.networks.prune(&|_| true).unwrap(), Vec::<String>::new());
        // Its name is free, and its subnet is not.
        let second = host.networks.create(&wanted("one")).unwrap();
        assert!(!second.bridge.unwrap().subnet.overlaps(first.bridge.as_ref().unwrap().subnet));
        // What cleans up leaves it alone, and so do the rules of others.
        assert!(host.networks.reap(&|_| true).unwrap().is_empty());
        assert!(is_there(&bridge(&first)));
    });
}

#[test]
fn who_takes_a_network_over_finds_it_as_new() {
    on_host(|host| {
        let machine = outside();
        let first = host.networks.create(&wanted("one")).unwrap();
        let mut own = spec("web");
        own.mac = Some("02:00:00:00:00:07".parse().unwrap());
        let netns = super::place::namespace();
        let endpoint = host.networks.attach(&first, &own, netns.as_fd()).unwrap().endpoint;
        let web = Container { netns, endpoint };
        let ports = Ports::reserve(&PortBinding::parse("8080:80").unwrap()).unwrap();
        host.networks.publish(&first, &web.endpoint.container, &ports.published()).unwrap();
        let forwarding = ports.forward(Arc::new(OverBridge(web.endpoint.address))).unwrap();
        // The machine learns who has the address.
        UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"x", (web.endpoint.address, 9)).unwrap();
        drop((forwarding, ports));
        host.end(&first, &web);
        assert!(host.networks.set_aside(&first, ME).unwrap());

        let labels = [("job".to_owned(), "two".to_owned())].into();
        let wish = NetworkSpec { labels, ..wanted("two") };
        assert_eq!(host.networks.take_over(&wish, "another").unwrap(), None);
        let internal = NetworkSpec { internal: true, ..wish.clone() };
        assert_eq!(host.networks.take_over(&internal, ME).unwrap(), None);
        let second = host.networks.take_over(&wish, ME).unwrap().unwrap();
        assert_eq!(host.networks.take_over(&wanted("three"), ME).unwrap(), None, "it was the only one");
        assert_eq!((second.name.as_str(), &second.labels), ("two", &wish.labels));
        assert_ne!(second.id, first.id);
        assert_eq!(second.bridge, first.bridge);
        assert_eq!(host.networks.inspect("two").unwrap(), second);
        assert_eq!(host.networks.endpoints(&second).unwrap(), []);

        let (a, b) = (host.container(&second, "a"), host.container(&second, "b"));
        assert_eq!(a.endpoint.address, web.endpoint.address);
        assert_eq!(a.endpoint.network, second.id);
        // The one before had the same address and another hardware address.
        assert!(answers(&a), "the machine has forgotten its neighbours");
        assert!(reaches(&b.netns, &a.netns, a.endpoint.address).is_some());
        assert_eq!(
            reaches(&a.netns, &machine, Ipv4Addr::new(203, 0, 113, 2)).as_deref(),
            Some("203.0.113.1")
        );
        assert_eq!(inside(&machine, || super::place::call(([203, 0, 113, 1], 8080))), None);
        let zone = Zone::new(&host.networks, &b.endpoint.container);
        let query = |name: &[u8]| [b"\0\x07\x01\0\0\x01\0\0\0\0\0\0", name, b"\0\0\x01\0\x01"].concat();
        assert!(
            zone.answer(&query(b"\x01a"))
                .is_some_and(|answer| answer.ends_with(&a.endpoint.address.octets()))
        );
        assert!(
            zone.answer(&query(b"\x03web"))
                .is_none_or(|answer| !answer.ends_with(&a.endpoint.address.octets()))
        );
        let other = host.network("other");
        let far = host.container(&other, "far");
        assert_eq!(reaches(&far.netns, &a.netns, a.endpoint.address), None);

        host.end(&second, &a);
        host.end(&second, &b);
        host.networks.remove(&second).unwrap();
        assert!(!is_there(&bridge(&second)));
    });
}

/// Whether the machine reaches a container.
fn answers(container: &Container) -> bool {
    let listener = inside(&container.netns, || std::net::TcpListener::bind(("0.0.0.0", 80)).unwrap());
    let server = super::place::serve(listener);
    let answer = super::place::call((container.endpoint.address, 80));
    if answer.is_none() {
        inside(&container.netns, || super::place::call((Ipv4Addr::LOCALHOST, 80)));
    }
    server.join().unwrap();
    answer.is_some()
}

#[test]
fn a_network_with_a_cable_left_is_not_taken_over() {
    on_host(|host| {
        let first = host.networks.create(&wanted("one")).unwrap();
        let web = host.container(&first, "web");
        host.networks.detach(&first, &web.endpoint.container, Departure::Ended).unwrap();
        assert!(host.networks.set_aside(&first, ME).unwrap());
        assert_eq!(host.networks.take_over(&wanted("two"), ME).unwrap(), None);
        Links::open().unwrap().delete(&web.endpoint.host_interface.unwrap()).unwrap();
        assert!(host.networks.take_over(&wanted("two"), ME).unwrap().is_some());
    });
}

#[test]
fn only_few_plain_networks_are_set_aside() {
    on_host(|host| {
        // One that never had a bridge, one with options, the default one.
        let bare = host.networks.create(&wanted("bare")).unwrap();
        assert!(!host.networks.set_aside(&bare, ME).unwrap());
        let subnet = Some("10.9.0.0/24".parse().unwrap());
        let chosen = host.networks.create(&NetworkSpec { subnet, ..wanted("chosen") }).unwrap();
        let default = host.networks.inspect("bridge").unwrap();
        for network in [&chosen, &default] {
            let a = host.container(network, "a");
            host.end(network, &a);
            assert!(!host.networks.set_aside(network, ME).unwrap());
        }
        let spares: Vec<Network> = (0..8).map(|number| host.network_used(&format!("n{number}"))).collect();
        assert!(spares.iter().all(|network| host.networks.set_aside(network, ME).unwrap()));
        let ninth = host.network_used("n8");
        assert!(!host.networks.set_aside(&ninth, ME).unwrap());
        assert_eq!(host.networks.discard_spares(&|_| true).unwrap(), 8);
        assert!(spares.iter().all(|network| !is_there(&bridge(network))));
        assert!(is_there(&bridge(&ninth)));
    });
}

impl Host {
    /// A network on which somebody was.
    fn network_used(&self, name: &str) -> Network {
        let network = self.networks.create(&wanted(name)).unwrap();
        let container = self.container(&network, name);
        self.end(&network, &container);
        network
    }
}

#[test]
fn what_is_in_the_way_of_others_yields() {
    on_host(|host| {
        let spare = host.spare("one");
        let subnet = spare.bridge.as_ref().map(|bridge| bridge.subnet);
        let asked = NetworkSpec { subnet, ..wanted("two") };
        let network = host.networks.create(&asked).unwrap();
        assert!(!is_there(&bridge(&spare)));
        let _a = host.container(&network, "a");
        let again = host.networks.create(&NetworkSpec { subnet, ..wanted("three") });
        assert!(matches!(again, Err(CreateError::Overlap { .. })));
    });
}

#[test]
fn what_a_killed_process_set_aside_is_removed_with_its_rules() {
    on_host(|host| {
        let (one, two) = (host.network_used("one"), host.network_used("two"));
        assert!(host.networks.set_aside(&one, "dead").unwrap());
        assert!(host.networks.set_aside(&two, ME).unwrap());
        let root = host.directory.path().join("networks");
        assert_eq!(host.networks.discard_spares(&|owner| owner == "dead").unwrap(), 1);
        assert!(!is_there(&bridge(&one)) && is_there(&bridge(&two)));
        // Killed between taking over and forgetting the spare one: the bridge is that of the new network.
        let saved = std::fs::read(root.join(format!("{}.spare", two.id))).unwrap();
        let three = host.networks.take_over(&wanted("three"), ME).unwrap().unwrap();
        std::fs::write(root.join(format!("{}.spare", two.id)), saved).unwrap();
        assert_eq!(host.networks.discard_spares(&|_| true).unwrap(), 1);
        assert!(is_there(&bridge(&three)));
        // Killed while it was set aside: it is both, and goes with the network.
        assert!(host.networks.set_aside(&three, ME).unwrap());
        let spare = root.join(format!("{}.spare", three.id));
        std::fs::write(&spare, "").unwrap();
        assert_eq!(host.networks.discard_spares(&|_| true).unwrap(), 0);
        let reaped = host.networks.reap(&|_| false).unwrap();
        assert_eq!(
            (reaped.files, reaped.interfaces),
            (1, vec![bridge(&three)]),
            "of no use after a power cut"
        );
        assert!(!spare.exists());
        let instance = std::fs::read_to_string(root.join("instance")).unwrap();
        let table = crate::ruleset::table_name(&instance);
        assert!(Firewall::open().unwrap().unwrap().has_table(&table).unwrap());
        assert!(host.networks.reap(&|_| false).unwrap().is_empty());
    });
}
