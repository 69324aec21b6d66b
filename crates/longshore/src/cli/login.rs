//! `longshore login`: who we are to a registry.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use longshore_core::Secret;
use longshore_event::Silent;
use longshore_registry::{Keeper, RegistryClient, RegistryError};
use thiserror::Error;

use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};

/// The longest password that is read.
const MAX_PASSWORD: u64 = 64 * 1024;
/// The registry that is meant if none is named.
const DEFAULT: &str = "docker.io";

/// Log in to a registry
///
/// Name and password are tried with the registry and kept if it accepts them: by the helper that Docker's configuration
/// names, or in the state directory. Logins of Docker count as well. Without a name, what is kept is tried first.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore login registry.example.org
  echo \"$TOKEN\" | longshore login ghcr.io -u robot --password-stdin")]
pub(super) struct LoginArgs {
    /// The registry; Docker Hub if not given
    #[arg(value_name = "SERVER")]
    server: Option<String>,

    /// The user's name
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,

    /// The password; others on this machine can see it while the command runs
    #[arg(short, long, value_name = "PASSWORD", conflicts_with = "password_stdin")]
    password: Option<String>,

    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
}

/// Name or password cannot be had.
#[derive(Debug, Error)]
enum LoginError {
    #[error("cannot ask for the {0}: standard input is no terminal")]
    NoTerminal(&'static str),
    #[error("the {0} is empty")]
    Empty(&'static str),
    #[error("failed to read the {what}")]
    Read { what: &'static str, source: io::Error },
}

impl Explained for LoginError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read { .. } => Blame::Environment,
            _ => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        Some("use `-u NAME --password-stdin` and write the password to standard input".to_owned())
    }
}

pub(super) fn run(args: &LoginArgs, session: &mut Session) -> Outcome {
    let server = args.server.as_deref().unwrap_or(DEFAULT);
    let client = session.wiring().registry(std::sync::Arc::new(Silent));
    if args.username.is_none() && args.password.is_none() && is_known(&client, server, session)? {
        session.output.data("Login Succeeded\n")?;
        return Ok(Exit::Success);
    }
    let user = match &args.username {
        Some(user) => user.clone(),
        None => asked("Username: ", "user name", session)?,
    };
    if user.is_empty() {
        return Err(LoginError::Empty("user name").into());
    }
    let password = if args.password_stdin {
        piped()?
    } else if let Some(password) = &args.password {
        session
            .output
            .talk("warning: a password on the command line can be seen by others; use `--password-stdin`\n");
        password.clone()
    } else {
        hidden(session)?
    };
    if password.is_empty() {
        return Err(LoginError::Empty("password").into());
    }
    match client.login(server, &user, Secret::new(password))? {
        Keeper::File(path) => {
            session.output.talk(&format!("kept in `{}`, which only you can read\n", path.display()));
        }
        Keeper::Helper(name) => session.output.talk(&format!("kept by `docker-credential-{name}`\n")),
    }
    session.output.data("Login Succeeded\n")?;
    Ok(Exit::Success)
}

/// Whether what is kept of a registry is still good.
fn is_known(client: &RegistryClient, server: &str, session: &mut Session) -> Result<bool, Failure> {
    match client.login_again(server) {
        Ok(None) => Ok(false),
        Ok(Some(user)) => {
            session.output.talk(&format!("authenticated with the credentials that are kept of `{user}`\n"));
            Ok(true)
        }
        // Somebody is there to be asked for better ones.
        Err(error @ RegistryError::Login { .. }) if io::stdin().is_terminal() => {
            session.output.talk(&format!("the credentials that are kept do not do: {error}\n"));
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// A password from a pipe, without the line feeds at its end.
fn piped() -> Result<String, LoginError> {
    let mut text = String::new();
    let read = io::stdin().lock().take(MAX_PASSWORD).read_to_string(&mut text);
    read.map_err(|source| LoginError::Read { what: "password", source })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn asked(prompt: &str, what: &'static str, session: &mut Session) -> Result<String, LoginError> {
    if !io::stdin().is_terminal() {
        return Err(LoginError::NoTerminal(what));
    }
    session.output.complain(prompt);
    let mut line = String::new();
    let read = io::stdin().lock().take(MAX_PASSWORD).read_line(&mut line);
    read.map_err(|source| LoginError::Read { what, source })?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for the password without showing it.
fn hidden(session: &mut Session) -> Result<String, LoginError> {
    crate::prompt::hidden("Password: ", &mut session.output)
        .map_err(|source| LoginError::Read { what: "password", source })?
        .ok_or(LoginError::NoTerminal("password"))
}
