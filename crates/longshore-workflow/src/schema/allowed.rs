//! Which contexts and functions an expression may use in a place.

/// Names of contexts, each a bit of [`AllowedSet`] at its index.
const CONTEXTS: [&str; 12] = [
    "github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "steps", "job", "runner", "env",
    "jobs",
];

/// A set of contexts and context-bound functions. The functions that need no surroundings are allowed everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowedSet {
    contexts: u16,
    hash_files: bool,
    status: Option<Status>,
}

/// How the status functions `success`, `failure`, `always` and `cancelled` are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `success` and `failure` take names of needed jobs.
    Job,
    /// None takes arguments.
    Step,
}

impl AllowedSet {
    /// Nothing: no expression may stand here.
    pub const NONE: Self = Self { contexts: 0, hash_files: false, status: None };

    const fn of(contexts: u16) -> Self {
        Self { contexts, ..Self::NONE }
    }

    pub(super) const GITHUB: Self = Self::of(1);
    pub(super) const INPUTS: Self = Self::of(1 << 1);
    pub(super) const VARS: Self = Self::of(1 << 2);
    pub(super) const NEEDS: Self = Self::of(1 << 3);
    pub(super) const STRATEGY: Self = Self::of(1 << 4);
    pub(super) const MATRIX: Self = Self::of(1 << 5);
    pub(super) const SECRETS: Self = Self::of(1 << 6);
    pub(super) const STEPS: Self = Self::of(1 << 7);
    pub(super) const JOB: Self = Self::of(1 << 8);
    pub(super) const RUNNER: Self = Self::of(1 << 9);
    pub(super) const ENV: Self = Self::of(1 << 10);
    pub(super) const JOBS: Self = Self::of(1 << 11);
    pub(super) const HASH_FILES: Self = Self { hash_files: true, ..Self::NONE };
    pub(super) const JOB_STATUS: Self = Self { status: Some(Status::Job), ..Self::NONE };
    pub(super) const STEP_STATUS: Self = Self { status: Some(Status::Step), ..Self::NONE };

    /// Both sets together.
    pub const fn with(self, other: Self) -> Self {
        Self {
            contexts: self.contexts | other.contexts,
            hash_files: self.hash_files || other.hash_files,
            status: if self.status.is_some() { self.status } else { other.status },
        }
    }

    /// Whether no expression may stand here.
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// Whether the context `name` is in the set.
    pub fn has_context(self, name: &str) -> bool {
        self.contexts().any(|context| context.eq_ignore_ascii_case(name))
    }

    /// How status functions are there, if they are.
    pub fn status(self) -> Option<Status> {
        self.status
    }

    /// The contexts in the set, in GitHub's order.
    pub fn contexts(self) -> impl Iterator<Item = &'static str> {
        CONTEXTS
            .iter()
            .enumerate()
            .filter(move |(bit, _)| self.contexts & (1 << bit) != 0)
            .map(|(_, name)| *name)
    }

    /// Everything in the set as GitHub's schema spells it: `github`, `hashFiles(1,255)`, `failure(0,MAX)`.
    pub fn items(self) -> Vec<&'static str> {
        let mut items: Vec<_> = self.contexts().collect();
        match self.status {
            Some(Status::Job) => {
                items.extend(["always(0,0)", "failure(0,MAX)", "cancelled(0,0)", "success(0,MAX)"]);
            }
            Some(Status::Step) => {
                items.extend(["always(0,0)", "failure(0,0)", "cancelled(0,0)", "success(0,0)"]);
            }
            None => {}
        }
        if self.hash_files {
            items.push("hashFiles(1,255)");
        }
        items
    }
}

/// Where a run is known but no job: `github`, `inputs`, `vars`.
pub(super) const RUN: AllowedSet = AllowedSet::GITHUB.with(AllowedSet::INPUTS).with(AllowedSet::VARS);
/// Before a job is expanded: also `needs`.
pub(super) const NEEDS: AllowedSet = RUN.with(AllowedSet::NEEDS);
/// In an expanded job: also `strategy` and `matrix`.
pub(super) const CELL: AllowedSet = NEEDS.with(AllowedSet::STRATEGY).with(AllowedSet::MATRIX);
/// On the runner: also `steps`, `job`, `runner` and `env`.
pub(super) const RUNNER: AllowedSet =
    CELL.with(AllowedSet::STEPS).with(AllowedSet::JOB).with(AllowedSet::RUNNER).with(AllowedSet::ENV);
/// In a step: also `secrets` and `hashFiles`.
pub(super) const STEP: AllowedSet = RUNNER.with(AllowedSet::SECRETS).with(AllowedSet::HASH_FILES);
