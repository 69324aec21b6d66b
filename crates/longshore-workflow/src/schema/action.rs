//! The schema of `action.yml`.
//!
//! Source: the published action schema and "Metadata syntax reference" in GitHub's documentation. As on GitHub, keys of
//! an input beyond the known ones are let through.

use super::allowed::AllowedSet;
use super::step::{ACTION_INPUTS, COMPOSITE_STEPS, RUNS_IF};
use super::{ANY, BOOLEAN, Definition, Mapping, NON_EMPTY, STRING, Shape, key, required};

/// The root of an action manifest.
pub static ACTION_ROOT: Definition = Definition::mapping(
    "action-root",
    &[
        required("name", &NON_EMPTY),
        required("description", &STRING),
        key("author", &STRING),
        key("inputs", &INPUTS),
        key("outputs", &OUTPUTS),
        required("runs", &RUNS),
        key("branding", &BRANDING),
    ],
);

static INPUTS: Definition = Definition::entries("inputs", &NON_EMPTY, &INPUT);
static INPUT: Definition = {
    static DEFAULT: Definition = Definition::new("input-default-context", Shape::String).allowing(
        AllowedSet::GITHUB
            .with(AllowedSet::STRATEGY)
            .with(AllowedSet::MATRIX)
            .with(AllowedSet::JOB)
            .with(AllowedSet::RUNNER)
            .with(AllowedSet::HASH_FILES),
    );
    Definition::new(
        "input",
        Shape::Mapping(Mapping {
            properties: &[
                key("description", &STRING),
                key("required", &BOOLEAN),
                key("default", &DEFAULT),
                key("deprecationMessage", &STRING),
            ],
            loose: Some((&NON_EMPTY, &ANY)),
        }),
    )
};
static OUTPUTS: Definition = {
    static VALUE: Definition = Definition::new("output-value", Shape::String).allowing(
        AllowedSet::GITHUB
            .with(AllowedSet::STRATEGY)
            .with(AllowedSet::MATRIX)
            .with(AllowedSet::STEPS)
            .with(AllowedSet::INPUTS)
            .with(AllowedSet::JOB)
            .with(AllowedSet::RUNNER)
            .with(AllowedSet::ENV),
    );
    static OUTPUT: Definition =
        Definition::mapping("output-definition", &[key("description", &STRING), key("value", &VALUE)]);
    Definition::entries("outputs", &NON_EMPTY, &OUTPUT)
};

static CONDITION: Definition = Definition::new("runs-if", Shape::String).allowing(RUNS_IF);
static USING: Definition =
    Definition::words("using", &["docker", "node12", "node16", "node20", "node24", "composite"]);
static RUNS: Definition = Definition::one_of("runs", &[&CONTAINER, &NODE, &COMPOSITE]);
static CONTAINER: Definition = {
    static ARG: Definition = Definition::new("container-runs-context", Shape::String).allowing(ACTION_INPUTS);
    static ARGS: Definition = Definition::sequence("container-runs-args", &ARG);
    static ENV: Definition =
        Definition::entries("container-runs-env", &NON_EMPTY, &STRING).allowing(ACTION_INPUTS);
    Definition::mapping(
        "container-runs",
        &[
            required("using", &USING),
            required("image", &NON_EMPTY),
            key("entrypoint", &NON_EMPTY),
            key("args", &ARGS),
            key("env", &ENV),
            key("pre-entrypoint", &NON_EMPTY),
            key("pre-if", &CONDITION),
            key("post-entrypoint", &NON_EMPTY),
            key("post-if", &CONDITION),
        ],
    )
};
static NODE: Definition = Definition::mapping(
    "node-runs",
    &[
        required("using", &USING),
        required("main", &NON_EMPTY),
        key("pre", &NON_EMPTY),
        key("pre-if", &CONDITION),
        key("post", &NON_EMPTY),
        key("post-if", &CONDITION),
    ],
);
static COMPOSITE: Definition =
    Definition::mapping("composite-runs", &[required("using", &USING), required("steps", &COMPOSITE_STEPS)]);

static BRANDING: Definition = {
    static COLOR: Definition = Definition::words(
        "branding-color",
        &["white", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"],
    );
    // The icon is a name of the Feather set; the marketplace checks it, a run never does.
    Definition::mapping("branding", &[key("icon", &STRING), key("color", &COLOR)])
};
