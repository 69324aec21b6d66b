//! The `on:` part of the schema: events, their activity types and filters.
//!
//! Source: the published schema, and "Events that trigger workflows" in GitHub's documentation.

use super::allowed::{AllowedSet, RUN};
use super::{
    BOOLEAN, Definition, Mapping, NON_EMPTY, NON_EMPTY_STRINGS, NULL, NUMBER, Property, SCALAR, STRING,
    STRINGS, Shape, TEXTS, key, required,
};

/// Every event that `on:` takes, in the schema's order.
pub fn event_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

/// The activity types of an event; `None` for an event without, or with types of the sender's choice.
pub fn activity_types(event: &str) -> Option<&'static [&'static str]> {
    let event = EVENTS.iter().find(|property| property.name == event)?;
    let mapping = *event.definition.mappings().first()?;
    let mut rules = Vec::new();
    mapping.property("types")?.definition.scalars(&mut rules);
    rules.iter().find_map(|rule| if let Shape::OneOfStrings(words) = rule.shape { Some(words) } else { None })
}

/// An event with activity types: `null`, or a mapping with `types` and further keys.
macro_rules! activities {
    ($name:ident, $event:literal, [$($word:literal),* $(,)?] $(, $key:literal: $definition:expr)*) => {
        static $name: Definition = {
            static TYPE: Definition = Definition::words(concat!($event, " activity type"), &[$($word),*]);
            static TYPES: Definition = Definition::sequence(concat!($event, " activity types"), &TYPE);
            static ACTIVITY: Definition = Definition::one_of(concat!($event, " activity"), &[&TYPE, &TYPES]);
            static MAPPING: Definition =
                Definition::mapping($event, &[key("types", &ACTIVITY) $(, key($key, $definition))*]);
            Definition::one_of($event, &[&NULL, &MAPPING])
        };
    };
}

activities!(BRANCH_PROTECTION_RULE, "branch_protection_rule", ["created", "edited", "deleted"]);
activities!(CHECK_RUN, "check_run", ["completed", "created", "rerequested", "requested_action"]);
activities!(CHECK_SUITE, "check_suite", ["completed"]);
activities!(
    DISCUSSION,
    "discussion",
    [
        "created",
        "edited",
        "deleted",
        "transferred",
        "pinned",
        "unpinned",
        "labeled",
        "unlabeled",
        "locked",
        "unlocked",
        "category_changed",
        "answered",
        "unanswered",
    ]
);
activities!(DISCUSSION_COMMENT, "discussion_comment", ["created", "edited", "deleted"]);
activities!(
    IMAGE_VERSION,
    "image_version",
    ["created", "ready", "deleted"],
    "names": &TEXTS,
    "versions": &TEXTS
);
activities!(ISSUE_COMMENT, "issue_comment", ["created", "edited", "deleted"]);
activities!(
    ISSUES,
    "issues",
    [
        "opened",
        "edited",
        "deleted",
        "transferred",
        "pinned",
        "unpinned",
        "closed",
        "reopened",
        "assigned",
        "unassigned",
        "labeled",
        "unlabeled",
        "locked",
        "unlocked",
        "milestoned",
        "demilestoned",
        "field_added",
        "field_removed",
        "typed",
        "untyped",
    ]
);
activities!(LABEL, "label", ["created", "edited", "deleted"]);
activities!(
    MERGE_GROUP,
    "merge_group",
    ["checks_requested"],
    "branches": &TEXTS,
    "branches-ignore": &TEXTS
);
activities!(MILESTONE, "milestone", ["created", "closed", "opened", "edited", "deleted"]);
activities!(PROJECT, "project", ["created", "closed", "reopened", "edited", "deleted"]);
activities!(PROJECT_CARD, "project_card", ["created", "moved", "converted", "edited", "deleted"]);
activities!(PROJECT_COLUMN, "project_column", ["created", "updated", "moved", "deleted"]);
activities!(PULL_REQUEST_REVIEW, "pull_request_review", ["submitted", "edited", "dismissed"]);
activities!(PULL_REQUEST_REVIEW_COMMENT, "pull_request_review_comment", ["created", "edited", "deleted"]);
activities!(REGISTRY_PACKAGE, "registry_package", ["published", "updated"]);
activities!(
    RELEASE,
    "release",
    ["published", "unpublished", "created", "edited", "deleted", "prereleased", "released"]
);
activities!(WATCH, "watch", ["started"]);
activities!(
    WORKFLOW_RUN,
    "workflow_run",
    ["requested", "completed", "in_progress"],
    "workflows": &TEXTS,
    "branches": &TEXTS,
    "branches-ignore": &TEXTS
);

