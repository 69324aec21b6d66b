//! Who can mend what goes wrong when an image is bootstrapped, and how.

use std::io;
use std::path::PathBuf;

use longshore_bootstrap::{ArchiveError, BootstrapError, FetchError, ReleaseError, SuiteError, VariantError};
use longshore_engine::{EngineError, Fault};
use thiserror::Error;

use super::configure::StepError;
use crate::exit::Blame;
use crate::failure::Explained;

/// Why no image was bootstrapped.
#[derive(Debug, Error)]
pub(super) enum BootstrapFailure {
    #[error(transparent)]
    Suite(SuiteError),
    #[error(transparent)]
    Variant(VariantError),
    #[error("failed to read the keyring `{}`", path.display())]
    Keyring { path: PathBuf, source: io::Error },
    #[error("the clock of this machine shows a time that cannot be")]
    Clock(#[source] jiff::Error),
    #[error(
        "packages cannot be configured, because containers of this user have no other user than root: {0}"
    )]
    OneUser(String),
    #[error("failed to make a directory to work in, in `{}`", path.display())]
    Workspace { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Engine(EngineError),
    #[error(transparent)]
    Bootstrap(Box<BootstrapError>),
}

impl From<BootstrapError> for BootstrapFailure {
    fn from(error: BootstrapError) -> Self {
        Self::Bootstrap(Box::new(error))
    }
}

impl Explained for BootstrapFailure {
    fn blame(&self) -> Blame {
        match self {
            Self::Suite(_) | Self::Variant(_) => Blame::User,
            Self::Engine(error) => engine_blame(error),
            Self::Bootstrap(error) => bootstrap_blame(error),
            Self::Keyring { .. } | Self::Clock(_) | Self::OneUser(_) | Self::Workspace { .. } => {
                Blame::Environment
            }
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Suite(_) => "write `debian:bookworm` or `ubuntu:24.04`, for example".to_owned(),
            Self::Variant(_) => "see `--help` for what each of them has".to_owned(),
            Self::Keyring { .. } => "check the path and its permissions".to_owned(),
            Self::Clock(_) => "set the clock".to_owned(),
            Self::OneUser(_) => {
                "run it as root or get subordinate ids (see `longshore doctor`); or load an image that was made \
                 elsewhere, with `longshore image load` or `longshore image import`"
                    .to_owned()
            }
            Self::Workspace { .. } => {
                "check the permissions of the state directory, and that the disk has room".to_owned()
            }
            Self::Engine(error) => return error.help.clone(),
            Self::Bootstrap(error) => return bootstrap_help(error),
        })
    }
}

fn engine_blame(error: &EngineError) -> Blame {
    match error.fault {
        Fault::Remote => Blame::Remote,
        _ => Blame::Environment,
    }
}

fn bootstrap_blame(error: &BootstrapError) -> Blame {
    match error {
        BootstrapError::Platform(_) | BootstrapError::Keyring(_) | BootstrapError::Resolve { .. } => {
            Blame::User
        }
        BootstrapError::Archive { source, .. } => archive_blame(source),
        BootstrapError::Fetch { source, .. } => fetch_blame(source),
        BootstrapError::Index(_) => Blame::Remote,
        _ => Blame::Environment,
    }
}

fn archive_blame(error: &ArchiveError) -> Blame {
    match error {
        ArchiveError::FetchRelease(FetchError::Missing { .. }) | ArchiveError::NoIndex { .. } => Blame::User,
        ArchiveError::FetchRelease(source) | ArchiveError::FetchIndex(source) => fetch_blame(source),
        ArchiveError::Release { source, .. } => match source {
            ReleaseError::Future(_) => Blame::Environment,
            ReleaseError::Architecture { .. } | ReleaseError::Component { .. } => Blame::User,
            _ => Blame::Remote,
        },
        ArchiveError::Keep { .. } => Blame::Environment,
        _ => Blame::Remote,
    }
}

fn fetch_blame(error: &FetchError) -> Blame {
    match error {
        FetchError::Offline { .. } | FetchError::Keep { .. } => Blame::Environment,
        _ => Blame::Remote,
    }
}

