//! The end of a container: what is written down, told, and cleaned up, in that order of importance.

use std::time::Duration;

use longshore_engine::{ContainerState, ExitStatus};

use super::Monitor;
use super::serve::Ended;
use super::start::now;
use crate::control::AnswerDto;
use crate::rootless::Worker;

/// How long processes that outlived the container's own may take to be killed.
const KILLING: Duration = Duration::from_secs(10);

impl Monitor {
    /// The container has ended for good.
    pub(super) fn end(&mut self, ended: &Ended) {
        self.clean_up(ended.exit);
        self.tell(&AnswerDto::Exited(ended.exit));
        self.leave();
    }

    /// Takes away what the container had of the machine, and writes down how it ended. If it is to be removed, its name
    /// is free when this returns; its files are deleted later.
    pub(super) fn clean_up(&mut self, exit: ExitStatus) {
        let _ = self.log.finish();
        self.network.disconnect(&self.home, &self.id);
        let own_processes = self.record.spec.security.pid == longshore_engine::NamespaceMode::Private;
        if let Some(group) = self.cgroup.as_ref().filter(|_| !own_processes) {
            // Without process ids of its own, a container's processes do not end with its first.
            if group.processes().is_ok_and(|left| !left.is_empty()) {
                let _ = group.kill(KILLING);
            }
        }
        self.state.state = ContainerState::Exited;
        self.state.process = None;
        self.state.monitor = None;
        self.state.ports.clear();
        self.state.exit = Some(exit);
        self.state.finished = Some(now());
        // What is removed needs no last words.
        if self.record.spec.auto_remove && crate::directory::discard(&self.home, &self.record).is_ok() {
            return;
        }
        self.write_state();
        let _ = std::fs::remove_file(self.directory.file("control"));
    }

    /// Says the last words, and does what nobody waits for.
    pub(super) fn leave(&mut self) {
        for connection in &mut self.connections {
            if connection.awaits_end {
                connection.answer(AnswerDto::Done);
            }
            connection.finish();
        }
        self.connections.clear();
        self.mounts = None;
        if let Some(group) = &self.cgroup {
            let _ = group.remove(KILLING);
        }
        // The lock ends with this process; its file says that there is something to clean up, which there is not.
        let _ = std::fs::remove_file(self.home.live().join(self.id.as_str()));
        let _ = self.lock.unlock();
        if self.record.spec.auto_remove {
            crate::directory::empty_trash(&self.home, &Worker::within());
        }
    }
}
