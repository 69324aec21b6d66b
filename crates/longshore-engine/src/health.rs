//! Health checks: what is to be run, and the state machine that decides. Sans-IO.
//!
//! The states and their changes are Docker's (`starting`, `healthy`, `unhealthy`): a success makes a container healthy;
//! so many failures in a row as there are retries make it unhealthy; failures of the start period do not count while it
//! is starting. The interval, the start period and the retries are counted exactly as Docker counts them.
//!
//! What is added: while a container is starting, it is probed at once and then at a short distance, so that readiness
//! is noticed soon after it is true and not after a whole interval. Failures of these early probes do not count and are
//! not recorded, so nothing becomes unhealthy earlier than it would in Docker.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How to find out whether a container is well. Absent fields leave the image's value, and then Docker's default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthSpec {
    /// Docker's words: `CMD` and a command, `CMD-SHELL` and a line, or `NONE`; empty for the image's.
    pub test: Vec<String>,
    /// From the end of a probe to the next; 30 s.
    pub interval: Option<Duration>,
    /// How long a probe may take; 30 s.
    pub timeout: Option<Duration>,
    /// How long failures do not count after the start; 0.
    pub start_period: Option<Duration>,
    /// From probe to probe in the start period; 5 s.
    pub start_interval: Option<Duration>,
    /// How many failures in a row make it unhealthy; 3.
    pub retries: Option<u32>,
}

impl HealthSpec {
    /// From the end of a probe to the next.
    pub fn interval(&self) -> Duration {
        self.interval.filter(|interval| !interval.is_zero()).unwrap_or(Duration::from_secs(30))
    }

    /// How long a probe may take.
    pub fn timeout(&self) -> Duration {
        self.timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(Duration::from_secs(30))
    }

    /// How long failures do not count after the start.
    pub fn start_period(&self) -> Duration {
        self.start_period.unwrap_or_default()
    }

    /// From probe to probe in the start period.
    pub fn start_interval(&self) -> Duration {
        self.start_interval.filter(|interval| !interval.is_zero()).unwrap_or(Duration::from_secs(5))
    }

    /// How many failures in a row make it unhealthy.
    pub fn retries(&self) -> u32 {
        self.retries.filter(|retries| *retries > 0).unwrap_or(3)
    }

    /// The command to run in the container; `None` if the check is switched off or says nothing.
    pub fn command(&self, shell: &[String]) -> Option<Vec<String>> {
        match self.test.split_first() {
            Some((kind, command)) if kind == "CMD" && !command.is_empty() => Some(command.to_vec()),
            Some((kind, lines)) if kind == "CMD-SHELL" && !lines.is_empty() => {
                let default = ["/bin/sh".to_owned(), "-c".to_owned()];
                let shell = if shell.is_empty() { &default } else { shell };
                Some(shell.iter().cloned().chain(std::iter::once(lines.join(" "))).collect())
            }
            _ => None,
        }
    }
}

/// The state of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    /// No success yet, and not too many failures.
    #[default]
    Starting,
    /// The last counted probes succeeded.
    Healthy,
    /// Too many failures in a row.
    Unhealthy,
}

impl HealthState {
    /// Docker's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// One probe that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthLog {
    /// When it began: nanoseconds since 1970.
    pub start: i128,
    /// When it ended: nanoseconds since 1970.
    pub end: i128,
    /// Its exit code; -1 if it took too long or could not be run.
    pub exit_code: i32,
    /// What it wrote, at most 4,096 bytes.
    pub output: String,
}

/// What is known of the health of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HealthStatus {
    /// The state.
    pub state: HealthState,
    /// Failures in a row.
    pub failing_streak: u32,
    /// The last five probes, oldest first.
    pub log: Vec<HealthLog>,
}

/// The next probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// When, since the start of the container.
    pub at: Duration,
    /// Whether a failure counts.
    pub counted: bool,
}

/// How a probe ended. Times are since the start of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeResult {
    /// When it began.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
    /// Whether the exit code was 0.
    pub success: bool,
}

/// Decides when to probe next and what a result means.
#[derive(Debug, Clone)]
pub struct HealthTracker {
    spec: HealthSpec,
    state: HealthState,
    failing_streak: u32,
    /// When the next counted probe is due.
    due: Duration,
    next: Probe,
}

impl HealthTracker {
    /// The shortest distance of early probes.
    pub const EARLY: Duration = Duration::from_millis(50);
    /// The longest.
    const LATE: Duration = Duration::from_secs(1);

    /// A container that just started.
    pub fn new(spec: HealthSpec) -> Self {
        let due = Self::pace(&spec, HealthState::Starting, Duration::ZERO);
        let next = Probe { at: Duration::ZERO, counted: false };
        Self { spec, state: HealthState::Starting, failing_streak: 0, due, next }
    }

    /// The state now.
    pub fn state(&self) -> HealthState {
        self.state
    }

    /// Failures in a row.
    pub fn failing_streak(&self) -> u32 {
        self.failing_streak
    }

    /// What to do next.
    pub fn next(&self) -> Probe {
        self.next
    }

