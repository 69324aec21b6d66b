//! The `steps:` part of the schema.

use super::allowed::{AllowedSet, RUNNER, STEP};
use super::{BOOLEAN, Definition, NON_EMPTY, NULL, Shape, TEXTS, key, required};

static NAME: Definition = Definition::new("step-name", Shape::String).allowing(STEP);
static TEXT: Definition = Definition::new("string-steps-context", Shape::String).allowing(STEP);
static CONDITION: Definition = Definition::new("step-if", Shape::String)
    .allowing(RUNNER.with(AllowedSet::HASH_FILES).with(AllowedSet::STEP_STATUS));
static CONTINUE: Definition = Definition::new("step-continue-on-error", Shape::Boolean).allowing(STEP);
static TIMEOUT: Definition = Definition::new("step-timeout-minutes", Shape::Number).allowing(STEP);
static ENV: Definition = {
    let mut env = Definition::entries("step-env", &NON_EMPTY, &super::STRING);
    env.allowed = STEP;
    env
};
static WITH: Definition = {
    let mut with = Definition::entries("step-with", &NON_EMPTY, &super::STRING);
    with.allowed = STEP;
    with
};
static WAIT_ALL: Definition = Definition::one_of("step-wait-all-value", &[&NULL, &BOOLEAN]);

static RUN: Definition = Definition::mapping(
    "run-step",
    &[
        key("name", &NAME),
        key("id", &NON_EMPTY),
        key("if", &CONDITION),
        key("timeout-minutes", &TIMEOUT),
        required("run", &TEXT),
        key("continue-on-error", &CONTINUE),
        key("env", &ENV),
        key("working-directory", &TEXT),
        key("shell", &NON_EMPTY),
        key("background", &BOOLEAN),
    ],
);

static USES: Definition = Definition::mapping(
    "regular-step",
    &[
        key("name", &NAME),
        key("id", &NON_EMPTY),
        key("if", &CONDITION),
        key("continue-on-error", &CONTINUE),
        key("timeout-minutes", &TIMEOUT),
        required("uses", &NON_EMPTY),
        key("with", &WITH),
        key("env", &ENV),
        key("background", &BOOLEAN),
    ],
);

/// The keys that `wait`, `wait-all` and `cancel` steps share, and their own.
macro_rules! control {
    ($name:ident, $schema:literal, $key:literal, $value:expr) => {
        static $name: Definition = Definition::mapping(
            $schema,
            &[
                key("name", &NAME),
                key("id", &NON_EMPTY),
                key("continue-on-error", &CONTINUE),
                required($key, $value),
            ],
        );
    };
}
control!(WAIT, "wait-step", "wait", &TEXTS);
control!(WAIT_FOR_ALL, "wait-all-step", "wait-all", &WAIT_ALL);
control!(CANCEL, "cancel-step", "cancel", &NON_EMPTY);
static PARALLEL: Definition = Definition::mapping("parallel-step", &[required("parallel", &STEPS)]);
static ITEM: Definition =
    Definition::one_of("steps-item", &[&RUN, &USES, &WAIT, &WAIT_FOR_ALL, &CANCEL, &PARALLEL]);

/// The value of a job's `steps:`.
pub(super) static STEPS: Definition = Definition::sequence("steps", &ITEM);

/// In a composite action: a step's contexts with `inputs` but without what belongs to the caller.
const COMPOSITE: AllowedSet = AllowedSet::GITHUB
    .with(AllowedSet::INPUTS)
    .with(AllowedSet::STRATEGY)
    .with(AllowedSet::MATRIX)
    .with(AllowedSet::STEPS)
    .with(AllowedSet::JOB)
    .with(AllowedSet::RUNNER)
    .with(AllowedSet::ENV)
    .with(AllowedSet::HASH_FILES);

static COMPOSITE_TEXT: Definition =
    Definition::new("string-steps-context", Shape::String).allowing(COMPOSITE);
static COMPOSITE_IF: Definition =
    Definition::new("step-if", Shape::String).allowing(COMPOSITE.with(AllowedSet::STEP_STATUS));
static COMPOSITE_CONTINUE: Definition =
    Definition::new("boolean-steps-context", Shape::Boolean).allowing(COMPOSITE);
static COMPOSITE_ENTRIES: Definition = {
    let mut entries = Definition::entries("step-with", &NON_EMPTY, &super::STRING);
    entries.allowed = COMPOSITE;
    entries
};
static COMPOSITE_RUN: Definition = Definition::mapping(
    "run-step",
    &[
        key("name", &COMPOSITE_TEXT),
        key("id", &NON_EMPTY),
        key("if", &COMPOSITE_IF),
        required("run", &COMPOSITE_TEXT),
        required("shell", &COMPOSITE_TEXT),
        key("env", &COMPOSITE_ENTRIES),
        key("continue-on-error", &COMPOSITE_CONTINUE),
        key("working-directory", &COMPOSITE_TEXT),
    ],
);
static COMPOSITE_USES: Definition = Definition::mapping(
    "uses-step",
    &[
        key("name", &COMPOSITE_TEXT),
        key("id", &NON_EMPTY),
        key("if", &COMPOSITE_IF),
        required("uses", &NON_EMPTY),
        key("with", &COMPOSITE_ENTRIES),
        key("env", &COMPOSITE_ENTRIES),
        key("continue-on-error", &COMPOSITE_CONTINUE),
    ],
);
static COMPOSITE_ITEM: Definition = Definition::one_of("composite-step", &[&COMPOSITE_RUN, &COMPOSITE_USES]);

/// The value of a composite action's `steps:`.
pub(super) static COMPOSITE_STEPS: Definition = Definition::sequence("composite-steps", &COMPOSITE_ITEM);

/// What a Docker action's `args` may use.
pub(super) const ACTION_INPUTS: AllowedSet = AllowedSet::INPUTS;
/// What an action's `pre-if` and `post-if` may use.
pub(super) const RUNS_IF: AllowedSet = COMPOSITE.with(AllowedSet::STEP_STATUS);
