//! The workflow schema from its root down to jobs.

use super::allowed::{AllowedSet, CELL, NEEDS, RUN, RUNNER};
use super::event::ON;
use super::step::STEPS;
use super::{
    ANY, BOOLEAN, Definition, Mapping, NON_EMPTY, NON_EMPTY_STRINGS, NUMBER, STRING, Shape, TEXTS, key,
    required,
};

/// The root of a workflow file.
pub static WORKFLOW_ROOT: Definition = Definition::mapping(
    "workflow-root",
    &[
        required("on", &ON),
        key("name", &STRING),
        key("description", &STRING),
        key("run-name", &RUN_NAME),
        key("defaults", &DEFAULTS),
        key("env", &ENV),
        key("permissions", &PERMISSIONS),
        key("concurrency", &CONCURRENCY),
        required("jobs", &JOBS),
    ],
);

/// Entries with a free key and text values, with their own contexts.
const fn variables(name: &'static str, allowed: AllowedSet) -> Definition {
    Definition::entries(name, &NON_EMPTY, &STRING).allowing(allowed)
}

static RUN_NAME: Definition = Definition::new("run-name", Shape::String).allowing(RUN);
static ENV: Definition = variables("workflow-env", RUN.with(AllowedSet::SECRETS));
static DEFAULTS: Definition = Definition::mapping("workflow-defaults", &[key("run", &DEFAULTS_RUN)]);
static DEFAULTS_RUN: Definition = Definition::mapping(
    "workflow-defaults-run",
    &[key("shell", &NON_EMPTY), key("working-directory", &NON_EMPTY)],
);
static CONCURRENCY: Definition =
    Definition::one_of("workflow-concurrency", &[&STRING, &CONCURRENCY_MAPPING]).allowing(RUN);
static CONCURRENCY_MAPPING: Definition = {
    static QUEUE: Definition = Definition::words("concurrency-queue", &["single", "max"]);
    Definition::mapping(
        "concurrency-mapping",
        &[required("group", &NON_EMPTY), key("cancel-in-progress", &BOOLEAN), key("queue", &QUEUE)],
    )
};

/// The permission scopes with the levels that each takes.
pub static PERMISSION_SCOPES: &[(&str, &[&str])] = &[
    ("actions", ANY_LEVEL),
    ("artifact-metadata", ANY_LEVEL),
    ("attestations", ANY_LEVEL),
    ("checks", ANY_LEVEL),
    ("code-quality", ANY_LEVEL),
    ("contents", ANY_LEVEL),
    ("copilot-requests", WRITE_OR_NONE),
    ("deployments", ANY_LEVEL),
    ("discussions", ANY_LEVEL),
    ("drives", ANY_LEVEL),
    ("id-token", WRITE_OR_NONE),
    ("issues", ANY_LEVEL),
    ("models", READ_OR_NONE),
    ("packages", ANY_LEVEL),
    ("pages", ANY_LEVEL),
    ("pull-requests", ANY_LEVEL),
    ("repository-projects", ANY_LEVEL),
    ("security-events", ANY_LEVEL),
    ("statuses", ANY_LEVEL),
    ("vulnerability-alerts", READ_OR_NONE),
];
const ANY_LEVEL: &[&str] = &["read", "write", "none"];
const READ_OR_NONE: &[&str] = &["read", "none"];
const WRITE_OR_NONE: &[&str] = &["write", "none"];

static PERMISSIONS: Definition = {
    static LEVEL: Definition = Definition::words("permission-level-any", ANY_LEVEL);
    static READ: Definition = Definition::words("permission-level-read-or-no-access", READ_OR_NONE);
    static WRITE: Definition = Definition::words("permission-level-write-or-no-access", WRITE_OR_NONE);
    static MAPPING: Definition = Definition::mapping(
        "permissions-mapping",
        &[
            key("actions", &LEVEL),
            key("artifact-metadata", &LEVEL),
            key("attestations", &LEVEL),
            key("checks", &LEVEL),
            key("code-quality", &LEVEL),
            key("contents", &LEVEL),
            key("copilot-requests", &WRITE),
            key("deployments", &LEVEL),
            key("discussions", &LEVEL),
            key("drives", &LEVEL),
            key("id-token", &WRITE),
            key("issues", &LEVEL),
            key("models", &READ),
            key("packages", &LEVEL),
            key("pages", &LEVEL),
            key("pull-requests", &LEVEL),
            key("repository-projects", &LEVEL),
            key("security-events", &LEVEL),
            key("statuses", &LEVEL),
            key("vulnerability-alerts", &READ),
        ],
    );
    static SHORTHAND: Definition =
        Definition::words("permission-level-shorthand", &["read-all", "write-all"]);
    Definition::one_of("permissions", &[&MAPPING, &SHORTHAND])
};

