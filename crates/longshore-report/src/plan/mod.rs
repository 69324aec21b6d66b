//! Plans, in every format they are wanted in.
//!
//! - [`tree`]: for people: the event, what it starts with which jobs, what it does not start and why.
//! - [`json`]: Longshore's own documented shape, for programs (`docs/plan-json.md`).
//! - [`mermaid`] and [`dot`]: the jobs with what they need, as a drawing.
//!
//! All take the same [`PlanView`] and keep the order of the plan.

pub mod dot;
mod graph;
pub mod json;
pub mod mermaid;
mod premise;
pub mod tree;
mod view;

#[cfg(test)]
mod tests;

pub use premise::{Premise, PremiseBase, PremiseOrigin};
pub use view::{MissingSource, PlanCounts, PlanView};
