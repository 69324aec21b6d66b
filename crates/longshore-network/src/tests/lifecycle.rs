//! Networks and endpoints as they come and go.

use std::os::fd::AsFd;
use std::sync::Barrier;
use std::thread;

use super::place::{inside, namespace, on_host, reaches, spec};
use crate::link::Links;
use crate::nft::Firewall;
use crate::{
    AttachError, CreateError, Departure, LookupError, NetworkSpec, Networks, RemoveError, Subnet, Zone,
};

#[test]
fn the_predefined_networks_are_always_there() {
    on_host(|host| {
        let names: Vec<String> =
            host.networks.list().unwrap().into_iter().map(|network| network.name).collect();
        assert_eq!(names, ["bridge", "host", "none"]);
        let bridge = host.networks.inspect("bridge").unwrap();
        assert_eq!(bridge.bridge.as_ref().unwrap().subnet.to_string(), "172.17.0.0/16");
        assert_eq!(host.networks.inspect(bridge.id.short()).unwrap(), bridge);
        assert!(matches!(host.networks.remove(&bridge), Err(RemoveError::Predefined(_))));
        let a = host.container(&bridge, "a");
        assert_eq!(a.endpoint.address.to_string(), "172.17.0.2");
        assert_eq!(a.endpoint.mac.to_string(), "02:42:ac:11:00:02");
        assert!(Links::open().unwrap().find("longshore0").unwrap().unwrap().up);
        let other = host.networks.inspect("host").unwrap();
        let refused = host.networks.attach(&other, &spec("b"), namespace().as_fd());
        assert!(matches!(refused, Err(AttachError::NoBridge(_))));
    });
}

#[test]
fn a_second_home_takes_other_names_and_subnets() {
    on_host(|host| {
        let first = host.container(&host.networks.inspect("bridge").unwrap(), "a");
        let other = Networks::open(&host.directory.path().join("other")).unwrap();
        let netns = namespace();
        let second = other.attach(&other.inspect("bridge").unwrap(), &spec("b"), netns.as_fd()).unwrap();
        assert!(!first.endpoint.subnet.overlaps(second.endpoint.subnet));
        assert_ne!(other.inspect("bridge").unwrap().bridge.unwrap().interface, "longshore0");
        assert_eq!(reaches(&netns, &first.netns, first.endpoint.address), None);
    });
}

#[test]
fn a_subnet_that_was_chosen_and_is_taken_meanwhile_is_chosen_anew() {
    on_host(|host| {
        // Two homes plan the same subnet while no bridge exists.
        let other = Networks::open(&host.directory.path().join("other")).unwrap();
        let planned = other.inspect("bridge").unwrap();
        let first = host.container(&host.networks.inspect("bridge").unwrap(), "a");
        assert!(planned.bridge.as_ref().unwrap().subnet.overlaps(first.endpoint.subnet));
        let netns = namespace();
        let second = other.attach(&planned, &spec("b"), netns.as_fd()).unwrap();
        assert!(!first.endpoint.subnet.overlaps(second.endpoint.subnet));
    });
}

