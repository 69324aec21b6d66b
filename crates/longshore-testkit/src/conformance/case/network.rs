//! What containers are connected to.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use longshore_engine::{
    Attachment, ContainerId, ContainerSpec, ExecSpec, NetworkMode, PortBinding, Protocol, SandboxId,
    SandboxNetwork,
};

use crate::conformance::check::{Check, Failure, ensure, ensure_eq};
use crate::conformance::{Captured, Context, program};

/// Answers every connection to port 80.
const SERVER: &str = "trap 'exit 0' TERM; nc -ll -p 80 -e echo hello & \
                      until cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ':0050 .* 0A '; do sleep 0.02; done; \
                      echo ready; wait $!";

fn server(context: &Context, sandbox: &SandboxId, name: &str, aliases: &[&str]) -> Check<ContainerId> {
    let mut spec = ContainerSpec { name: Some(context.name(name)), ..context.spec(program::shell(SERVER))? };
    if !aliases.is_empty() {
        spec.network = NetworkMode::Networks(vec![Attachment {
            network: context.name("net"),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            ..Attachment::default()
        }]);
    }
    context.start_ready_in(sandbox, &spec)
}

fn client(context: &Context, sandbox: &SandboxId) -> Check<ContainerId> {
    context.start_ready_in(sandbox, &context.spec(program::serve())?)
}

fn fetch(context: &Context, id: &ContainerId, host: &str) -> Check<Captured> {
    let command = program::shell(&format!("nc -w 5 {host} 80 </dev/null"));
    context.exec_spec(id, &ExecSpec { command, ..ExecSpec::default() })
}

fn reaches(context: &Context, id: &ContainerId, host: &str) -> Check {
    let ran = fetch(context, id, host)?;
    ensure_eq!(
        ran.text(),
        "hello",
        "what `{host}` answers (exit code {}: {})",
        ran.exit.code,
        ran.error_text()
    );
    Ok(())
}

fn address(context: &Context, id: &ContainerId) -> Check<String> {
    let status = context.engine().inspect(id)?;
    let address = status.networks.values().find_map(|network| network.ip);
    address.map(|ip| ip.to_string()).ok_or_else(|| Failure::new("a container has no address"))
}

pub(super) fn names_resolve_in_a_sandbox(context: &Context) -> Check {
    let sandbox = context.sandbox("net", SandboxNetwork::Own)?;
    let client = client(context, &sandbox)?;
    let server = server(context, &sandbox, "server", &[])?;
    for name in [&context.name("server"), server.short(), &address(context, &server)?] {
        reaches(context, &client, name)?;
    }
    let missing = fetch(context, &client, &context.name("nobody"))?;
    ensure!(missing.exit.code != 0, "a name that nobody has resolves");
    context.engine().remove_container(&server, true)?;
    let gone = fetch(context, &client, &context.name("server"))?;
    ensure!(gone.exit.code != 0, "the name of a container that is gone resolves");
    Ok(())
}

pub(super) fn aliases_resolve_in_a_sandbox(context: &Context) -> Check {
    let sandbox = context.sandbox("net", SandboxNetwork::Own)?;
    let client = client(context, &sandbox)?;
    server(context, &sandbox, "server", &["db", "database"])?;
    for name in ["db", "database", &context.name("server")] {
        reaches(context, &client, name)?;
    }
    Ok(())
}

pub(super) fn sandboxes_are_kept_apart(context: &Context) -> Check {
    let (one, two) =
        (context.sandbox("one", SandboxNetwork::Own)?, context.sandbox("two", SandboxNetwork::Own)?);
    let server = server(context, &one, "server", &[])?;
    let near = client(context, &one)?;
    let far = client(context, &two)?;
    let address = address(context, &server)?;
    reaches(context, &near, &address)?;
    for host in [&address, &context.name("server")] {
        let ran = fetch(context, &far, host)?;
        ensure!(ran.text() != "hello", "`{host}` of another sandbox was reached");
    }
    Ok(())
}

pub(super) fn an_internal_network_joins_its_containers(context: &Context) -> Check {
    // How the way out is closed is the engine's choice: by a missing route, or by a filter behind one.
    let sandbox = context.sandbox("net", SandboxNetwork::Internal)?;
    let client = client(context, &sandbox)?;
    server(context, &sandbox, "server", &[])?;
    reaches(context, &client, &context.name("server"))?;
    let outside = context.sandbox("outside", SandboxNetwork::Own)?;
    let server = server(context, &outside, "other", &[])?;
    let ran = fetch(context, &client, &address(context, &server)?)?;
    ensure!(ran.text() != "hello", "a container of another network was reached from an internal one");
    Ok(())
}

pub(super) fn no_network_is_only_the_container(context: &Context) -> Check {
    let script = "grep : /proc/net/dev | cut -d : -f 1 | tr -d ' '";
    let of = |sandbox: &SandboxId, network| -> Check<String> {
        let spec = ContainerSpec { network, ..context.spec(program::shell(script))? };
        Ok(context.run_in(sandbox, &spec)?.text())
    };
    let own = context.sandbox("own", SandboxNetwork::Own)?;
    for found in [of(&context.shared()?, NetworkMode::Default)?, of(&own, NetworkMode::None)?] {
        ensure!(found.lines().any(|line| line == "lo"), "there is no loopback: {found}");
        ensure!(!found.contains("eth"), "there is an interface: {found}");
    }
    ensure!(of(&own, NetworkMode::Default)?.contains("eth0"), "the sandbox's network is not there");
    Ok(())
}

