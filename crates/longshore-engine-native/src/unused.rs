//! Volumes that containers use, and removing those that none does.

use longshore_engine::{ContainerId, EngineError, Fault, MountKind};

use crate::directory;
use crate::engine::NativeEngine;
use crate::record::ContainerDirectory;

impl NativeEngine {
    /// The containers that mount a volume, whether they run or not.
    ///
    /// # Errors
    ///
    /// If the containers cannot be listed.
    pub fn users_of_volume(&self, name: &str) -> Result<Vec<ContainerId>, EngineError> {
        let home = self.engine_home();
        let uses = |id: &ContainerId| {
            ContainerDirectory::new(home, id).record().is_ok_and(|record| {
                record.spec.mounts.iter().any(
                    |mount| matches!(&mount.kind, MountKind::Volume { name: Some(used), .. } if used == name),
                )
            })
        };
        Ok(directory::all(home)?.into_iter().filter(uses).collect())
    }

    /// Removes a volume that no container uses.
    ///
    /// # Errors
    ///
    /// If there is none of that name, or a container uses it.
    pub fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let volumes = self.volumes();
        volumes.inspect(name)?;
        let users = self.users_of_volume(name)?;
        if !users.is_empty() {
            let users: Vec<&str> = users.iter().map(ContainerId::as_str).collect();
            let message = format!("cannot remove volume {name}: volume is in use - [{}]", users.join(", "));
            return Err(
                EngineError::new(Fault::Conflict, message).help("remove the containers that use it first")
            );
        }
        volumes.remove(self.engine_home(), name)?;
        directory::empty_trash(self.engine_home(), self.worker());
        Ok(())
    }

    /// A name for a volume that nobody names.
    ///
    /// # Errors
    ///
    /// If the kernel gives no random numbers.
    pub fn free_volume_name(&self) -> Result<String, EngineError> {
        crate::create::random().map(|bytes| ContainerId::of(bytes).as_str().to_owned())
    }

    /// Lets a container's volumes without a name stay when it is removed.
    ///
    /// # Errors
    ///
    /// If there is none of that id.
    pub fn keep_volumes(&self, id: &ContainerId) -> Result<(), EngineError> {
        let directory = ContainerDirectory::new(self.engine_home(), id);
        let mut record = directory.record()?;
        if record.anonymous_volumes.is_empty() {
            return Ok(());
        }
        record.anonymous_volumes.clear();
        directory.write_record(&record)
    }
}
