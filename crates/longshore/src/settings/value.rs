//! The values that settings take, as they are written in flags, variables and files.

use std::fmt;

use clap::ValueEnum;
use longshore_syntax::Severity;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// Where the stream is a terminal.
    Auto,
    /// Everywhere, pipes and files too.
    Always,
    /// Nowhere.
    Never,
}

/// The format of results that every verb knows. Verbs add their own through their `--format` flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The least severity of findings that makes `longshore check` fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Threshold {
    /// Any finding.
    Note,
    /// Warnings and errors.
    Warning,
    /// Errors.
    Error,
    /// No finding at all.
    Never,
}

/// What to make of findings with a certain code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuleLevel {
    /// Do not report them.
    Off,
    /// Report them as notes.
    Note,
    /// Report them as warnings.
    Warning,
    /// Report them as errors.
    Error,
}

impl RuleLevel {
    /// The severity to report with; `None` for not at all.
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

impl Threshold {
    /// The least severity that fails; `None` if none does.
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
            Self::Never => None,
        }
    }
}

/// A word as the value it stands for.
pub(super) fn word<T: ValueEnum>(text: &str) -> Result<T, UnknownWord> {
    T::from_str(text, false).map_err(|_| UnknownWord { known: words::<T>() })
}

/// All words of a value.
pub(super) fn words<T: ValueEnum>() -> Vec<String> {
    let names = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    names.map(|value| value.get_name().to_owned()).collect()
}

/// How a value is written.
pub(crate) fn spelled<T: ValueEnum>(value: &T) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The word is none of those known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownWord {
    /// The words that would do.
    pub(super) known: Vec<String>,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<String> = self.known.iter().map(|word| format!("`{word}`")).collect();
        write!(f, "expected one of {}", known.join(", "))
    }
}