pub(super) fn the_network_of_another_container_is_shared(context: &Context) -> Check {
    let sandbox = context.sandbox("net", SandboxNetwork::Own)?;
    server(context, &sandbox, "server", &[])?;
    let network = NetworkMode::Container(context.name("server"));
    let spec = ContainerSpec { network, ..context.spec(program::serve())? };
    let other = context.start_ready_in(&sandbox, &spec)?;
    reaches(context, &other, "127.0.0.1")
}

pub(super) fn the_network_of_the_machine_is_shared(context: &Context) -> Check {
    let sandbox = context.sandbox("host", SandboxNetwork::Host)?;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let answering = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.write_all(b"machine")
    });
    let script = format!("nc -w 5 127.0.0.1 {port} </dev/null");
    let ran = context.run_in(&sandbox, &context.spec(program::shell(&script))?)?;
    // Nobody else connects, so that the thread ends.
    let _ = std::net::TcpStream::connect(("127.0.0.1", port));
    let _ = answering.join();
    ensure_eq!(ran.text(), "machine", "what the machine answers");
    Ok(())
}

pub(super) fn a_sandbox_can_use_an_existing_network(context: &Context) -> Check {
    let one = context.sandbox("net", SandboxNetwork::Own)?;
    server(context, &one, "server", &[])?;
    let two = context.sandbox("two", SandboxNetwork::Existing(context.name("net")))?;
    let client = client(context, &two)?;
    reaches(context, &client, &context.name("server"))?;
    context.engine().remove_sandbox(&two)?;
    ensure!(
        context.engine().find(&context.name("server")).is_ok(),
        "a container of another sandbox was removed"
    );
    let again = self::client(context, &one)?;
    reaches(context, &again, &context.name("server"))
}

fn published(context: &Context, host_port: Option<u16>) -> Check<ContainerSpec> {
    let binding = PortBinding {
        host_ip: Some([127, 0, 0, 1].into()),
        host_port,
        host_port_last: None,
        container_port: 80,
        protocol: Protocol::Tcp,
    };
    Ok(ContainerSpec { publish: vec![binding], ..context.spec(program::shell(SERVER))? })
}

fn port(context: &Context, id: &ContainerId) -> Check<u16> {
    let ports = context.engine().inspect(id)?.ports;
    let found =
        ports.iter().find(|binding| binding.container_port == 80).and_then(|binding| binding.host_port);
    found.ok_or_else(|| Failure::new(format!("the published ports are {ports:?}")))
}

pub(super) fn published_ports_are_reachable(context: &Context) -> Check {
    let sandbox = context.sandbox("net", SandboxNetwork::Own)?;
    let id = context.start_ready_in(&sandbox, &published(context, None)?)?;
    let port = port(context, &id)?;
    for _ in 0..3 {
        let mut stream = context.connect(port)?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure_eq!(answer, "hello\n", "the answer at the machine's port {port}");
    }
    context.engine().remove_container(&id, true)?;
    context
        .eventually("the port is closed", || Ok(std::net::TcpStream::connect(("127.0.0.1", port)).is_err()))
}

pub(super) fn a_port_is_published_once(context: &Context) -> Check {
    let sandbox = context.sandbox("net", SandboxNetwork::Own)?;
    let first = context.start_ready_in(&sandbox, &published(context, None)?)?;
    let port = port(context, &first)?;
    let spec = published(context, Some(port))?;
    let engine = context.engine();
    // An engine may notice at once or when it starts.
    let error = match engine.create_container(&sandbox, &spec) {
        Ok(id) => engine.start(&id).err(),
        Err(error) => Some(error),
    };
    let fault = error.map(|error| error.fault);
    ensure_eq!(fault, Some(longshore_engine::Fault::Conflict), "publishing a port that is taken");
    engine.remove_container(&first, true)?;
    context.start_ready_in(&sandbox, &spec)?;
    Ok(())
}

pub(super) fn hosts_are_added(context: &Context) -> Check {
    let sandbox = context.sandbox("net", SandboxNetwork::Own)?;
    let spec = ContainerSpec {
        hostname: Some("the-host".to_owned()),
        extra_hosts: vec!["other:10.9.8.7".to_owned()],
        ..context.spec(program::shell("cat /etc/hosts; cat /etc/resolv.conf >&2"))?
    };
    let ran = context.run_in(&sandbox, &spec)?;
    let has = |address: &str, name: &str| {
        ran.text().lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|word| word.starts_with(address)) && words.any(|word| word == name)
        })
    };
    ensure!(has("127.0.0.1", "localhost"), "there is no localhost: {}", ran.text());
    ensure!(has("10.9.8.7", "other"), "there is no added host: {}", ran.text());
    ensure!(has("", "the-host"), "the container does not know its own name: {}", ran.text());
    ensure!(ran.error_text().contains("nameserver"), "there is no name server: {}", ran.error_text());
    Ok(())
}

pub(super) fn status_tells_addresses(context: &Context) -> Check {
    let sandbox = context.sandbox("net", SandboxNetwork::Own)?;
    let id = client(context, &sandbox)?;
    let status = context.engine().inspect(&id)?;
    let name = context.name("net");
    let Some(network) = status.networks.get(&name) else {
        return Err(Failure::new(format!("`{name}` is not among {:?}", status.networks.keys())));
    };
    let Some(ip) = network.ip else { return Err(Failure::new("there is no address")) };
    ensure!(!network.network_id.is_empty() && network.prefix > 0, "the network is {network:?}");
    let ran = context.exec(&id, program::shell("ip -o -4 addr show eth0"))?;
    let wanted = format!("{ip}/{}", network.prefix);
    ensure!(ran.text().contains(&wanted), "the address inside is of {}, expected {wanted}", ran.text());
    let ran = context.exec(&id, program::shell("cat /sys/class/net/eth0/address"))?;
    ensure_eq!(ran.text(), network.mac, "the hardware address inside");
    Ok(())
}
