//! `longshore network`: bridges of this machine on which containers find each other by name.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use clap::Subcommand;
use longshore_engine::Attachment;
use longshore_engine_native::NativeEngine;
use longshore_format::{Filters, Format, Inspection, Listing, Value, human};
use longshore_network::{Blame as NetworkBlame, Endpoint, Network, NetworkSpec, Networks, Subnet};
use serde_json::json;

use super::container::failure::{Refused, complain, each, plain};
use super::container::{as_switch, confirmed, engine, flags::labels, moment, until};
use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::Failure;

/// Look after networks: on each, containers find each other by name
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore network create web
  longshore container run -d --network web --name db postgres:17
  longshore container run --rm --network web host getent hosts db
  longshore network connect --alias cache web redis
  longshore network rm web")]
pub(super) struct NetworkArgs {
    #[command(subcommand)]
    command: NetworkCommand,
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
    /// Make a network
    #[command(mut_args = as_switch)]
    Create(CreateArgs),
    /// List networks
    #[command(mut_args = as_switch, visible_alias = "list")]
    Ls(ListArgs),
    /// Show everything that is known of networks
    #[command(mut_args = as_switch)]
    Inspect(InspectArgs),
    /// Remove networks that no container is on
    #[command(mut_args = as_switch, visible_alias = "remove")]
    Rm(RemoveArgs),
    /// Remove all networks that no container is on
    #[command(mut_args = as_switch)]
    Prune(PruneArgs),
    /// Connect a container to a network, running or not
    Connect(ConnectArgs),
    /// Disconnect a container from a network
    #[command(mut_args = as_switch)]
    Disconnect(DisconnectArgs),
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// Driver; `bridge` is the only one
    #[arg(short, long, default_value = "bridge")]
    driver: String,
    /// Its addresses: `10.1.2.0/24`
    #[arg(long, value_name = "NETWORK")]
    subnet: Option<Subnet>,
    /// The address of this machine in it
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<Ipv4Addr>,
    /// Where in the subnet addresses of containers are taken from
    #[arg(long, value_name = "NETWORK")]
    ip_range: Option<Subnet>,
    /// An address that no container gets by itself: `NAME=ADDRESS`
    #[arg(long, value_name = "NAME=ADDRESS")]
    aux_address: Vec<String>,
    /// Give it no way to the outside
    #[arg(long)]
    internal: bool,
    /// IPv6, which this engine does not do: refused
    #[arg(long)]
    ipv6: bool,
    /// Containers may be connected by hand; they always may
    #[arg(long, hide = true)]
    attachable: bool,
    /// Set a label: `NAME=value` or `NAME`
    #[arg(long)]
    label: Vec<String>,
    /// Option of the driver by Docker's name: `com.docker.network.driver.mtu=1400`
    #[arg(short, long, value_name = "NAME=VALUE")]
    opt: Vec<String>,
    /// Its name
    name: String,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only ids
    #[arg(short, long)]
    quiet: bool,
    /// Do not shorten ids
    #[arg(long)]
    no_trunc: bool,
    /// Only those that meet a condition: dangling, driver, id, label, name, scope, type
    #[arg(short, long, value_name = "NAME=VALUE")]
    filter: Vec<String>,
    /// `table`, `json`, or a template of Go, with or without `table` before it
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    format: String,
}

#[derive(Debug, clap::Args)]
struct InspectArgs {
    /// A template of Go, or `json`
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    format: String,
    /// Say more, of which there is nothing
    #[arg(short, long, hide = true)]
    verbose: bool,
    /// Networks by name or id
    #[arg(value_name = "NETWORK", required = true)]
    networks: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct RemoveArgs {
    /// One that does not exist is no error
    #[arg(short, long)]
    force: bool,
    /// Networks by name or id
    #[arg(value_name = "NETWORK", required = true)]
    networks: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct PruneArgs {
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Only those that meet a condition: label, label!, until
    #[arg(long, value_name = "NAME=VALUE")]
    filter: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct ConnectArgs {
    /// A further name of the container on it
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// A fixed address
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<Ipv4Addr>,
    /// The network by name or id
    network: String,
    /// The container by name or id
    container: String,
}

#[derive(Debug, clap::Args)]
struct DisconnectArgs {
    /// One that is not connected is no error
    #[arg(short, long)]
    force: bool,
    /// The network by name or id
    network: String,
    /// The container by name or id
    container: String,
}

const LISTING: Listing = Listing {
    titles: &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("CreatedAt", "CREATED AT"),
    ],
    table: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    raw: "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
};

pub(super) fn run(args: &NetworkArgs, session: &mut Session) -> Outcome {
    match &args.command {
        NetworkCommand::Create(args) => create(args, session),
        NetworkCommand::Ls(args) => list(args, session),
        NetworkCommand::Inspect(args) => inspect(args, session),
        NetworkCommand::Rm(args) => remove(args, session),
        NetworkCommand::Prune(args) => prune(args, session),
        NetworkCommand::Connect(args) => connect(args, session),
        NetworkCommand::Disconnect(args) => disconnect(args, session),
    }
}

/// The networks of an engine.
fn networks(engine: &NativeEngine) -> Result<Networks, Failure> {
    Networks::open(&engine.home().join("networks")).map_err(|error| failed(error, NetworkBlame::Environment))
}

/// A failure of the crate of networks.
fn failed(error: impl std::error::Error + 'static, blame: NetworkBlame) -> Failure {
    let (blame, help) = match blame {
        NetworkBlame::User => (Blame::Code(1), None),
        NetworkBlame::Permission => (Blame::Environment, Some("run it as root".to_owned())),
        NetworkBlame::Kernel => {
            (Blame::Environment, Some("see `longshore doctor` for what this kernel lacks".to_owned()))
        }
        NetworkBlame::Environment => (Blame::Environment, None),
    };
    Failure { error: Box::new(error), blame, help, findings: Vec::new() }
}

fn find(networks: &Networks, name: &str) -> Result<Network, Failure> {
    networks.inspect(name).map_err(|error| {
        let blame = error.blame();
        failed(error, blame)
    })
}

fn pairs(flag: &str, texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Refused(format!("`{flag}` cannot be `{text}`: it is not `NAME=VALUE`")).into()),
    };
    texts.iter().map(pair).collect()
}

