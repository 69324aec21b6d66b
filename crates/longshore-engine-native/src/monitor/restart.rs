//! Between two runs of a container: whether it is started again, and the wait before.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use longshore_engine::{ContainerState, EngineError, Fault, RestartPolicy};
use rustix::event::{PollFd, PollFlags, poll};

use super::Monitor;
use super::connection::Connection;
use super::run::timespec;
use super::serve::Ended;
use crate::control::{AnswerDto, Frame, RequestDto};

/// How long to wait before the next start: doubled each time, from the beginning again after a run that was long enough.
#[derive(Debug)]
pub(super) struct RestartDelay(Duration);

impl Default for RestartDelay {
    fn default() -> Self {
        Self(Self::FIRST)
    }
}

impl RestartDelay {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_mins(1);
    const LONG_ENOUGH: Duration = Duration::from_secs(10);

    /// The delay after a run of some length.
    fn next(&mut self, ran: Duration) -> Duration {
        if ran >= Self::LONG_ENOUGH {
            self.0 = Self::FIRST;
        }
        let delay = self.0;
        self.0 = (self.0 * 2).min(Self::LAST);
        delay
    }
}

impl Monitor {
    /// Waits for the next start, if there is to be one. False if there is none.
    pub(super) fn restart(&mut self, ended: &Ended, delay: &mut RestartDelay) -> bool {
        let wanted = !self.state.stopped_by_hand
            && match self.record.spec.restart {
                RestartPolicy::No => false,
                RestartPolicy::OnFailure { retries } => {
                    ended.exit.code != 0 && (retries == 0 || self.state.restarts < retries)
                }
                RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            };
        if !wanted {
            return false;
        }
        // The next start mounts the same directories.
        self.mounts = None;
        self.state.state = ContainerState::Restarting;
        self.state.process = None;
        self.state.exit = Some(ended.exit);
        self.state.finished = Some(super::start::now());
        self.state.restarts += 1;
        self.network.disconnect(&self.home, &self.id);
        self.write_state();
        self.pause_before_restart(delay.next(ended.ran));
        !self.state.stopped_by_hand
    }

    /// Waits, and listens: somebody may not want the next start.
    fn pause_before_restart(&mut self, delay: Duration) {
        let until = Instant::now() + delay;
        while !self.state.stopped_by_hand {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let ready: Vec<bool> = {
                let sockets = self.connections.iter().map(Connection::socket);
                let mut polled: Vec<PollFd<'_>> = std::iter::once(self.listener.as_fd())
                    .chain(sockets)
                    .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
                    .collect();
                let _ = poll(&mut polled, Some(&timespec(left)));
                polled.iter().skip(1).map(|source| !source.revents().is_empty()).collect()
            };
            for (index, ready) in ready.into_iter().enumerate() {
                if ready {
                    self.converse_between(index);
                }
            }
            self.accept();
            self.connections.retain(|connection| !connection.is_closed());
        }
    }

    /// Between two runs there is little to do for requests: it can be stopped, and get other networks.
    fn converse_between(&mut self, index: usize) {
        let Some(frames) = self.connections.get_mut(index).map(Connection::receive) else { return };
        for frame in frames {
            let changed = match &frame {
                Frame::Request(RequestDto::Connect(attachment)) => Some(self.connect_later(attachment)),
                Frame::Request(RequestDto::Disconnect { network }) => Some(self.disconnect_later(network)),
                _ => None,
            };
            let Some(connection) = self.connections.get_mut(index) else { return };
            if let Some(changed) = changed {
                connection.answer(AnswerDto::to(changed));
                continue;
            }
            match frame {
                Frame::Request(RequestDto::Stop { .. } | RequestDto::Kill { for_good: true, .. }) => {
                    self.state.stopped_by_hand = true;
                    connection.awaits_end = true;
                }
                Frame::Request(RequestDto::Attach { stdout, stderr, stdin }) => {
                    (connection.stdout, connection.stderr, connection.stdin) = (stdout, stderr, stdin);
                    connection.watches = true;
                }
                Frame::Request(RequestDto::Watch) => connection.watches = true,
                Frame::Request(RequestDto::EndOfInput | RequestDto::Resize { .. })
                | Frame::Answer(_)
                | Frame::Output(..)
                | Frame::Input(_) => {}
                Frame::Request(_) => {
                    let error = EngineError::new(Fault::Conflict, "the container is restarting");
                    connection.answer(AnswerDto::Failed((&error).into()));
                }
            }
        }
    }
}
