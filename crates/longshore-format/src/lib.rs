//! Go's text templates as `--format` needs them, the tables of listings, and `--filter`.
//!
//! Scripts hand Docker's command line templates of Go's `text/template`, and read what comes out. So this crate is that
//! language ([`Template`]) with Docker's functions, Docker's ways to use it ([`Inspection`] for documents, [`Format`] for
//! listings), the tables that listings are by default ([`Table`]), the units in their columns ([`human`]), and
//! [`Filters`].
//!
//! Deviations from Go: texts are UTF-8, so where a template cuts a character in two, the replacement character stands for
//! the rest; there are no complex numbers; numbers of a document without types are numbers and not `json.Number`.

#![forbid(unsafe_code)]

mod filters;
mod format;
mod glob;
pub mod human;
mod inspect;
mod json;
mod number;
mod quote;
mod shape;
mod table;
mod template;
mod value;
mod verb;

pub use filters::{FilterError, Filters};
pub use format::{Format, FormatError, Listing};
pub use glob::path_match;
pub use inspect::Inspection;
pub use quote::quote;
pub use shape::Shape;
pub use table::Table;
pub use template::{MissingKey, Template, TemplateError};
pub use value::{List, Lookup, Map, Record, Value};