fn create(args: &CreateArgs, session: &mut Session) -> Outcome {
    let address = |(name, text): (String, String)| match text.parse::<Ipv4Addr>() {
        Ok(address) => Ok((name, address)),
        Err(_) => Err(Refused(format!("`--aux-address` cannot be `{name}={text}`: it is no address"))),
    };
    let reserved = pairs("--aux-address", &args.aux_address)?.into_iter().map(address);
    let spec = NetworkSpec {
        name: args.name.clone(),
        driver: args.driver.clone(),
        subnet: args.subnet,
        gateway: args.gateway,
        ip_range: args.ip_range,
        reserved: reserved.collect::<Result<_, _>>()?,
        internal: args.internal,
        ipv6: args.ipv6,
        transient: false,
        labels: labels(&[], &args.label).map_err(|error| error.code(1))?,
        options: pairs("--opt", &args.opt)?,
    };
    let network = networks(&engine(session)?)?.create(&spec).map_err(|error| {
        let blame = error.blame();
        failed(error, blame)
    })?;
    session.output.data(&format!("{}\n", network.id))?;
    Ok(Exit::Success)
}

fn all(networks: &Networks) -> Result<Vec<Network>, Failure> {
    networks.list().map_err(|error| {
        let blame = error.blame();
        failed(error, blame)
    })
}

fn endpoints(networks: &Networks, network: &Network) -> Result<Vec<Endpoint>, Failure> {
    networks.endpoints(network).map_err(|error| failed(error, NetworkBlame::Environment))
}

fn list(args: &ListArgs, session: &mut Session) -> Outcome {
    let known = ["dangling", "driver", "id", "label", "name", "scope", "type"];
    let filters = Filters::parse(&args.filter, &known)?;
    let dangling = filters.flag("dangling")?;
    let text =
        if args.quiet && matches!(args.format.as_str(), "" | "table") { "{{.ID}}" } else { &args.format };
    let format = Format::parse(text, &LISTING)?;
    let networks = networks(&engine(session)?)?;
    let mut rows = Vec::new();
    for network in all(&networks)? {
        let kind = if network.is_predefined() { "builtin" } else { "custom" };
        let met = filters.exact("driver", network.driver.name())
            && filters.prefix("id", network.id.as_str())
            && filters.labels("label", |name| network.labels.get(name).map(String::as_str))
            && filters.pattern("name", &[network.name.as_str()])
            && filters.exact("scope", "local")
            && filters.exact("type", kind);
        let unused = || -> Result<bool, Failure> {
            Ok(!network.is_predefined() && endpoints(&networks, &network)?.is_empty())
        };
        if met && dangling.map_or(Ok(true), |wanted| unused().map(|unused| unused == wanted))? {
            rows.push(row(&network, args.no_trunc));
        }
    }
    session.output.data(&format.render(&rows)?)?;
    Ok(Exit::Success)
}

fn row(network: &Network, whole: bool) -> Value {
    let labels: Vec<String> = network.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let id = if whole { network.id.as_str() } else { human::short_id(network.id.as_str()) };
    let fields = [
        ("CreatedAt", Value::text(moment::listed(created(network)))),
        ("Driver", Value::text(network.driver.name())),
        ("ID", Value::text(id)),
        ("IPv4", Value::text("true")),
        ("IPv6", Value::text("false")),
        ("Internal", Value::text(network.internal.to_string())),
        ("Labels", Value::text(labels.join(","))),
        ("Name", Value::text(network.name.as_str())),
        ("Scope", Value::text("local")),
        ("Label", Value::lookup(network.labels.clone())),
    ];
    Value::row("*network.networkContext", fields)
}

fn created(network: &Network) -> i128 {
    i128::try_from(network.created.as_nanos()).unwrap_or_default()
}

