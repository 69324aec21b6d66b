//! The rules, one file for each or for each tight family.

mod change_detection;
mod check_command;
mod checkout;
mod command;
mod condition;
mod deprecated;
mod fixed_sleep;
mod ignored_failure;
mod permissions;
mod pipe;
mod reference;
mod runner;
mod scalar;
mod schedule;
mod script_injection;
mod secrets;
mod size;
mod taint;
mod timeout;
mod trigger;
mod trust;
mod unpinned;
mod unused_output;

use crate::{Rule, ignore};

pub(crate) use size::RULE as TOO_LARGE;

/// All rules.
pub const RULES: &[Rule] = &[
    script_injection::RULE,
    script_injection::INPUT,
    checkout::UNTRUSTED,
    checkout::PERSISTED,
    trigger::DANGEROUS,
    trigger::UNKNOWN,
    unpinned::ACTION,
    unpinned::IMAGE,
    permissions::EXCESSIVE,
    permissions::MISSING,
    permissions::ID_TOKEN,
    secrets::IN_RUN,
    secrets::PRINTED,
    secrets::ALL,
    secrets::INHERITED,
    secrets::WIDE_ENV,
    secrets::COMPARED,
    secrets::IN_PATH,
    secrets::DEBUG,
    trust::ACTOR,
    trust::SUBSTRING,
    trust::CACHE,
    command::DEPRECATED,
    command::INSECURE,
    deprecated::ACTION,
    deprecated::RUNTIME,
    condition::CONSTANT,
    condition::EVENT,
    condition::JOB,
    condition::STEP,
    ignored_failure::RULE,
    fixed_sleep::RULE,
    change_detection::INVERTED,
    change_detection::SHALLOW,
    reference::STEP,
    reference::NEED,
    reference::OUTPUT,
    reference::MATRIX,
    reference::INPUT,
    unused_output::RULE,
    runner::UNKNOWN,
    runner::RETIRED,
    schedule::FREQUENT,
    schedule::NEVER,
    scalar::RULE,
    timeout::RULE,
    size::RULE,
    pipe::TO_SHELL,
    pipe::UNCHECKED,
    ignore::RULE,
];
