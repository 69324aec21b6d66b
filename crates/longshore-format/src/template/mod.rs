//! The language of Go's package `text/template`.
//!
//! A text becomes tokens ([`lexer`]), these a tree ([`parser`], [`pipeline`], [`node`]), which [`executor`] walks with a value as dot.
//! [`evaluate`] gives the values of pipelines, and [`function`] has what they may call: Go's own ([`builtin`],
//! [`compare`]) and Docker's ([`docker`]).
//!
//! A template comes from a user's command line and perhaps from a workflow that he did not write: nesting, steps, and the
//! bytes that are made on the way are bounded.

mod builtin;
mod compare;
mod docker;
mod error;
mod evaluate;
mod executor;
mod function;
mod lexer;
mod literal;
mod node;
mod parser;
mod pipeline;
mod token;

use std::collections::BTreeMap;

use crate::value::Value;
pub use error::TemplateError;

/// A template that is ready to be rendered.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    blocks: BTreeMap<String, node::Block>,
}

/// What a map gives for a key that it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// Nothing, which prints as `<no value>`.
    #[default]
    NoValue,
    /// An error.
    Error,
}

/// Which functions a template has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum FunctionSet {
    /// Go's and Docker's.
    #[default]
    Values,
    /// The same, of which some leave the titles of columns alone.
    Titles,
}

impl Template {
    /// Parses a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateError::Limit { what: "template is", most: "1 MiB" });
        }
        Ok(Self { text: text.to_owned(), blocks: parser::parse(text)? })
    }

    /// Renders the template with a value as dot.
    pub fn render(&self, value: &Value, missing: MissingKey) -> Result<String, TemplateError> {
        executor::Executor::new(self, missing, FunctionSet::Values).run(value)
    }

    /// Renders the row of titles of a table.
    pub(crate) fn render_titles(&self, titles: &Value) -> Result<String, TemplateError> {
        executor::Executor::new(self, MissingKey::NoValue, FunctionSet::Titles).run(titles)
    }
}

/// How long a template may be.
const MAX_TEMPLATE: usize = 1 << 20;