    /// Takes the result of the probe that [`next`](Self::next) asked for. True if it is to be recorded.
    pub fn on(&mut self, result: ProbeResult) -> bool {
        let counted = self.next.counted;
        if result.success {
            self.state = HealthState::Healthy;
            self.failing_streak = 0;
        } else if counted {
            let forgiven = self.state == HealthState::Starting && result.start < self.spec.start_period();
            if !forgiven {
                self.failing_streak += 1;
                if self.failing_streak >= self.spec.retries() {
                    self.state = HealthState::Unhealthy;
                }
            }
        }
        if counted || result.success {
            self.due = result.end + Self::pace(&self.spec, self.state, result.end);
        }
        self.next = self.plan(&result);
        counted || result.success
    }

    /// From one counted probe to the next: the start interval holds within the start period, while starting.
    fn pace(spec: &HealthSpec, state: HealthState, at: Duration) -> Duration {
        if state == HealthState::Starting && at < spec.start_period() {
            spec.start_interval().min(spec.interval())
        } else {
            spec.interval()
        }
    }

    fn plan(&self, last: &ProbeResult) -> Probe {
        let counted = Probe { at: self.due, counted: true };
        if self.state != HealthState::Starting {
            return counted;
        }
        // A probe that is slow itself, or a start that takes minutes, is not to eat up the machine.
        let took = last.end.saturating_sub(last.start);
        let distance = (last.end / 600).clamp(Self::EARLY, Self::LATE).max(took);
        let early = Probe { at: last.end + distance, counted: false };
        if early.at < counted.at { early } else { Probe { at: counted.at.max(last.end), ..counted } }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{HealthSpec, HealthState, HealthTracker, ProbeResult};

    fn spec(interval: u64, start_period: u64, retries: u32) -> HealthSpec {
        HealthSpec {
            test: vec!["CMD".to_owned(), "true".to_owned()],
            interval: Some(Duration::from_secs(interval)),
            start_period: Some(Duration::from_secs(start_period)),
            retries: Some(retries),
            ..HealthSpec::default()
        }
    }

    /// Makes probes that take 10 ms until a time, and gives the time of each change of state.
    fn simulate(
        spec: HealthSpec,
        until: Duration,
        ready: impl Fn(Duration) -> bool,
    ) -> Vec<(HealthState, Duration)> {
        let mut tracker = HealthTracker::new(spec);
        let mut changes = Vec::new();
        while tracker.next().at < until {
            let before = tracker.state();
            let start = tracker.next().at;
            let end = start + Duration::from_millis(10);
            tracker.on(ProbeResult { start, end, success: ready(start) });
            if tracker.state() != before {
                changes.push((tracker.state(), end));
            }
        }
        changes
    }

    #[test]
    fn readiness_is_noticed_within_a_tenth_of_a_second() {
        for ready in [0, 7, 333, 1_100, 9_990, 29_000] {
            let ready = Duration::from_millis(ready);
            let changes = simulate(spec(30, 0, 3), Duration::from_mins(1), |at| at >= ready);
            assert_eq!(changes.len(), 1);
            assert_eq!(changes[0].0, HealthState::Healthy);
            assert!(changes[0].1 <= ready + Duration::from_millis(100), "{ready:?}: {changes:?}");
        }
    }

    #[test]
    fn nothing_is_unhealthy_earlier_than_in_docker() {
        // Docker: the first counted probe after one interval, then one each interval after the end of the last.
        let changes = simulate(spec(10, 0, 3), Duration::from_secs(100), |_| false);
        assert_eq!(changes.first().map(|change| change.0), Some(HealthState::Unhealthy));
        assert!((30..31).contains(&changes[0].1.as_secs()), "{changes:?}");
    }

    #[test]
    fn failures_of_the_start_period_do_not_count() {
        let changes = simulate(spec(10, 35, 2), Duration::from_secs(100), |_| false);
        assert!(changes[0].1 >= Duration::from_secs(45), "{changes:?}");
    }

    #[test]
    fn a_container_recovers_and_relapses() {
        let well = |at: Duration| !(20..55).contains(&at.as_secs());
        let states: Vec<_> = simulate(spec(10, 0, 3), Duration::from_secs(100), well)
            .into_iter()
            .map(|change| change.0)
            .collect();
        assert_eq!(states, [HealthState::Healthy, HealthState::Unhealthy, HealthState::Healthy]);
    }

    #[test]
    fn tests_are_commands_or_lines() {
        let with = |words: &[&str]| HealthSpec {
            test: words.iter().map(|word| (*word).to_owned()).collect(),
            ..HealthSpec::default()
        };
        assert_eq!(with(&["CMD", "a", "b"]).command(&[]).unwrap(), ["a", "b"]);
        assert_eq!(with(&["CMD-SHELL", "a | b"]).command(&[]).unwrap(), ["/bin/sh", "-c", "a | b"]);
        assert_eq!(with(&["NONE"]).command(&[]), None);
        assert_eq!(with(&[]).command(&[]), None);
    }

    proptest! {
        /// Time moves on, and a probe never begins before the last one ended.
        #[test]
        fn probes_follow_each_other(
            interval in 1_u64..60, period in 0_u64..60, retries in 1_u32..5,
            steps in proptest::collection::vec((any::<bool>(), 0_u64..5_000), 1..200),
        ) {
            let mut tracker = HealthTracker::new(spec(interval, period, retries));
            let mut last = Duration::ZERO;
            for (success, took) in steps {
                let start = tracker.next().at;
                prop_assert!(start >= last);
                last = start + Duration::from_millis(took);
                tracker.on(ProbeResult { start, end: last, success });
                prop_assert_eq!(tracker.state() == HealthState::Unhealthy, tracker.failing_streak() >= retries);
            }
        }
    }
}
