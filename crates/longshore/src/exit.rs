//! Exit codes: the one place that decides them.
//!
//! They are part of what scripts rely on; `docs/exit-codes.md` and `longshore --help` say the same, and tests compare.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked for.
    Success,
    /// The command worked; what it examined did not pass.
    Failed,
    /// The command line cannot be used as it is.
    Usage,
    /// A `longshore.toml` cannot be used as it is.
    Config,
    /// This machine lacks something: a file, a permission, room on the disk.
    Environment,
    /// Another machine refused or did not answer.
    Remote,
    /// A mistake in Longshore itself.
    Internal,
    /// What ran in a container, or Docker's commands for containers, decided; see `docs/containers.md`.
    Program(u8),
}

impl Exit {
    /// Every exit code with what it says, for help and documentation.
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Success, "success"),
        (
            Self::Failed,
            "what was examined failed: findings at or above the threshold, an expression without value",
        ),
        (Self::Usage, "usage: unknown flag or verb, or an input value that cannot be used"),
        (Self::Config, "configuration: a longshore.toml or a LONGSHORE_ variable cannot be used"),
        (Self::Environment, "environment: missing file, missing permission, full disk"),
        (Self::Remote, "remote: another machine refused or did not answer"),
        (Self::Internal, "internal error: a mistake in Longshore, please report it"),
    ];
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Environment => 4,
            Self::Remote => 5,
            Self::Internal => 70,
            Self::Program(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Who can mend a failure. Every error knows it; it decides the exit code and the voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// Who typed the command.
    User,
    /// Who wrote the configuration.
    Config,
    /// Who keeps this machine.
    Environment,
    /// Who keeps another machine.
    Remote,
    /// Us.
    Bug,
    /// Whoever it is, the verb has Docker's exit codes, and this is the one.
    Code(u8),
}

impl From<Blame> for Exit {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::User => Self::Usage,
            Blame::Config => Self::Config,
            Blame::Environment => Self::Environment,
            Blame::Remote => Self::Remote,
            Blame::Bug => Self::Internal,
            Blame::Code(code) => Self::Program(code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_documentation_lists_every_code() {
        let page = include_str!("../../../docs/exit-codes.md");
        for (exit, meaning) in Exit::ALL {
            let row = format!("| {} | {meaning} |", exit.code());
            assert!(page.contains(&row), "docs/exit-codes.md lacks the row\n{row}");
        }
        assert_eq!(page.matches("\n| ").count(), Exit::ALL.len() + 1, "a row too many");
    }
}
