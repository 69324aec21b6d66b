//! The flags of `container run` and `container create`, and the specification that they make.
//!
//! One file for each group: its flags as they are typed, whose documentation is the help, and what they mean. Readers of
//! values have files of their own and are pure. The grammar is Docker's.

mod device;
pub(in crate::cli) mod duration;
mod environment;
mod error;
mod health;
mod limits;
mod mount;
mod network;
mod port;
pub(in crate::cli::container) mod process;
mod security;
mod storage;
mod tmpfs;
mod volume;

pub(in crate::cli) use environment::{labels, variables};
pub(in crate::cli) use error::FlagError;

use clap::Args;
use longshore_engine::{ContainerSpec, ImageSource, PullPolicy, RestartPolicy};

/// Everything that says what a container is to be.
#[derive(Debug, Args)]
pub(super) struct SpecArgs {
    /// Write the container's id into this file, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(super) cidfile: Option<std::path::PathBuf>,

    /// Fetch the image: `always`, `missing` or `never`
    #[arg(long, value_name = "WHEN", default_value = "missing", value_parser = pull_policy)]
    pub(super) pull: PullPolicy,

    /// The platform to choose, such as `linux/arm64`
    #[arg(long)]
    platform: Option<String>,

    /// The image (`host` is this machine, copy on write), then the command and its arguments
    #[arg(value_name = "IMAGE [COMMAND] [ARG]", required = true, num_args = 1.., trailing_var_arg = true)]
    image_and_command: Vec<String>,

    // The groups stand last, because flags behind a group that is flattened stand below its heading.
    #[command(flatten)]
    pub(super) process: process::ProcessArgs,
    #[command(flatten)]
    storage: storage::StorageArgs,
    #[command(flatten)]
    network: network::NetworkArgs,
    #[command(flatten)]
    health: health::HealthArgs,
    #[command(flatten)]
    limits: limits::LimitArgs,
    #[command(flatten)]
    security: security::SecurityArgs,
}

fn pull_policy(text: &str) -> Result<PullPolicy, String> {
    match text {
        "always" => Ok(PullPolicy::Always),
        "missing" => Ok(PullPolicy::Missing),
        "never" => Ok(PullPolicy::Never),
        _ => Err("it is one of `always`, `missing` and `never`".to_owned()),
    }
}

impl SpecArgs {
    /// The specification.
    pub(super) fn lower(&self) -> Result<ContainerSpec, FlagError> {
        let (image, command) =
            self.image_and_command.split_first().map_or(("", &[][..]), |(image, rest)| (image, rest));
        let mut spec = ContainerSpec {
            image: ImageSource::parse(image),
            command: command.to_vec(),
            platform: self.platform.clone().filter(|platform| !platform.is_empty()),
            ..ContainerSpec::default()
        };
        self.process.lower(&mut spec)?;
        self.storage.lower(&mut spec)?;
        self.network.lower(&mut spec)?;
        self.health.lower(&mut spec)?;
        self.limits.lower(&mut spec)?;
        self.security.lower(&mut spec)?;
        if spec.auto_remove && spec.restart != RestartPolicy::No {
            return Err(FlagError::conflict("--rm", "--restart"));
        }
        Ok(spec)
    }
}
