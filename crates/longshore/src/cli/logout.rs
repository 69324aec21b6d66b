//! `longshore logout`: a registry is to know us no longer.

use longshore_event::Silent;

use super::{Outcome, Session};
use crate::exit::Exit;

/// Forget the login of a registry
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore logout
  longshore logout registry.example.org")]
pub(super) struct LogoutArgs {
    /// The registry; Docker Hub if not given
    #[arg(value_name = "SERVER")]
    server: Option<String>,
}

pub(super) fn run(args: &LogoutArgs, session: &mut Session) -> Outcome {
    let server = args.server.as_deref().unwrap_or("docker.io");
    let client = session.wiring().registry(std::sync::Arc::new(Silent));
    let text = if client.logout(server)? {
        format!("Removing login credentials for {server}\n")
    } else {
        format!("Not logged in to {server}\n")
    };
    session.output.data(&text)?;
    Ok(Exit::Success)
}