static JOBS: Definition = Definition::entries("jobs", &NON_EMPTY, &JOB);
static JOB: Definition = Definition::one_of("job", &[&JOB_FACTORY, &WORKFLOW_JOB]);
static JOB_FACTORY: Definition = Definition::mapping(
    "job-factory",
    &[
        key("needs", &JOB_NEEDS),
        key("if", &JOB_IF),
        key("strategy", &STRATEGY),
        key("name", &CELL_STRING),
        required("runs-on", &RUNS_ON),
        key("timeout-minutes", &CELL_NUMBER),
        key("cancel-timeout-minutes", &CELL_NUMBER),
        key("continue-on-error", &CELL_BOOLEAN),
        key("container", &CONTAINER),
        key("services", &SERVICES),
        key("env", &JOB_ENV),
        key("environment", &ENVIRONMENT),
        key("permissions", &PERMISSIONS),
        key("concurrency", &JOB_CONCURRENCY),
        key("outputs", &OUTPUTS),
        key("defaults", &JOB_DEFAULTS),
        key("steps", &STEPS),
        key("snapshot", &SNAPSHOT),
    ],
);
static WORKFLOW_JOB: Definition = Definition::mapping(
    "workflow-job",
    &[
        key("name", &CELL_STRING),
        required("uses", &NON_EMPTY),
        key("with", &CALL_WITH),
        key("secrets", &CALL_SECRETS),
        key("needs", &JOB_NEEDS),
        key("if", &JOB_IF),
        key("permissions", &PERMISSIONS),
        key("concurrency", &JOB_CONCURRENCY),
        key("strategy", &STRATEGY),
    ],
);

static CELL_STRING: Definition = Definition::new("string-strategy-context", Shape::String).allowing(CELL);
static CELL_NUMBER: Definition = Definition::new("number-strategy-context", Shape::Number).allowing(CELL);
static CELL_BOOLEAN: Definition = Definition::new("boolean-strategy-context", Shape::Boolean).allowing(CELL);

static CALL_WITH: Definition = {
    static VALUE: Definition =
        Definition::one_of("scalar-needs-context", &[&STRING, &BOOLEAN, &NUMBER]).allowing(CELL);
    Definition::entries("workflow-job-with", &NON_EMPTY, &VALUE)
};
static CALL_SECRETS: Definition = {
    static VALUE: Definition =
        Definition::one_of("scalar-needs-context-with-secrets", &[&STRING, &BOOLEAN, &NUMBER])
            .allowing(CELL.with(AllowedSet::SECRETS));
    static MAPPING: Definition = Definition::entries("workflow-job-secrets-mapping", &NON_EMPTY, &VALUE);
    static INHERIT: Definition = Definition::words("workflow-job-secrets-inherit", &["inherit"]);
    Definition::one_of("workflow-job-secrets", &[&MAPPING, &INHERIT])
};

static JOB_NEEDS: Definition = Definition::one_of("needs", &[&NON_EMPTY_STRINGS, &NON_EMPTY]);
static JOB_IF: Definition =
    Definition::new("job-if", Shape::String).allowing(NEEDS.with(AllowedSet::JOB_STATUS));

static STRATEGY: Definition = Definition::mapping(
    "strategy",
    &[key("fail-fast", &BOOLEAN), key("max-parallel", &NUMBER), key("matrix", &MATRIX)],
)
.allowing(NEEDS);
static MATRIX: Definition = {
    static ITEM: Definition = Definition::entries("matrix-filter-item", &NON_EMPTY, &ANY);
    static FILTER: Definition = Definition::sequence("matrix-filter", &ITEM);
    static AXIS: Definition = Definition::sequence("matrix-axis", &ANY);
    Definition::new(
        "matrix",
        Shape::Mapping(Mapping {
            properties: &[key("include", &FILTER), key("exclude", &FILTER)],
            loose: Some((&NON_EMPTY, &AXIS)),
        }),
    )
};

