//! Values that may only be known when the run gets there.

/// A value of the plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Planned<T> {
    /// Known now.
    Known(T),
    /// Known later.
    Deferred(Deferred),
    /// It cannot be computed: the run would fail here. The same text is a diagnostic of the plan.
    Failed(String),
}

/// Why a value is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    /// The value as the file has it.
    pub text: String,
    /// What it waits for, such as `needs.build.outputs.tag`, in order, without repetition.
    pub waits_for: Vec<String>,
}

impl<T> Planned<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The same with another value in it.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Planned<U> {
        match self {
            Self::Known(value) => Planned::Known(change(value)),
            Self::Deferred(deferred) => Planned::Deferred(deferred),
            Self::Failed(text) => Planned::Failed(text),
        }
    }
}