/// `pull_request` and `pull_request_target` take the same keys.
macro_rules! pull_request {
    ($name:ident, $event:literal) => {
        activities!(
            $name,
            $event,
            [
                "assigned",
                "unassigned",
                "labeled",
                "unlabeled",
                "opened",
                "edited",
                "closed",
                "reopened",
                "synchronize",
                "converted_to_draft",
                "locked",
                "unlocked",
                "enqueued",
                "dequeued",
                "milestoned",
                "demilestoned",
                "ready_for_review",
                "review_requested",
                "review_request_removed",
                "auto_merge_enabled",
                "auto_merge_disabled",
                "stacked",
            ],
            "branches": &TEXTS,
            "branches-ignore": &TEXTS,
            "paths": &TEXTS,
            "paths-ignore": &TEXTS
        );
    };
}
pull_request!(PULL_REQUEST, "pull_request");
pull_request!(PULL_REQUEST_TARGET, "pull_request_target");

static PUSH: Definition = {
    static MAPPING: Definition = Definition::mapping(
        "push",
        &[
            key("branches", &TEXTS),
            key("branches-ignore", &TEXTS),
            key("tags", &TEXTS),
            key("tags-ignore", &TEXTS),
            key("paths", &TEXTS),
            key("paths-ignore", &TEXTS),
        ],
    );
    Definition::one_of("push", &[&NULL, &MAPPING])
};

static REPOSITORY_DISPATCH: Definition = {
    static MAPPING: Definition =
        Definition::mapping("repository_dispatch", &[key("types", &NON_EMPTY_STRINGS)]);
    Definition::one_of("repository_dispatch", &[&NULL, &MAPPING])
};

static SCHEDULE: Definition = {
    static ENTRY: Definition =
        Definition::mapping("cron", &[required("cron", &NON_EMPTY), key("timezone", &NON_EMPTY)]);
    Definition::sequence("schedule", &ENTRY)
};

static WORKFLOW_CALL: Definition = {
    static DEFAULT: Definition =
        Definition::one_of("workflow_call input default", &[&STRING, &BOOLEAN, &NUMBER]).allowing(RUN);
    static TYPE: Definition = Definition::words("workflow_call input type", &["string", "boolean", "number"]);
    static INPUT: Definition = Definition::mapping(
        "workflow_call input",
        &[
            key("description", &STRING),
            required("type", &TYPE),
            key("required", &BOOLEAN),
            key("default", &DEFAULT),
        ],
    );
    static INPUTS: Definition = Definition::entries("workflow_call inputs", &NON_EMPTY, &INPUT);
    static SECRET_MAPPING: Definition = Definition::mapping(
        "workflow_call secret",
        &[key("description", &STRING), key("required", &BOOLEAN)],
    );
    static SECRET: Definition = Definition::one_of("workflow_call secret", &[&NULL, &SECRET_MAPPING]);
    static SECRETS: Definition = Definition::entries("workflow_call secrets", &NON_EMPTY, &SECRET);
    static VALUE: Definition =
        Definition::new("workflow_call output value", Shape::String).allowing(RUN.with(AllowedSet::JOBS));
    static OUTPUT: Definition = Definition::mapping(
        "workflow_call output",
        &[key("description", &STRING), required("value", &VALUE)],
    );
    static OUTPUTS: Definition = Definition::entries("workflow_call outputs", &NON_EMPTY, &OUTPUT);
    static MAPPING: Definition = Definition::mapping(
        "workflow_call",
        &[key("inputs", &INPUTS), key("secrets", &SECRETS), key("outputs", &OUTPUTS)],
    );
    Definition::one_of("workflow_call", &[&NULL, &MAPPING])
};

