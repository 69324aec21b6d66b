//! Reading the inputs of built-in actions, by the rules of `@actions/core`.

use thiserror::Error;

use crate::step::StepCall;

/// An input cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum InputError {
    #[error("Input required and not supplied: {0}")]
    Missing(&'static str),
    #[error(
        "Input does not meet YAML 1.2 \"Core Schema\" specification: {0}\nSupport boolean input list: `true | True | TRUE | false | False | FALSE`"
    )]
    Boolean(&'static str),
    #[error("`{name}` cannot be `{value}`: {wanted}")]
    Value { name: &'static str, value: String, wanted: &'static str },
}

/// The inputs of a step.
#[derive(Clone, Copy)]
pub(crate) struct Given<'c, 's>(pub(crate) &'c StepCall<'s>);

impl<'c> Given<'c, '_> {
    /// The value without blanks around it; empty if there is none.
    pub(crate) fn text(self, name: &str) -> &'c str {
        self.0.inputs.text(name).trim()
    }

    /// The same, or something else if it is empty.
    pub(crate) fn text_or(self, name: &str, default: &'c str) -> &'c str {
        Some(self.text(name)).filter(|text| !text.is_empty()).unwrap_or(default)
    }

    /// The value of an input that must be given.
    pub(crate) fn required(self, name: &'static str) -> Result<&'c str, InputError> {
        Some(self.text(name)).filter(|text| !text.is_empty()).ok_or(InputError::Missing(name))
    }

    /// Yes or no.
    pub(crate) fn boolean(self, name: &'static str, default: bool) -> Result<bool, InputError> {
        match self.text(name) {
            "" => Ok(default),
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => Err(InputError::Boolean(name)),
        }
    }

    /// Lines that are not empty.
    pub(crate) fn lines(self, name: &str) -> Vec<String> {
        lines(self.text(name))
    }

    /// A whole number within bounds.
    pub(crate) fn number(
        self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u32>,
        wanted: &'static str,
    ) -> Result<Option<u32>, InputError> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let number = text.parse::<u32>().ok().filter(|number| bounds.contains(number));
        number.map(Some).ok_or_else(|| InputError::Value { name, value: text.to_owned(), wanted })
    }
}

/// The lines of a text that are not empty.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
