//! Secrets and variables of a run: from flags, the environment, the terminal, and files.

use std::io;
use std::path::{Path, PathBuf};

use longshore_core::Secret;
use longshore_secrets::dotenv::{self, DotenvError};
use thiserror::Error;

use super::vault::{USUAL, Vault, VaultError};
use crate::exit::Blame;
use crate::failure::Explained;
use crate::output::Output;
use crate::settings::Environment;

/// Where secrets come from.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Secrets")]
pub(crate) struct SecretArgs {
    /// A secret: `NAME` takes it from the environment, or asks for it; `NAME=VALUE` can be seen by others
    #[arg(short, long = "secret", value_name = "NAME[=VALUE]")]
    secrets: Vec<String>,

    /// A file of secrets, a `NAME=VALUE` on each line, or the same encrypted with age (`*.age`); may be given again [default: `.secrets` and `.secrets.age`, if they exist]
    #[arg(long = "secret-file", value_name = "FILE")]
    secret_files: Vec<PathBuf>,

    /// The file of keys that opens encrypted files [default: ~/.config/longshore/identity.txt]
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
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
    /// A name is none.
    #[error("`{name}` cannot be the name of a secret")]
    Name {
        /// What was given.
        name: String,
    },
    /// The terminal cannot be asked.
    #[error("failed to ask for the secret `{name}`")]
    Ask {
        /// The variable.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is wrong; what stands there is not told.
    #[error("failed to understand `{}`", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: DotenvError,
    },
    /// An encrypted file cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Explained for SecretError {
    fn blame(&self) -> Blame {
        match self {
            Self::Missing { .. } | Self::Name { .. } | Self::Line { .. } => Blame::User,
            Self::Ask { .. } | Self::Read { .. } => Blame::Environment,
            Self::Vault(error) => error.blame(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing { name } => Some(format!("set it, or give `--secret-file` a file with `{name}=…`")),
            Self::Name { .. } => {
                Some("names have letters, digits and `_`, and begin with no digit".to_owned())
            }
            Self::Vault(error) => error.help(),
            _ => None,
        }
    }
}

/// The secrets; of two with one name the later counts: files in their order, then flags.
pub(crate) fn read(
    args: &SecretArgs,
    directory: &Path,
    environment: &Environment,
    output: &mut Output,
) -> Result<Secrets, SecretError> {
    let mut secrets = Secrets::new();
    if args.secret_files.is_empty() {
        add_usual(args, directory, environment, output, &mut secrets)?;
    }
    for path in &args.secret_files {
        let text = if path.extension().is_some_and(|extension| extension == "age") {
            let mut vault = Vault::new(path.clone(), args.identity.as_deref(), environment);
            let missing = || io::Error::from(io::ErrorKind::NotFound);
            vault.read(output)?.ok_or_else(|| SecretError::Read { path: path.clone(), source: missing() })?
        } else {
            text_of(path)?
        };
        add(&text, path, &mut secrets)?;
    }
    for given in &args.secrets {
        let (name, value) = match given.split_once('=') {
            Some((name, value)) => (name, Secret::new(value.to_owned())),
            None => (given.as_str(), asked(given, environment, output)?),
        };
        if !dotenv::is_name(name) {
            return Err(SecretError::Name { name: name.to_owned() });
        }
        put(&mut secrets, name.to_owned(), value);
    }
    Ok(secrets)
}

/// What lies in the project. Somebody who cannot open the encrypted file of a team runs without it.
fn add_usual(
    args: &SecretArgs,
    directory: &Path,
    environment: &Environment,
    output: &mut Output,
    secrets: &mut Secrets,
) -> Result<(), SecretError> {
    let path = directory.join(USUAL);
    if path.is_file() {
        let mut vault = Vault::new(path.clone(), args.identity.as_deref(), environment);
        match vault.read(output) {
            Ok(text) => add(&text.unwrap_or_default(), &path, secrets)?,
            Err(error @ (VaultError::NoIdentity { .. } | VaultError::NoPassphrase { .. })) => {
                output.talk(&format!("warning: the run has none of the secrets in `{USUAL}`: {error}\n"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let path = directory.join(".secrets");
    if path.is_file() {
        add(&text_of(&path)?, &path, secrets)?;
    }
    Ok(())
}

/// A secret of the environment, or of who sits at the terminal.
fn asked(name: &str, environment: &Environment, output: &mut Output) -> Result<Secret<String>, SecretError> {
    if let Some(value) = environment.var(name) {
        return Ok(Secret::new(value.to_owned()));
    }
    let answer = crate::prompt::hidden(&format!("{name}: "), output)
        .map_err(|source| SecretError::Ask { name: name.to_owned(), source })?;
    answer.map(Secret::new).ok_or_else(|| SecretError::Missing { name: name.to_owned() })
}

fn text_of(path: &Path) -> Result<String, SecretError> {
    std::fs::read_to_string(path).map_err(|source| SecretError::Read { path: path.to_owned(), source })
}

fn add(text: &str, path: &Path, secrets: &mut Secrets) -> Result<(), SecretError> {
    let entries =
        dotenv::parse(text).map_err(|source| SecretError::Line { path: path.to_owned(), source })?;
    entries.into_iter().for_each(|entry| put(secrets, entry.name, entry.value));
    Ok(())
}

fn put(secrets: &mut Secrets, name: String, value: Secret<String>) {
    secrets.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
    secrets.push((name, value));
}

/// The variables of files, the later ones last; without files those of `.vars`, if there is one.
pub(crate) fn variables(files: &[PathBuf], directory: &Path) -> Result<Vec<(String, String)>, SecretError> {
    let usual = directory.join(".vars");
    let usual = (files.is_empty() && usual.is_file()).then_some(usual);
    let mut variables = Vec::new();
    for path in files.iter().chain(&usual) {
        let text = text_of(path)?;
        let entries =
            dotenv::parse(&text).map_err(|source| SecretError::Line { path: path.clone(), source })?;
        variables.extend(entries.into_iter().map(|entry| (entry.name, entry.value.expose().clone())));
    }
    Ok(variables)
}

/// `github.token`: the secret `GITHUB_TOKEN`, if it was given.
pub(crate) fn token(secrets: &Secrets) -> Secret<String> {
    let given = secrets.iter().find(|(name, _)| name.eq_ignore_ascii_case("GITHUB_TOKEN"));
    given.map_or_else(|| Secret::new(String::new()), |(_, token)| token.clone())
}
