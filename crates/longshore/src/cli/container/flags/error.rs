//! A flag has a value that cannot be used.

use crate::exit::Blame;
use crate::failure::Explained;

/// A flag has a value that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(in crate::cli) struct FlagError {
    message: String,
    help: Option<String>,
    blame: Blame,
}

impl FlagError {
    /// What is wrong with the value of a flag.
    pub(in crate::cli) fn value(flag: &str, value: &str, why: impl std::fmt::Display) -> Self {
        Self { message: format!("`{flag}` cannot be `{value}`: {why}"), help: None, blame: Blame::Code(125) }
    }

    /// Two flags that exclude each other.
    pub(in crate::cli) fn conflict(one: &str, other: &str) -> Self {
        let message = format!("`{one}` and `{other}` cannot be used together");
        Self { message, help: Some("leave one of them out".to_owned()), blame: Blame::Code(125) }
    }

    /// Something that this engine does not do.
    pub(in crate::cli) fn unsupported(flag: &str, why: &str) -> Self {
        Self { message: format!("`{flag}` is not possible: {why}"), help: None, blame: Blame::Code(125) }
    }

    /// With what to do next.
    #[must_use]
    pub(in crate::cli) fn help(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }

    /// With another exit code than the one of `run`.
    #[must_use]
    pub(in crate::cli) fn code(mut self, code: u8) -> Self {
        self.blame = Blame::Code(code);
        self
    }
}

impl Explained for FlagError {
    fn blame(&self) -> Blame {
        self.blame
    }

    fn help(&self) -> Option<String> {
        self.help.clone()
    }
}
