//! What runs: streams, environment, user, and what becomes of the container afterwards.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use longshore_core::ByteSize;
use longshore_engine::{ContainerSpec, LogSpec, RestartPolicy};

use super::{FlagError, labels, variables};

/// What runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Process")]
#[expect(clippy::struct_excessive_bools, reason = "these are the switches that Docker has")]
pub(in crate::cli::container) struct ProcessArgs {
    /// Keep standard input open, and hand on what is typed
    #[arg(short, long)]
    pub(in crate::cli::container) interactive: bool,

    /// Give it a terminal
    #[arg(short, long)]
    pub(in crate::cli::container) tty: bool,

    /// Attach to these streams only: `stdin`, `stdout`, `stderr`
    #[arg(short, long, value_name = "STREAM")]
    pub(in crate::cli::container) attach: Vec<String>,

    /// Remove the container when it ends
    #[arg(long)]
    rm: bool,

    /// Name of the container
    #[arg(long)]
    name: Option<String>,

    /// Set a variable: `NAME=value`, or `NAME` for the value it has here
    #[arg(short, long, value_name = "VARIABLE")]
    env: Vec<String>,

    /// Read variables from a file
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,

    /// Working directory in the container
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,

    /// User and group: `name`, `uid`, `name:group`, `uid:gid`
    #[arg(short, long)]
    user: Option<String>,

    /// Further groups of the process
    #[arg(long, value_name = "GROUP")]
    group_add: Vec<String>,

    /// Program in place of the image's entrypoint; an empty text is none
    #[arg(long, value_name = "PROGRAM")]
    entrypoint: Option<String>,

    /// Host name in the container
    #[arg(short = 'h', long)]
    hostname: Option<String>,

    /// Domain name in the container
    #[arg(long, value_name = "DOMAIN")]
    domainname: Option<String>,

    /// Run a small init process that reaps orphans and hands on signals
    #[arg(long)]
    init: bool,

    /// Set a label: `NAME=value` or `NAME`
    #[arg(short, long)]
    label: Vec<String>,

    /// Read labels from a file
    #[arg(long, value_name = "FILE")]
    label_file: Vec<PathBuf>,

    /// Start it again when it ends: `no`, `on-failure[:RETRIES]`, `always`, `unless-stopped`
    #[arg(long, value_name = "POLICY")]
    restart: Option<RestartPolicy>,

    /// Signal that asks it to end
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<String>,

    /// Seconds that it has to end before it is killed
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    stop_timeout: Option<i64>,

    /// How its output is kept: `local` or `json-file` (the same here), or `none`
    #[arg(long, value_name = "DRIVER")]
    log_driver: Option<String>,

    /// Option of the log: `max-size=10m`, `max-file=3`
    #[arg(long, value_name = "NAME=VALUE")]
    log_opt: Vec<String>,

    /// Metadata of OCI runtimes, which this engine hands to nobody: refused
    #[arg(long, value_name = "NAME=VALUE", hide = true)]
    annotation: Vec<String>,
}

impl ProcessArgs {
    pub(super) fn lower(&self, spec: &mut ContainerSpec) -> Result<(), FlagError> {
        if let Some(annotation) = self.annotation.first() {
            let flag = format!("--annotation {annotation}");
            return Err(FlagError::unsupported(&flag, "there is no OCI runtime that would read it")
                .help("use `--label` for metadata"));
        }
        spec.name.clone_from(&self.name);
        spec.tty = self.tty;
        spec.stdin = self.interactive;
        spec.auto_remove = self.rm;
        spec.init = self.init;
        spec.env = variables(&self.env_file, &self.env, "--env")?;
        spec.labels = labels(&self.label_file, &self.label)?;
        spec.working_directory.clone_from(&self.workdir);
        spec.user.clone_from(&self.user);
        spec.security.groups.clone_from(&self.group_add);
        spec.entrypoint = self.entrypoint.as_ref().map(|program| match program.as_str() {
            "" => Vec::new(),
            program => vec![program.to_owned()],
        });
        spec.hostname.clone_from(&self.hostname);
        spec.domainname.clone_from(&self.domainname);
        spec.restart = self.restart.unwrap_or_default();
        if let Some(signal) = &self.stop_signal {
            longshore_engine_native::parse_signal(signal)
                .map_err(|_| FlagError::value("--stop-signal", signal, "there is no such signal"))?;
        }
        spec.stop_signal.clone_from(&self.stop_signal);
        spec.stop_timeout = self.stop_timeout.map(grace);
        spec.log = self.log()?;
        Ok(())
    }

    fn log(&self) -> Result<LogSpec, FlagError> {
        let none = match self.log_driver.as_deref() {
            None | Some("" | "local" | "json-file") => false,
            Some("none") => true,
            Some(other) => {
                return Err(FlagError::value("--log-driver", other, "logs are kept in files or not at all")
                    .help("use `local`, `json-file` or `none`"));
            }
        };
        let mut log = LogSpec { none, ..LogSpec::default() };
        for option in &self.log_opt {
            let wrong = |why: &str| FlagError::value("--log-opt", option, why);
            match option.split_once('=') {
                Some(("max-size", "-1")) => log.max_size = None,
                Some(("max-size", size)) => {
                    let size: ByteSize =
                        size.parse().map_err(|error| FlagError::value("--log-opt", option, error))?;
                    log.max_size = Some(size.bytes());
                }
                Some(("max-file", count)) => {
                    let count = count.parse().ok().filter(|count| *count > 0);
                    log.max_files = Some(count.ok_or_else(|| wrong("it is a number from 1 on"))?);
                }
                Some(("mode", "blocking")) => {}
                _ => return Err(wrong("the options are `max-size` and `max-file`")),
            }
        }
        if log.none && !self.log_opt.is_empty() {
            return Err(FlagError::conflict("--log-driver none", "--log-opt"));
        }
        Ok(log)
    }
}

/// The grace that a number of seconds means; a negative one is no end.
pub(in crate::cli::container) fn grace(seconds: i64) -> Duration {
    const FOR_EVER: Duration = Duration::from_hours(10 * 365 * 24);
    u64::try_from(seconds).map_or(FOR_EVER, Duration::from_secs).min(FOR_EVER)
}