static RUNS_ON: Definition = {
    static MAPPING: Definition =
        Definition::mapping("runs-on-mapping", &[key("group", &NON_EMPTY), key("labels", &TEXTS)]);
    Definition::one_of("runs-on", &[&NON_EMPTY, &NON_EMPTY_STRINGS, &MAPPING]).allowing(CELL)
};
static JOB_ENV: Definition = variables("job-env", CELL.with(AllowedSet::SECRETS));
static JOB_CONCURRENCY: Definition =
    Definition::one_of("job-concurrency", &[&NON_EMPTY, &CONCURRENCY_MAPPING]).allowing(CELL);
static ENVIRONMENT: Definition = {
    static NAME: Definition = Definition::new("job-environment-name", Shape::String).allowing(CELL);
    static URL: Definition =
        Definition::new("string-runner-context-no-secrets", Shape::String).allowing(RUNNER);
    static MAPPING: Definition = Definition::mapping(
        "job-environment-mapping",
        &[required("name", &NAME), key("url", &URL), key("deployment", &BOOLEAN)],
    );
    Definition::one_of("job-environment", &[&STRING, &MAPPING]).allowing(CELL)
};
static JOB_DEFAULTS: Definition = {
    static RUN: Definition = Definition::mapping(
        "job-defaults-run",
        &[key("shell", &NON_EMPTY), key("working-directory", &NON_EMPTY)],
    )
    .allowing(CELL.with(AllowedSet::ENV));
    Definition::mapping("job-defaults", &[key("run", &RUN)])
};
static RUNNER_STRING: Definition =
    Definition::new("string-runner-context", Shape::String).allowing(RUNNER.with(AllowedSet::SECRETS));
static OUTPUTS: Definition = Definition::entries("job-outputs", &NON_EMPTY, &RUNNER_STRING);

static SNAPSHOT: Definition = {
    static CONDITION: Definition = Definition::new("snapshot-if", Shape::String).allowing(CELL);
    static MAPPING: Definition = Definition::mapping(
        "snapshot-mapping",
        &[required("image-name", &NON_EMPTY), key("if", &CONDITION), key("version", &NON_EMPTY)],
    );
    Definition::one_of("snapshot", &[&NON_EMPTY, &MAPPING])
};

static CREDENTIALS: Definition = Definition::mapping(
    "container-registry-credentials",
    &[key("username", &NON_EMPTY), key("password", &NON_EMPTY)],
)
.allowing(RUN.with(AllowedSet::SECRETS).with(AllowedSet::ENV));
static CONTAINER_ENV: Definition = Definition::entries("container-env", &NON_EMPTY, &RUNNER_STRING);
/// The keys of a container, and further ones that take text.
macro_rules! container {
    ($schema:literal $(, $further:literal)*) => {
        Definition::mapping(
            $schema,
            &[
                key("image", &NON_EMPTY),
                key("options", &STRING),
                key("env", &CONTAINER_ENV),
                key("ports", &NON_EMPTY_STRINGS),
                key("volumes", &NON_EMPTY_STRINGS),
                key("credentials", &CREDENTIALS),
                $(key($further, &STRING),)*
            ],
        )
    };
}
static CONTAINER: Definition = {
    static MAPPING: Definition = container!("container-mapping");
    Definition::one_of("container", &[&STRING, &MAPPING]).allowing(CELL)
};
static SERVICES: Definition = {
    static MAPPING: Definition = container!("service-container-mapping", "entrypoint", "command");
    static SERVICE: Definition =
        Definition::one_of("services-container", &[&NON_EMPTY, &MAPPING]).allowing(CELL);
    Definition::entries("services", &NON_EMPTY, &SERVICE).allowing(CELL)
};

#[cfg(test)]
mod tests {
    use super::{PERMISSION_SCOPES, PERMISSIONS};
    use crate::schema::Shape;

    #[test]
    fn permission_scopes_are_the_keys_of_permissions() {
        let mapping = PERMISSIONS.mappings()[0];
        assert_eq!(mapping.properties.len(), PERMISSION_SCOPES.len());
        for (property, (scope, levels)) in mapping.properties.iter().zip(PERMISSION_SCOPES) {
            assert_eq!(property.name, *scope);
            assert!(
                matches!(property.definition.shape, Shape::OneOfStrings(words) if words == *levels),
                "{scope}"
            );
        }
    }
}
