//! Secrets of a run: from flags, the environment, and a file.

use std::io;
use std::path::{Path, PathBuf};

use longshore_core::Secret;
use thiserror::Error;

use crate::exit::Blame;
use crate::failure::Explained;
use crate::settings::Environment;

/// Where secrets come from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Secrets")]
pub(crate) struct SecretArgs {
    /// A secret: `NAME=VALUE`, or `NAME` to take it from the environment
    #[arg(short, long = "secret", value_name = "NAME[=VALUE]")]
    secrets: Vec<String>,

    /// A file of secrets, a `NAME=VALUE` on each line [default: `.secrets`, if there is one]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// Names and values.
pub(crate) type Secrets = Vec<(String, Secret<String>)>;

/// Secrets cannot be had.
#[derive(Debug, Error)]
pub(crate) enum SecretError {
    /// A variable is missing.
    #[error("the secret `{name}` is not set in the environment")]
    Missing {
        /// The variable.
        name: String,
    },
    /// The file cannot be read.
    #[error("failed to read the secrets in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is wrong; what stands there is not told.
    #[error("`{}` line {line} is not NAME=VALUE", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
}

impl Explained for SecretError {
    fn blame(&self) -> Blame {
        match self {
            Self::Missing { .. } | Self::Line { .. } => Blame::User,
            Self::Read { .. } => Blame::Environment,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing { name } => Some(format!("set it, or give `-s {name}=VALUE`")),
            Self::Read { .. } | Self::Line { .. } => None,
        }
    }
}

/// The secrets; of two with one name the flag counts.
pub(crate) fn read(
    args: &SecretArgs,
    directory: &Path,
    environment: &Environment,
) -> Result<Secrets, SecretError> {
    let mut secrets = Secrets::new();
    let usual = directory.join(".secrets");
    let file = args.secret_file.clone().or_else(|| usual.is_file().then_some(usual));
    if let Some(path) = file {
        let content = std::fs::read_to_string(&path)
            .map_err(|source| SecretError::Read { path: path.clone(), source })?;
        for (number, line) in content.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=') else {
                return Err(SecretError::Line { path, line: number + 1 });
            };
            secrets.push((name.trim().to_owned(), Secret::new(unquoted(value.trim()).to_owned())));
        }
    }
    for given in &args.secrets {
        let from_environment = || {
            let value = environment.var(given).map(str::to_owned);
            value.ok_or_else(|| SecretError::Missing { name: given.clone() })
        };
        let (name, value) = match given.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (given.as_str(), from_environment()?),
        };
        secrets.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        secrets.push((name.to_owned(), Secret::new(value)));
    }
    Ok(secrets)
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// `github.token`: the secret `GITHUB_TOKEN`, if it was given.
pub(crate) fn token(secrets: &Secrets) -> Secret<String> {
    let given = secrets.iter().find(|(name, _)| name.eq_ignore_ascii_case("GITHUB_TOKEN"));
    given.map_or_else(|| Secret::new(String::new()), |(_, token)| token.clone())
}
