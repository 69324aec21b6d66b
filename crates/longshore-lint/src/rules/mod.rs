//! The rules, one file for each or for each tight family.

mod timeout;
mod unpinned;

use crate::{Rule, ignore};

/// All rules, by code.
pub const RULES: &[Rule] = &[timeout::RULE, unpinned::ACTION, unpinned::IMAGE, ignore::RULE];
