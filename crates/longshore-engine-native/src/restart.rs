//! Stopping a container and starting it again.

use std::time::Duration;

use longshore_engine::{ContainerId, EngineError, Fault};

use crate::engine::NativeEngine;
use crate::record::ContainerDirectory;

impl NativeEngine {
    /// Stops a container if it runs, and starts it.
    ///
    /// # Errors
    ///
    /// If there is none of that id, it removes itself when it ends, or it cannot be started.
    pub fn restart_container(
        &self,
        id: &ContainerId,
        signal: Option<i32>,
        grace: Option<Duration>,
    ) -> Result<Vec<String>, EngineError> {
        let record = ContainerDirectory::new(self.engine_home(), id).record()?;
        if record.spec.auto_remove && self.status(id)?.state.is_alive() {
            let message =
                format!("container {} removes itself when it ends, so it cannot be restarted", id.short());
            return Err(EngineError::new(Fault::Conflict, message).help("run it without `--rm`"));
        }
        self.stop_container(id, signal, grace)?;
        self.start(id)
    }
}