static WORKFLOW_DISPATCH: Definition = {
    static TYPE: Definition = Definition::words(
        "workflow_dispatch input type",
        &["string", "boolean", "number", "environment", "choice"],
    );
    static INPUT: Definition = Definition::mapping(
        "workflow_dispatch input",
        &[
            key("description", &STRING),
            key("type", &TYPE),
            key("required", &BOOLEAN),
            key("default", &SCALAR),
            key("options", &STRINGS),
        ],
    );
    static INPUTS: Definition = Definition::entries("workflow_dispatch inputs", &NON_EMPTY, &INPUT);
    static MAPPING: Definition = Definition::mapping("workflow_dispatch", &[key("inputs", &INPUTS)]);
    Definition::one_of("workflow_dispatch", &[&NULL, &MAPPING])
};

static EVENTS: &[Property] = &[
    key("branch_protection_rule", &BRANCH_PROTECTION_RULE),
    key("check_run", &CHECK_RUN),
    key("check_suite", &CHECK_SUITE),
    key("create", &NULL),
    key("delete", &NULL),
    key("deployment", &NULL),
    key("deployment_status", &NULL),
    key("discussion", &DISCUSSION),
    key("discussion_comment", &DISCUSSION_COMMENT),
    key("fork", &NULL),
    key("gollum", &NULL),
    key("image_version", &IMAGE_VERSION),
    key("issue_comment", &ISSUE_COMMENT),
    key("issues", &ISSUES),
    key("label", &LABEL),
    key("merge_group", &MERGE_GROUP),
    key("milestone", &MILESTONE),
    key("page_build", &NULL),
    key("project", &PROJECT),
    key("project_card", &PROJECT_CARD),
    key("project_column", &PROJECT_COLUMN),
    key("public", &NULL),
    key("pull_request", &PULL_REQUEST),
    key("pull_request_comment", &ISSUE_COMMENT),
    key("pull_request_review", &PULL_REQUEST_REVIEW),
    key("pull_request_review_comment", &PULL_REQUEST_REVIEW_COMMENT),
    key("pull_request_target", &PULL_REQUEST_TARGET),
    key("push", &PUSH),
    key("registry_package", &REGISTRY_PACKAGE),
    key("release", &RELEASE),
    key("repository_dispatch", &REPOSITORY_DISPATCH),
    key("schedule", &SCHEDULE),
    key("status", &NULL),
    key("watch", &WATCH),
    key("workflow_call", &WORKFLOW_CALL),
    key("workflow_dispatch", &WORKFLOW_DISPATCH),
    key("workflow_run", &WORKFLOW_RUN),
];

/// The keys of [`EVENTS`]: what a text or a list of texts may say.
const NAMES: &[&str] = &[
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "image_version",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "milestone",
    "page_build",
    "project",
    "project_card",
    "project_column",
    "public",
    "pull_request",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_dispatch",
    "workflow_run",
];
static NAME: Definition = Definition::words("event", NAMES);
static LIST: Definition = Definition::sequence("events", &NAME);
static MAPPING: Definition =
    Definition::new("events", Shape::Mapping(Mapping { properties: EVENTS, loose: None }));

/// The value of `on:`.
pub(super) static ON: Definition = Definition::one_of("on", &[&NAME, &LIST, &MAPPING]);

#[cfg(test)]
mod tests {
    use super::{EVENTS, NAMES};

    #[test]
    fn names_are_the_keys() {
        let keys: Vec<_> = EVENTS.iter().map(|event| event.name).collect();
        assert_eq!(keys, NAMES);
    }
}
