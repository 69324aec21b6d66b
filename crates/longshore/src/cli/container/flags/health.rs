//! Health checks.

use clap::Args;
use longshore_engine::{ContainerSpec, HealthSpec};

use super::{FlagError, duration};

/// Health checks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Health")]
pub(super) struct HealthArgs {
    /// Line for the shell that tells by its exit code whether the container is well
    #[arg(long, value_name = "LINE")]
    health_cmd: Option<String>,

    /// Time from check to check (default 30s)
    #[arg(long, value_name = "DURATION")]
    health_interval: Option<String>,

    /// How long a check may take (default 30s)
    #[arg(long, value_name = "DURATION")]
    health_timeout: Option<String>,

    /// Failures in a row that make it unhealthy (default 3)
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    health_retries: Option<i64>,

    /// Time after the start in which failures do not count
    #[arg(long, value_name = "DURATION")]
    health_start_period: Option<String>,

    /// Time from check to check in the start period (default 5s)
    #[arg(long, value_name = "DURATION")]
    health_start_interval: Option<String>,

    /// Do not check, whatever the image says
    #[arg(long)]
    no_healthcheck: bool,
}

impl HealthArgs {
    pub(super) fn lower(&self, spec: &mut ContainerSpec) -> Result<(), FlagError> {
        let durations = [
            ("--health-interval", &self.health_interval),
            ("--health-timeout", &self.health_timeout),
            ("--health-start-period", &self.health_start_period),
            ("--health-start-interval", &self.health_start_interval),
        ];
        let says = self.health_cmd.is_some()
            || self.health_retries.is_some()
            || durations.iter().any(|(_, it)| it.is_some());
        if self.no_healthcheck {
            if says {
                return Err(FlagError::conflict("--no-healthcheck", "--health-*"));
            }
            spec.health = Some(HealthSpec { test: vec!["NONE".to_owned()], ..HealthSpec::default() });
            return Ok(());
        }
        if !says {
            return Ok(());
        }
        let mut parsed = Vec::new();
        for (flag, text) in durations {
            let duration = text.as_deref().map(|text| {
                duration::parse(text).ok_or_else(|| {
                    FlagError::value(flag, text, "it is not a duration")
                        .help("write it like `30s` or `1m30s`")
                })
            });
            parsed.push(duration.transpose()?);
        }
        let retries = self.health_retries.map(|count| {
            u32::try_from(count).map_err(|_| {
                FlagError::value("--health-retries", &count.to_string(), "it cannot be negative")
            })
        });
        let [interval, timeout, start_period, start_interval] = parsed[..] else { return Ok(()) };
        let test = self.health_cmd.as_ref().filter(|line| !line.is_empty());
        spec.health = Some(HealthSpec {
            test: test.map(|line| vec!["CMD-SHELL".to_owned(), line.clone()]).unwrap_or_default(),
            interval,
            timeout,
            start_period,
            start_interval,
            retries: retries.transpose()?,
        });
        Ok(())
    }
}
