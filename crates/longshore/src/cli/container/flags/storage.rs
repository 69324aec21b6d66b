//! What is mounted.

use clap::Args;
use longshore_engine::ContainerSpec;

use super::{FlagError, mount, tmpfs, volume};

/// What is mounted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Storage")]
pub(super) struct StorageArgs {
    /// Mount a directory of this machine, or a volume: `[SOURCE:]TARGET[:ro,…]`
    #[arg(short, long, value_name = "VOLUME")]
    volume: Vec<String>,

    /// Mount something, in words: `type=bind,source=.,target=/src,readonly`
    #[arg(long, value_name = "MOUNT")]
    mount: Vec<String>,

    /// Mount memory: `TARGET[:size=64m,…]`
    #[arg(long, value_name = "TARGET[:OPTIONS]")]
    tmpfs: Vec<String>,

    /// Mount what another container has: `NAME[:ro]`
    #[arg(long, value_name = "CONTAINER")]
    volumes_from: Vec<String>,

    /// Volume driver; `local` is the only one
    #[arg(long, value_name = "DRIVER", hide = true)]
    volume_driver: Option<String>,
}

impl StorageArgs {
    pub(super) fn lower(&self, spec: &mut ContainerSpec) -> Result<(), FlagError> {
        if let Some(driver) = self.volume_driver.as_deref().filter(|driver| *driver != "local") {
            return Err(FlagError::value("--volume-driver", driver, "`local` is the only driver"));
        }
        let directory = std::env::current_dir().unwrap_or_default();
        for text in &self.volume {
            spec.mounts.push(volume::parse(text, &directory)?);
        }
        for text in &self.mount {
            spec.mounts.push(mount::parse(text, &directory)?);
        }
        for text in &self.tmpfs {
            spec.mounts.push(tmpfs::parse(text)?);
        }
        let mut targets = std::collections::BTreeSet::new();
        for mount in &spec.mounts {
            if !targets.insert(mount.target.trim_end_matches('/')) {
                let why = "something else is mounted there already";
                return Err(FlagError::value("--volume, --mount, --tmpfs", &mount.target, why)
                    .help("give each mount a place of its own"));
            }
        }
        spec.volumes_from.clone_from(&self.volumes_from);
        Ok(())
    }
}
