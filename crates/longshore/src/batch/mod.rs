//! The operations of `longshore debug batch`.
//!
//! Each family of operations is one file with a constant that lists them; adding an operation is adding a row there and
//! a section in `docs/batch.md`, which a test compares. Requests and answers are stable: fields may be added, none
//! changes its meaning.

mod expr;
pub(crate) mod line;
mod oci;
mod operation;
mod request;
mod workflow;

pub(crate) use request::{answer, too_long};

use self::operation::Operation;

/// Every operation, in the order of the documentation.
fn operations() -> impl Iterator<Item = &'static Operation> {
    [request::OPERATIONS, expr::OPERATIONS, workflow::OPERATIONS, oci::OPERATIONS].into_iter().flatten()
}

#[cfg(test)]
mod tests;