#[test]
fn homes_that_begin_at_the_same_time_get_subnets_of_their_own() {
    on_host(|host| {
        let all_ready = Barrier::new(8);
        let subnets: Vec<Subnet> = thread::scope(|scope| {
            let (host, all_ready) = (&host, &all_ready);
            let begin = move |at: usize| {
                let networks = Networks::open(&host.directory.path().join(at.to_string())).unwrap();
                let network =
                    NetworkSpec { name: "job".to_owned(), transient: true, ..NetworkSpec::default() };
                let network = networks.create(&network).unwrap();
                let netns = namespace();
                all_ready.wait();
                networks.attach(&network, &spec("a"), netns.as_fd()).unwrap().endpoint.subnet
            };
            let threads: Vec<_> = (0..8).map(|at| scope.spawn(move || begin(at))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (at, subnet) in subnets.iter().enumerate() {
            assert!(subnets.iter().skip(at + 1).all(|other| !subnet.overlaps(*other)), "{subnets:?}");
        }
    });
}

#[test]
fn networks_of_jobs_leave_the_pools_whole() {
    on_host(|host| {
        let create = |name: String, transient| {
            let spec = NetworkSpec { name, transient, ..NetworkSpec::default() };
            host.networks.create(&spec).unwrap().bridge.unwrap().subnet.to_string()
        };
        let jobs: Vec<String> = (0..40).map(|at| create(format!("job-{at}"), true)).collect();
        assert_eq!((jobs[0].as_str(), jobs[39].as_str()), ("192.168.240.0/24", "192.168.215.0/24"));
        assert_eq!(create("mine".to_owned(), false), "172.18.0.0/16");
    });
}

#[test]
fn homes_may_be_more_than_there_are_pools() {
    on_host(|host| {
        let mut subnets: Vec<Subnet> = Vec::new();
        for home in 0..34 {
            let networks = Networks::open(&host.directory.path().join(home.to_string())).unwrap();
            let (netns, bridge) = (namespace(), networks.inspect("bridge").unwrap());
            let subnet = networks.attach(&bridge, &spec("a"), netns.as_fd()).unwrap().endpoint.subnet;
            assert!(subnets.iter().all(|other| !subnet.overlaps(*other)), "{subnet} {subnets:?}");
            subnets.push(subnet);
        }
    });
}

#[test]
fn who_had_an_address_before_does_not_answer_for_it() {
    on_host(|host| {
        let network = host.network("n");
        let (other, first) = (host.container(&network, "a"), host.container(&network, "b"));
        // It has ended; what is left of its namespace is there as long as anything holds it.
        host.networks.detach(&network, &first.endpoint.container, Departure::Ended).unwrap();
        let second = host.container(&network, "c");
        assert_eq!(second.endpoint.address, first.endpoint.address);
        assert!(inside(&first.netns, || Links::open().unwrap().find("eth0").unwrap().is_none()));
        let answer = reaches(&other.netns, &second.netns, second.endpoint.address);
        assert_eq!(answer, Some(other.endpoint.address.to_string()));
    });
}

#[test]
fn names_subnets_and_options_are_checked() {
    on_host(|host| {
        let create = |change: &dyn Fn(&mut NetworkSpec)| {
            let mut spec = NetworkSpec { name: "n".to_owned(), ..NetworkSpec::default() };
            change(&mut spec);
            host.networks.create(&spec)
        };
        create(&|spec| spec.subnet = Some("10.9.0.0/24".parse().unwrap())).unwrap();
        let named = |spec: &mut NetworkSpec| spec.name = "m".to_owned();
        assert!(matches!(create(&|_| ()), Err(CreateError::Exists { .. })));
        assert!(matches!(create(&|spec| spec.name = "host".to_owned()), Err(CreateError::Exists { .. })));
        assert!(matches!(create(&|spec| spec.name = "a/b".to_owned()), Err(CreateError::Name(_))));
        assert!(matches!(
            create(&|spec| {
                named(spec);
                spec.subnet = Some("10.9.0.128/25".parse().unwrap());
            }),
            Err(CreateError::Overlap { .. })
        ));
        assert!(matches!(
            create(&|spec| {
                named(spec);
                spec.gateway = Some("10.8.0.1".parse().unwrap());
            }),
            Err(CreateError::NoSubnet { .. })
        ));
        assert!(matches!(
            create(&|spec| {
                named(spec);
                spec.subnet = Some("10.8.0.0/24".parse().unwrap());
                spec.gateway = Some("10.8.1.1".parse().unwrap());
            }),
            Err(CreateError::Outside { .. })
        ));
        assert!(matches!(
            create(&|spec| {
                named(spec);
                spec.options.insert("com.docker.network.bridge.colour".to_owned(), "red".to_owned());
            }),
            Err(CreateError::UnknownOption(_))
        ));
        assert!(matches!(host.networks.inspect("nope"), Err(LookupError::NotFound(_))));
    });
}

#[test]
fn what_a_machine_left_empty_that_lost_its_power_is_no_network() {
    on_host(|host| {
        let spec = NetworkSpec { name: "lost".to_owned(), transient: true, ..NetworkSpec::default() };
        let lost = host.networks.create(&spec).unwrap();
        let file = host.networks.directory().path().join(format!("{}.json", lost.id));
        std::fs::write(&file, "").unwrap();
        assert!(matches!(host.networks.inspect("lost"), Err(LookupError::NotFound(_))));
        assert!(host.networks.reap(&|_| true).unwrap().files >= 2, "the network and its leases");
        assert!(!file.exists());
        host.networks.create(&spec).unwrap();
    });
}

#[test]
fn a_network_in_use_stays() {
    on_host(|host| {
        let network = host.network("one");
        let _a = host.container(&network, "web");
        let refused = host.networks.remove(&network).unwrap_err();
        assert_eq!(refused.to_string(), "network one has active endpoints: web");
        assert_eq!(host.networks.prune(&|_| true).unwrap(), Vec::<String>::new());
        host.networks.detach(&network, &spec("web").container, Departure::Ended).unwrap();
        host.networks.remove(&network).unwrap();
        host.networks.remove(&network).unwrap();
        let interface = network.bridge.unwrap().interface;
        assert_eq!(Links::open().unwrap().find(&interface).unwrap(), None);
    });
}

#[test]
fn wanted_addresses_are_given_once() {
    on_host(|host| {
        let subnet = Some("10.9.0.0/24".parse().unwrap());
        let network = host
            .networks
            .create(&NetworkSpec { name: "n".to_owned(), subnet, ..NetworkSpec::default() })
            .unwrap();
        let mut wish = spec("a");
        wish.ip = Some("10.9.0.77".parse().unwrap());
        wish.mac = Some("02:00:00:00:00:07".parse().unwrap());
        let netns = namespace();
        let endpoint = host.networks.attach(&network, &wish, netns.as_fd()).unwrap().endpoint;
        assert_eq!(
            (endpoint.address.to_string(), endpoint.mac.to_string()),
            ("10.9.0.77".to_owned(), "02:00:00:00:00:07".to_owned())
        );
        let again = host.networks.attach(&network, &wish, netns.as_fd());
        assert!(matches!(again, Err(AttachError::Attached(_))));
        wish.container = "b".repeat(64);
        let taken = host.networks.attach(&network, &wish, namespace().as_fd());
        assert!(matches!(taken, Err(AttachError::Address { .. })));
        assert_eq!(host.networks.endpoints(&network).unwrap(), [endpoint]);
    });
}

#[test]
fn what_failed_leaves_nothing() {
    on_host(|host| {
        let network = host.network("one");
        let a = host.container(&network, "a");
        // An interface of that name is there already.
        let mut second = spec("b");
        second.interface = "lo".to_owned();
        assert!(matches!(
            host.networks.attach(&network, &second, a.netns.as_fd()),
            Err(AttachError::Kernel(_))
        ));
        assert_eq!(host.networks.endpoints(&network).unwrap().len(), 1);
        let ports = Links::open().unwrap().all().unwrap().iter().filter(|link| link.master.is_some()).count();
        assert_eq!(ports, 1);
    });
}

#[test]
fn rules_and_bridges_that_somebody_removed_come_back() {
    on_host(|host| {
        let network = host.network("one");
        let _first = host.container(&network, "a");
        let instance = std::fs::read_to_string(host.directory.path().join("networks/instance")).unwrap();
        let table = crate::ruleset::table_name(&instance);
        let mut firewall = Firewall::open().unwrap().unwrap();
        assert!(firewall.has_table(&table).unwrap());
        firewall.remove(&table).unwrap();
        assert!(!firewall.has_table(&table).unwrap());
        let second = host.container(&network, "b");
        assert!(firewall.has_table(&table).unwrap());
        // The bridge is removed while containers run.
        Links::open().unwrap().delete(&network.bridge.as_ref().unwrap().interface).unwrap();
        let third = host.container(&network, "c");
        assert!(reaches(&third.netns, &second.netns, second.endpoint.address).is_some());
        Links::open().unwrap().set_down(&network.bridge.as_ref().unwrap().interface).unwrap();
        let fourth = host.container(&network, "d");
        assert!(reaches(&fourth.netns, &second.netns, second.endpoint.address).is_some());
    });
}

#[test]
fn the_name_of_a_bridge_can_be_asked_for() {
    on_host(|host| {
        let named = |name: &str, bridge: &str| {
            let mut spec = NetworkSpec { name: name.to_owned(), ..NetworkSpec::default() };
            spec.options.insert("com.docker.network.bridge.name".to_owned(), bridge.to_owned());
            host.networks.create(&spec)
        };
        let network = named("one", "br-one").unwrap();
        let _a = host.container(&network, "a");
        assert!(Links::open().unwrap().find("br-one").unwrap().unwrap().up);
        assert!(matches!(named("long", "a-name-too-long-"), Err(CreateError::Option { .. })));
        assert!(matches!(named("two", "br-one"), Err(CreateError::Interface { .. })));
        let lost = named("two", "lo").unwrap();
        let refused = host.networks.attach(&lost, &spec("b"), namespace().as_fd());
        assert!(matches!(refused, Err(AttachError::BringUp { .. })), "{refused:?}");
    });
}

#[test]
fn what_killed_processes_left_is_reaped() {
    on_host(|host| {
        let network = host.network("one");
        let (a, b) = (host.container(&network, "a"), host.container(&network, "b"));
        let root = host.directory.path().join("networks");
        std::fs::write(root.join(".new-x"), "half").unwrap();
        std::fs::write(root.join(network.id.as_str()).join(".new-y"), "half").unwrap();
        let reaped = host.networks.reap(&|container| container == b.endpoint.container).unwrap();
        assert_eq!(reaped.leases, [format!("one {} {}", a.endpoint.address, a.endpoint.container)]);
        assert_eq!(reaped.interfaces, [a.endpoint.host_interface.unwrap()]);
        assert_eq!(reaped.files, 2);
        assert!(host.networks.reap(&|container| container == b.endpoint.container).unwrap().is_empty());
        // A bridge whose network was being removed.
        host.networks.detach(&network, &b.endpoint.container, Departure::Disconnect).unwrap();
        std::fs::remove_file(root.join(format!("{}.json", network.id))).unwrap();
        let reaped = host.networks.reap(&|_| false).unwrap();
        assert_eq!(reaped.interfaces, [network.bridge.unwrap().interface]);
        assert!(host.networks.reap(&|_| false).unwrap().is_empty());
    });
}

#[test]
fn bridges_of_homes_that_are_gone_are_removed() {
    on_host(|host| {
        let path = host.directory.path().join("other");
        let other = Networks::open(&path).unwrap();
        let bridge = other.inspect("bridge").unwrap();
        other.attach(&bridge, &spec("a"), namespace().as_fd()).unwrap();
        other.detach(&bridge, &spec("a").container, Departure::Ended).unwrap();
        for port in Links::open().unwrap().all().unwrap().iter().filter(|link| link.master.is_some()) {
            Links::open().unwrap().delete(&port.name).unwrap();
        }
        assert!(host.networks.reap(&|_| true).unwrap().is_empty());
        std::fs::remove_dir_all(&path).unwrap();
        assert_eq!(host.networks.reap(&|_| true).unwrap().interfaces, ["longshore0"]);
    });
}

#[test]
fn subnets_of_homes_that_are_gone_are_free_again() {
    on_host(|host| {
        let mut links = Links::open().unwrap();
        let gateway = "128.0.0.1".parse().unwrap();
        let bridge = links.create_bridge("ls-gone", gateway, None).unwrap();
        links.add_address(bridge, gateway, "128.0.0.0/1".parse().unwrap()).unwrap();
        links.set_up(bridge).unwrap();
        for transient in [true, false] {
            let spec = NetworkSpec { name: "mine".to_owned(), transient, ..NetworkSpec::default() };
            assert!(matches!(host.networks.create(&spec), Err(CreateError::Exhausted)));
        }
        let path = host.directory.path().join("gone");
        assert!(links.christen(bridge, "ls-gone", &format!("longshore 1 2 {}", path.display())).unwrap());
        host.network("mine");
        assert_eq!(links.find("ls-gone").unwrap(), None);
    });
}

#[test]
fn twenty_containers_at_once_get_twenty_addresses() {
    on_host(|host| {
        let network = host.network("one");
        let _first = host.container(&network, "first");
        let places: Vec<_> = (0..20).map(|_| namespace()).collect();
        std::thread::scope(|scope| {
            for (at, place) in places.iter().enumerate() {
                let (network, networks) = (&network, &host.networks);
                scope.spawn(move || {
                    networks.attach(network, &spec(&format!("c{at}x")), place.as_fd()).unwrap()
                });
            }
        });
        let mut addresses: Vec<_> =
            host.networks.endpoints(&network).unwrap().iter().map(|endpoint| endpoint.address).collect();
        addresses.dedup();
        assert_eq!(addresses.len(), 21);
        for at in 0..20 {
            let container = spec(&format!("c{at}x")).container;
            host.networks.detach(&network, &container, Departure::Ended).unwrap();
        }
        let place = namespace();
        let again = host.networks.attach(&network, &spec("one"), place.as_fd()).unwrap();
        assert!(addresses.contains(&again.endpoint.address));
        assert!(inside(&place, || Links::open().unwrap().find("eth0").unwrap().unwrap().up));
    });
}

#[test]
fn a_place_can_be_had_without_the_kernel() {
    // As an ordinary user, too.
    let directory = tempfile::tempdir().unwrap();
    let networks = Networks::open(directory.path()).unwrap();
    let network = networks.create(&NetworkSpec { name: "one".to_owned(), ..NetworkSpec::default() }).unwrap();
    let (a, b) =
        (networks.register(&network, &spec("a")).unwrap(), networks.register(&network, &spec("b")).unwrap());
    assert_ne!(a.address, b.address);
    assert_eq!(networks.endpoints_of(&a.container).unwrap(), std::slice::from_ref(&a));
    let mut query = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01b\0\0\x01\0\x01".to_vec();
    let zone = Zone::new(&networks, &a.container);
    assert!(zone.answer(&query).unwrap().ends_with(&b.address.octets()));
    networks.detach(&network, &b.container, Departure::Disconnect).unwrap();
    assert_eq!(zone.answer(&query), None);
    query.truncate(3);
    assert_eq!(zone.answer(&query), None);
    assert_eq!(networks.reap(&|_| false).unwrap().leases.len(), 1);
    networks.remove(&network).unwrap();
    let mut wrong = spec("c");
    wrong.container = "../c".to_owned();
    assert!(matches!(networks.register(&network, &wrong), Err(AttachError::Name(_))));
}