fn inspect(args: &InspectArgs, session: &mut Session) -> Outcome {
    let format = Inspection::parse(&args.format)?;
    let engine = engine(session)?;
    let networks = networks(&engine)?;
    let (mut documents, mut exit) = (Vec::new(), Exit::Success);
    for name in &args.networks {
        match find(&networks, name) {
            Ok(network) => documents.push(document(&engine, &network, &endpoints(&networks, &network)?)),
            Err(failure) => {
                complain(session, &failure);
                exit = failure.blame.into();
            }
        }
    }
    session.output.data(&format.render(&documents)?)?;
    Ok(exit)
}

fn document(engine: &NativeEngine, network: &Network, endpoints: &[Endpoint]) -> serde_json::Value {
    let config: Vec<serde_json::Value> = network
        .bridge
        .iter()
        .map(|bridge| {
            let mut config = json!({"Subnet": bridge.subnet.to_string(), "Gateway": bridge.gateway});
            if let (Some(range), Some(members)) = (bridge.ip_range, config.as_object_mut()) {
                members.insert("IPRange".to_owned(), range.to_string().into());
            }
            if let (false, Some(members)) = (bridge.reserved.is_empty(), config.as_object_mut()) {
                members.insert("AuxiliaryAddresses".to_owned(), json!(bridge.reserved));
            }
            config
        })
        .collect();
    let containers: BTreeMap<&str, serde_json::Value> = endpoints
        .iter()
        .map(|endpoint| {
            let name = engine.find_container(&endpoint.container).and_then(|id| engine.status(&id));
            let shown = json!({
                "Name": name.map(|status| status.name).unwrap_or_default(),
                "EndpointID": endpoint.id,
                "MacAddress": endpoint.mac.to_string(),
                "IPv4Address": format!("{}/{}", endpoint.address, endpoint.subnet.prefix()),
                "IPv6Address": "",
            });
            (endpoint.container.as_str(), shown)
        })
        .collect();
    json!({
        "Name": network.name,
        "Id": network.id.as_str(),
        "Created": moment::rfc3339(created(network)),
        "Scope": "local",
        "Driver": network.driver.name(),
        "EnableIPv4": true,
        "EnableIPv6": false,
        "IPAM": {"Driver": "default", "Options": {}, "Config": config},
        "Internal": network.internal,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": false,
        "Containers": containers,
        "Options": network.options,
        "Labels": network.labels,
    })
}

fn remove(args: &RemoveArgs, session: &mut Session) -> Outcome {
    let networks = networks(&engine(session)?)?;
    each(session, &args.networks, |_, name| {
        let network = match networks.inspect(name) {
            Err(longshore_network::LookupError::NotFound(_)) if args.force => return Ok(String::new()),
            Err(error) => {
                let blame = error.blame();
                return Err(failed(error, blame));
            }
            Ok(network) => network,
        };
        networks.remove(&network).map_err(|error| {
            let blame = error.blame();
            failed(error, blame)
        })?;
        Ok(name.to_owned())
    })
}

fn prune(args: &PruneArgs, session: &mut Session) -> Outcome {
    let filters = Filters::parse(&args.filter, &["label", "label!", "until"])?;
    let until = until(&filters)?;
    if !args.force && !confirmed(session, "this will remove all networks that no container is on")? {
        return Ok(Exit::Success);
    }
    let networks = networks(&engine(session)?)?;
    let mut deleted = Vec::new();
    for network in all(&networks)? {
        let label = |name: &str| network.labels.get(name).map(String::as_str);
        let meant = !network.is_predefined()
            && until.is_none_or(|until| created(&network) < until)
            && filters.labels("label", label)
            && filters.without_labels("label!", label);
        if meant && endpoints(&networks, &network)?.is_empty() && networks.remove(&network).is_ok() {
            deleted.push(network.name);
        }
    }
    if !deleted.is_empty() {
        session.output.data(&format!("Deleted Networks:\n{}\n\n", deleted.join("\n")))?;
    }
    Ok(Exit::Success)
}

fn connect(args: &ConnectArgs, session: &mut Session) -> Outcome {
    let engine = engine(session)?;
    let network = find(&networks(&engine)?, &args.network)?;
    let id = engine.find_container(&args.container).map_err(plain)?;
    let attachment =
        Attachment { network: network.name, aliases: args.alias.clone(), ip: args.ip, mac: None };
    engine.connect_network(&id, &attachment).map_err(plain)?;
    Ok(Exit::Success)
}

fn disconnect(args: &DisconnectArgs, session: &mut Session) -> Outcome {
    let engine = engine(session)?;
    let id = engine.find_container(&args.container).map_err(plain)?;
    // A network that is gone may still be written down for the container, which could not be started then.
    let (name, gone) = match find(&networks(&engine)?, &args.network) {
        Ok(network) => (network.name, None),
        Err(failure) => (args.network.clone(), Some(failure)),
    };
    match (engine.disconnect_network(&id, &name), gone) {
        (Ok(()), _) => Ok(Exit::Success),
        (Err(error), None) if args.force && error.is_not_found() => Ok(Exit::Success),
        (Err(error), Some(failure)) if error.is_not_found() => Err(failure),
        (Err(error), _) => Err(plain(error)),
    }
}
