//! Finding the settings files and putting all layers together.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use longshore_report::diagnostic::FileFindings;
use longshore_source::{HomeEnvironment, default_home};
use longshore_syntax::SourceFile;
use thiserror::Error;

use super::environment::BadVariable;
use super::{Environment, Layer, Origin, Settings, file};
use crate::exit::Blame;
use crate::failure::Explained;

/// A file that people write by hand is smaller.
const MAX_BYTES: u64 = 1024 * 1024;

/// Why settings could not be had.
#[derive(Debug, Error)]
pub(crate) enum SettingsError {
    /// A file that was named, or that is there, cannot be read.
    #[error("failed to read the settings in `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds what is no setting.
    #[error("the settings in `{}` cannot be used", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        findings: FileFindings,
    },
    /// A variable holds what is no setting.
    #[error("the environment variable `{name}` cannot be `{value}`: {why}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Explained for SettingsError {
    fn blame(&self) -> Blame {
        match self {
            Self::Unreadable { .. } => Blame::Environment,
            Self::Invalid { .. } | Self::Variable { .. } => Blame::Config,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "check the path and its permissions".to_owned(),
            Self::Invalid { .. } => {
                "see docs/settings.md for every key; `longshore explain CODE` says more".to_owned()
            }
            Self::Variable { name, .. } => format!("change it, or unset it: `unset {name}`"),
        })
    }

    fn findings(&self) -> Vec<FileFindings> {
        match self {
            Self::Invalid { findings, .. } => vec![findings.clone()],
            Self::Unreadable { .. } | Self::Variable { .. } => Vec::new(),
        }
    }
}

/// The settings for work in `directory`, of which `flags` are given on the command line; `config` is the file to read
/// in place of the project's.
pub(crate) fn load(
    directory: &Path,
    flags: Layer,
    config: Option<PathBuf>,
    environment: &Environment,
) -> Result<Settings, SettingsError> {
    let variables = environment
        .layer()
        .map_err(|BadVariable { name, value, why }| SettingsError::Variable { name, value, why })?;
    let named = config.or_else(|| environment.var("LONGSHORE_CONFIG").map(PathBuf::from));
    let project = match named {
        Some(path) => file_layer(&Origin::Project(directory.join(path)), true)?,
        None => match project_file(directory) {
            Some(path) => file_layer(&Origin::Project(path), true)?,
            None => Layer::default(),
        },
    };
    let user = match user_directory(environment) {
        Some(path) => file_layer(&Origin::User(path.join("longshore/config.toml")), false)?,
        None => Layer::default(),
    };
    let path = |name: &str| environment.var(name).map(PathBuf::from);
    let home = default_home(&HomeEnvironment {
        longshore_home: None,
        xdg_data_home: path("XDG_DATA_HOME"),
        home: path("HOME"),
        current_dir: directory.to_owned(),
        is_root: is_root(),
    });
    // Without a home directory there is still a place that every machine has.
    let home = home.unwrap_or_else(|| PathBuf::from("/var/lib/longshore"));
    Ok(Settings::complete(flags.over(variables).over(project).over(user), home))
}

/// The nearest `longshore.toml` here or above, within the repository.
fn project_file(directory: &Path) -> Option<PathBuf> {
    for directory in directory.ancestors() {
        let path = directory.join("longshore.toml");
        if path.is_file() {
            return Some(path);
        }
        if directory.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The directory of the user's settings; a relative one does not count, as the XDG specification says.
fn user_directory(environment: &Environment) -> Option<PathBuf> {
    let set = environment.var("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| environment.var("HOME").map(|home| Path::new(home).join(".config")))
}

/// Whether the user is the superuser: who owns a process owns its directory in `/proc`.
fn is_root() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
    }
    #[cfg(not(unix))]
    false
}

fn file_layer(origin: &Origin, must_exist: bool) -> Result<Layer, SettingsError> {
    let (Origin::Project(path) | Origin::User(path)) = origin else { return Ok(Layer::default()) };
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => return Ok(Layer::default()),
        Err(source) => return Err(SettingsError::Unreadable { path: path.clone(), source }),
    };
    let source = SourceFile::new(path.display().to_string(), text);
    let (layer, diagnostics) = file::read(&source, origin);
    if diagnostics.is_empty() {
        return Ok(layer);
    }
    let findings = FileFindings { file: source, diagnostics };
    Err(SettingsError::Invalid { path: path.clone(), findings })
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {MAX_BYTES} bytes"),
        ));
    }
    Ok(text)
}
