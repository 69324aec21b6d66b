//! `longshore secret`: the encrypted file of a project's secrets.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use longshore_secrets::dotenv::{self, DotenvError};
use thiserror::Error;

use super::{Outcome, Session};
use crate::exit::{Blame, Exit};
use crate::failure::{Explained, Failure};
use crate::run::vault::{USUAL, Vault};
use crate::settings::OutputFormat;

/// The longest secret that is read from a pipe.
const MAX_VALUE: u64 = 1024 * 1024;

/// Keep the secrets of a project in an encrypted file
///
/// The file is `.secrets.age`, encrypted with age for your key, which is made when it is first needed, and for the public
/// keys in `.secrets.age.recipients`, a line each. `longshore run` reads it. Values are never shown, except to your editor.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore secret set TOKEN
  longshore secret set DEPLOY_KEY < key.pem
  longshore secret ls
  longshore secret rm TOKEN
  longshore secret edit")]
pub(super) struct SecretArgs {
    #[command(subcommand)]
    verb: SecretVerb,

    /// The encrypted file [default: `.secrets.age`]
    #[arg(long, value_name = "FILE", global = true)]
    file: Option<PathBuf>,

    /// The file of keys that opens it [default: ~/.config/longshore/identity.txt]
    #[arg(long, value_name = "FILE", global = true)]
    identity: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum SecretVerb {
    /// Set a secret to what is typed, or to what comes on standard input
    Set {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,

        /// Have a passphrase open the file, in place of keys
        #[arg(long)]
        passphrase: bool,
    },
    /// List the names of the secrets
    #[command(visible_alias = "list")]
    Ls {
        /// Format of the result
        #[arg(long, value_enum)]
        format: Option<OutputFormat>,
    },
    /// Remove secrets
    #[command(visible_alias = "remove")]
    Rm {
        /// Their names
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
    /// Edit all secrets with `$EDITOR`
    Edit,
}

/// The file cannot be changed so.
#[derive(Debug, Error)]
enum SecretError {
    #[error("`{0}` cannot be the name of a secret")]
    Name(String),
    #[error("there is no secret `{name}` in `{}`", path.display())]
    Missing { name: String, path: PathBuf },
    #[error("there is no file `{}`", path.display())]
    NoFile { path: PathBuf },
    #[error("failed to understand the secrets in `{}`", path.display())]
    Text { path: PathBuf, source: DotenvError },
    #[error("failed to read the secret")]
    Value(#[source] io::Error),
    #[error("the secret is no text")]
    NotText,
    #[error("the secret is longer than {MAX_VALUE} bytes")]
    TooLong,
    #[error("failed to edit the secrets with `{editor}`")]
    Editor { editor: String, source: io::Error },
    #[error("`{editor}` failed, so nothing was changed")]
    EditorFailed { editor: String },
}

impl Explained for SecretError {
    fn blame(&self) -> Blame {
        match self {
            Self::Value(_) | Self::Editor { .. } => Blame::Environment,
            _ => Blame::User,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Name(_) => Some("names have letters, digits and `_`, and begin with no digit".to_owned()),
            Self::NoFile { .. } => Some("`longshore secret set NAME` makes it".to_owned()),
            Self::Missing { .. } => Some("`longshore secret ls` lists the names".to_owned()),
            _ => None,
        }
    }
}

pub(super) fn run(args: &SecretArgs, session: &mut Session) -> Outcome {
    let path = args.file.clone().unwrap_or_else(|| session.directory.join(USUAL));
    let mut vault = Vault::new(path, args.identity.as_deref(), &session.environment);
    match &args.verb {
        SecretVerb::Set { name, passphrase } => set(&mut vault, name, *passphrase, session),
        SecretVerb::Ls { format } => list(&mut vault, *format, session),
        SecretVerb::Rm { names } => remove(&mut vault, names, session),
        SecretVerb::Edit => edit(&mut vault, session),
    }
}

fn unclear(vault: &Vault) -> impl Fn(DotenvError) -> SecretError {
    let path = vault.path().to_owned();
    move |source| SecretError::Text { path: path.clone(), source }
}

fn set(vault: &mut Vault, name: &str, passphrase: bool, session: &mut Session) -> Outcome {
    if !dotenv::is_name(name) {
        return Err(SecretError::Name(name.to_owned()).into());
    }
    let text = vault.read(&mut session.output)?.unwrap_or_default();
    if passphrase {
        vault.use_passphrase(&mut session.output)?;
    }
    let value = if io::stdin().is_terminal() {
        crate::prompt::hidden(&format!("{name}: "), &mut session.output).map_err(SecretError::Value)?
    } else {
        let mut bytes = Vec::new();
        io::stdin().lock().take(MAX_VALUE + 1).read_to_end(&mut bytes).map_err(SecretError::Value)?;
        if bytes.len() as u64 > MAX_VALUE {
            return Err(SecretError::TooLong.into());
        }
        let piped = String::from_utf8(bytes).map_err(|_| SecretError::NotText)?;
        // One line feed at the end is `echo`'s.
        Some(piped.strip_suffix('\n').unwrap_or(&piped).to_owned())
    };
    let changed = dotenv::set(&text, name, &value.unwrap_or_default()).map_err(unclear(vault))?;
    vault.write(&changed, &mut session.output)?;
    Ok(Exit::Success)
}

/// The text of a file that there must be.
fn existing(vault: &mut Vault, session: &mut Session) -> Result<String, Failure> {
    let path = vault.path().to_owned();
    Ok(vault.read(&mut session.output)?.ok_or(SecretError::NoFile { path })?)
}

fn list(vault: &mut Vault, format: Option<OutputFormat>, session: &mut Session) -> Outcome {
    let text = existing(vault, session)?;
    let entries = dotenv::parse(&text).map_err(unclear(vault))?;
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if format.unwrap_or(session.settings.format.value) == OutputFormat::Json {
        let names: Vec<_> = names.into_iter().map(|name| serde_json::json!({ "name": name })).collect();
        session.output.data(&format!("{:#}\n", serde_json::Value::Array(names)))?;
        return Ok(Exit::Success);
    }
    for name in names {
        session.output.data(&format!("{name}\n"))?;
    }
    Ok(Exit::Success)
}

fn remove(vault: &mut Vault, names: &[String], session: &mut Session) -> Outcome {
    let mut text = existing(vault, session)?;
    for name in names {
        let left = dotenv::remove(&text, name).map_err(unclear(vault))?;
        let missing = || SecretError::Missing { name: name.clone(), path: vault.path().to_owned() };
        text = left.ok_or_else(missing)?;
    }
    vault.write(&text, &mut session.output)?;
    Ok(Exit::Success)
}

/// A directory in memory that goes when it is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn edit(vault: &mut Vault, session: &mut Session) -> Outcome {
    let before = vault.read(&mut session.output)?.unwrap_or_default();
    let named = session.environment.var("VISUAL").or_else(|| session.environment.var("EDITOR"));
    let editor = named.unwrap_or("vi").to_owned();
    let failed = |source| SecretError::Editor { editor: editor.clone(), source };
    // Plain text touches no disk where there is a file system in memory.
    let memory = Path::new("/dev/shm");
    let directory = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let scratch = Scratch(directory.join(format!("longshore-secrets-{}", std::process::id())));
    std::fs::DirBuilder::new().mode(0o700).create(&scratch.0).map_err(failed)?;
    let file = scratch.0.join("secrets.env");
    let opened = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&file);
    opened.and_then(|mut opened| opened.write_all(before.as_bytes())).map_err(failed)?;
    // An editor may be given with arguments, so a shell takes it apart.
    let status = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$1\""))
        .arg("sh")
        .arg(&file)
        .status()
        .map_err(failed)?;
    if !status.success() {
        return Err(SecretError::EditorFailed { editor }.into());
    }
    let after = std::fs::read_to_string(&file).map_err(failed)?;
    drop(scratch);
    dotenv::parse(&after).map_err(unclear(vault))?;
    if after != before {
        vault.write(&after, &mut session.output)?;
    }
    Ok(Exit::Success)
}
