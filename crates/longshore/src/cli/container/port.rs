//! `longshore container port`.

use longshore_engine::PortBinding;

use super::failure::{Refused, plain};
use crate::cli::{Outcome, Session};
use crate::exit::Exit;

/// Show where the ports of a container are reachable
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore container port web
  longshore container port web 80/tcp")]
pub(super) struct PortArgs {
    /// The container by name or id
    container: String,

    /// One port of it: `80` or `53/udp`
    #[arg(value_name = "PORT[/PROTOCOL]")]
    port: Option<String>,
}

pub(super) fn run(args: &PortArgs, session: &mut Session) -> Outcome {
    let engine = super::engine(session)?;
    let id = super::find(&engine, &args.container).map_err(plain)?;
    let mut ports = engine.status(&id).map_err(plain)?.ports;
    ports.sort_by_key(|it| (it.container_port, it.protocol, it.host_ip, it.host_port));
    let Some(wanted) = &args.port else {
        for port in &ports {
            session.output.data(&format!("{} -> {}\n", inside(port), outside(port)))?;
        }
        return Ok(Exit::Success);
    };
    let whole = if wanted.contains('/') { wanted.clone() } else { format!("{wanted}/tcp") };
    let mut found = false;
    for port in ports.iter().filter(|port| inside(port) == whole) {
        found = true;
        session.output.data(&format!("{}\n", outside(port)))?;
    }
    if found {
        return Ok(Exit::Success);
    }
    Err(Refused(format!("no public port '{whole}' published for {}", args.container)).into())
}

fn inside(port: &PortBinding) -> String {
    format!("{}/{}", port.container_port, port.protocol.name())
}

fn outside(port: &PortBinding) -> String {
    let number = port.host_port.unwrap_or_default();
    match port.host_ip {
        None => format!("0.0.0.0:{number}"),
        Some(address) => std::net::SocketAddr::new(address, number).to_string(),
    }
}
