//! What may be set, and where each value comes from.
//!
//! A setting is looked for in this order: flags, environment variables, the project's `longshore.toml`, the user's
//! `config.toml`, the built-in default. The first that has it wins; tables (`rules`, `mirrors`, `overrides`, `images`)
//! are joined key by key, and lists (`labels`) are joined whole. Every value remembers its [`Origin`], which
//! `longshore debug settings` prints. Documented in `docs/settings.md`.

mod environment;
mod file;
mod layer;
mod load;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use environment::Environment;
pub(crate) use layer::{Layer, Origin, Settings, Sourced};
pub(crate) use load::load;
pub(crate) use value::{ColorChoice, OutputFormat, RuleLevel, Threshold, spelled};