fn bootstrap_help(error: &BootstrapError) -> Option<String> {
    Some(match error {
        BootstrapError::Platform(_) => "write `linux/amd64` or `linux/arm64`, for example".to_owned(),
        BootstrapError::Keyring(_) => "give `--keyring` a file of OpenPGP public keys, such as those of \
             /usr/share/keyrings, binary or in armour"
            .to_owned(),
        BootstrapError::Archive { source, .. } => archive_help(source),
        BootstrapError::Resolve { .. } => {
            "change `--include`, or add components with `--components`".to_owned()
        }
        BootstrapError::Fetch { source, .. } => fetch_help(source),
        BootstrapError::Index(_) => OTHER_MIRROR.to_owned(),
        BootstrapError::Configure { source, .. } => return step_help(source.downcast_ref()),
        _ => "check the permissions of the state directory, and that the disk has room".to_owned(),
    })
}

const OTHER_MIRROR: &str = "choose another mirror with `--mirror URL`";

fn archive_help(error: &ArchiveError) -> String {
    match error {
        ArchiveError::FetchRelease(FetchError::Missing { .. }) => {
            "check the name of the suite; a mirror that has it can be given with `--mirror URL`".to_owned()
        }
        ArchiveError::FetchRelease(source) | ArchiveError::FetchIndex(source) => fetch_help(source),
        ArchiveError::Signature { .. } => {
            "choose another mirror with `--mirror URL`; if the archive is your own, give its keys with `--keyring FILE`"
                .to_owned()
        }
        ArchiveError::Release { source, .. } => match source {
            ReleaseError::Expired(_) => {
                "choose another mirror with `--mirror URL`; if the archive is meant to be old, add `--accept-expired`"
                    .to_owned()
            }
            ReleaseError::Future(_) => "set the clock".to_owned(),
            ReleaseError::Architecture { .. } => "choose another platform with `--platform`".to_owned(),
            ReleaseError::Component { .. } => "choose others with `--components`".to_owned(),
            _ => OTHER_MIRROR.to_owned(),
        },
        ArchiveError::NoIndex { .. } => "choose others with `--components` or `--platform`".to_owned(),
        ArchiveError::Keep { .. } => {
            "check the permissions of the state directory, and that the disk has room".to_owned()
        }
        _ => OTHER_MIRROR.to_owned(),
    }
}

fn fetch_help(error: &FetchError) -> String {
    match error {
        FetchError::Offline { .. } => "run it once without `--offline`, which fills the cache".to_owned(),
        FetchError::Keep { .. } => {
            "check the permissions of the state directory, and that the disk has room".to_owned()
        }
        FetchError::Missing { .. } => {
            "the mirror may just be changing: try again, or choose another with `--mirror URL`".to_owned()
        }
        _ => "check the network, or choose another mirror with `--mirror URL`".to_owned(),
    }
}

fn step_help(error: Option<&StepError>) -> Option<String> {
    match error? {
        StepError::Engine { source, .. } if source.fault == Fault::CommandNotRunnable => Some(
            "for the packages of another architecture, this machine needs an emulator (binfmt_misc); \
             `--no-configure` leaves them unpacked"
                .to_owned(),
        ),
        StepError::Engine { source, .. } => source.help.clone(),
        StepError::Lost { .. } => Some("try again".to_owned()),
        StepError::Ended { .. } => Some(
            "its output tells why; without the package it belongs to, or with `--no-configure`, it is not run"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use longshore_bootstrap::{ArchiveError, BootstrapError, FetchError, ReleaseError};

    use super::BootstrapFailure;
    use crate::exit::Exit;
    use crate::failure::Explained as _;

    #[test]
    fn failures_of_archives_say_who_can_mend_them_and_how() {
        let url = || "http://x/debian".to_owned();
        for (source, exit, help) in [
            (
                ArchiveError::FetchRelease(FetchError::Status { url: url(), status: 503 }),
                Exit::Remote,
                "--mirror",
            ),
            (
                ArchiveError::FetchRelease(FetchError::Missing { url: url(), status: 404 }),
                Exit::Usage,
                "--mirror",
            ),
            (ArchiveError::FetchRelease(FetchError::Offline { url: url() }), Exit::Environment, "--offline"),
            (
                ArchiveError::Release { url: url(), source: ReleaseError::Expired(String::new()) },
                Exit::Remote,
                "--accept-expired",
            ),
            (
                ArchiveError::Release { url: url(), source: ReleaseError::Future(String::new()) },
                Exit::Environment,
                "clock",
            ),
        ] {
            let failure = BootstrapFailure::from(BootstrapError::Archive { suite: "x".to_owned(), source });
            assert_eq!(Exit::from(failure.blame()), exit, "{failure:?}");
            assert!(failure.help().is_some_and(|text| text.contains(help)), "{failure:?}");
        }
    }
}
