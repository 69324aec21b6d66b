//! The `github` context of an event.
//!
//! Keys after "Contexts reference", values per event after "Events that trigger workflows" of GitHub's documentation.

use longshore_expr::Value;

use super::Event;
use super::payload::{at, short};
use crate::evaluate::Fact;

/// What only the run knows.
const UNKNOWN: [&str; 18] = [
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "action_status",
    "artifact_cache_size_limit",
    "env",
    "event_path",
    "job",
    "output",
    "path",
    "ref_protected",
    "repository_visibility",
    "retention_days",
    "run_attempt",
    "run_id",
    "run_number",
    "token",
];

/// The workflow that a context is for.
#[derive(Debug, Clone, Copy)]
pub struct WorkflowIdentity<'a> {
    /// Its name, or its path without one.
    pub name: &'a str,
    /// Its path from the root of the repository.
    pub path: &'a str,
}

impl Event {
    /// The `github` context as far as it is known before the run.
    pub fn github_facts(&self, workflow: WorkflowIdentity<'_>) -> Fact {
        let git_ref = self.git_ref.as_deref();
        let (base_ref, head_ref) = if self.is_pull_request() {
            (self.base_ref.as_deref(), self.head_ref.as_deref())
        } else {
            (Some(""), Some(""))
        };
        let owner = self.repository.as_deref().and_then(|name| name.split_once('/')).map(|(owner, _)| owner);
        let id = |path: &[&str]| at(&self.payload, path).map(|id| id.to_text().into_owned());
        let (repository_id, owner_id) = (id(&["repository", "id"]), id(&["repository", "owner", "id"]));
        let actor_id = id(&["sender", "id"]);
        let url = self.repository.as_ref().map(|name| format!("git://github.com/{name}.git"));
        let workflow_ref = self.repository.as_ref().zip(git_ref);
        let workflow_ref = workflow_ref.map(|(name, git_ref)| format!("{name}/{}@{git_ref}", workflow.path));
        let known = [
            ("event_name", Some(self.name.as_str())),
            ("sha", self.sha.as_deref()),
            ("ref", git_ref),
            ("ref_name", git_ref.map(ref_name)),
            ("ref_type", git_ref.map(|name| if name.starts_with("refs/tags/") { "tag" } else { "branch" })),
            ("base_ref", base_ref),
            ("head_ref", head_ref),
            ("actor", self.actor.as_deref()),
            ("actor_id", actor_id.as_deref()),
            ("repository_id", repository_id.as_deref()),
            ("repository_owner_id", owner_id.as_deref()),
            ("triggering_actor", self.actor.as_deref()),
            ("repository", self.repository.as_deref()),
            ("repository_owner", owner),
            ("repositoryUrl", url.as_deref()),
            ("workflow", Some(workflow.name)),
            ("workflow_ref", workflow_ref.as_deref()),
            ("workflow_sha", self.sha.as_deref()),
            ("server_url", Some("https://github.com")),
            ("api_url", Some("https://api.github.com")),
            ("graphql_url", Some("https://api.github.com/graphql")),
            ("secret_source", None),
            ("workspace", None),
        ];
        let known = known.into_iter().map(|(key, text)| (key, Fact::maybe(text)));
        let unknown = UNKNOWN.into_iter().map(|key| (key, Fact::Unknown));
        Fact::object(known.chain(unknown).chain([("event", self.payload_facts())]))
    }

    /// The known part of the `github` context as a value.
    pub fn github_context(&self, workflow: WorkflowIdentity<'_>) -> Value {
        self.github_facts(workflow).known_part()
    }

    /// Whether it is one of the events of pull requests.
    pub fn is_pull_request(&self) -> bool {
        self.name.starts_with("pull_request") && self.name != "pull_request_comment"
    }

    /// `github.event`. Of a payload that was made up nothing but the top is complete.
    fn payload_facts(&self) -> Fact {
        if !self.is_synthetic {
            return Fact::Known(self.payload.clone());
        }
        let Value::Object(payload) = &self.payload else { return Fact::Known(self.payload.clone()) };
        let known = payload.iter().map(|(key, value)| {
            let fact = if &**key == "inputs" { Fact::Known(value.clone()) } else { Fact::open(value) };
            (std::sync::Arc::clone(key), fact)
        });
        let subjects = subjects(&self.name, self.action.as_deref()).iter();
        let missing = subjects.filter(|key| self.payload.property(key).is_none());
        Fact::object(known.chain(missing.map(|key| (std::sync::Arc::from(*key), Fact::Unknown))))
    }
}

/// The short form of a ref that GitHub shows; of a pull request `7/merge`.
fn ref_name(git_ref: &str) -> &str {
    git_ref.strip_prefix("refs/pull/").unwrap_or_else(|| short(git_ref))
}

/// The keys of an event's payload that say what it is about, which nobody knows before it happens.
fn subjects(event: &str, action: Option<&str>) -> &'static [&'static str] {
    match (event, action) {
        ("label", _) | ("pull_request" | "pull_request_target", Some("labeled" | "unlabeled")) => &["label"],
        ("pull_request" | "pull_request_target", Some("assigned" | "unassigned")) => &["assignee"],
        ("pull_request_review_comment", _) => &["comment"],
        ("issues", Some("labeled" | "unlabeled")) => &["issue", "label"],
        ("issues", Some("assigned" | "unassigned")) => &["issue", "assignee"],
        ("issues", _) => &["issue"],
        ("issue_comment", _) => &["issue", "comment"],
        ("discussion", Some("labeled" | "unlabeled")) => &["discussion", "label"],
        ("discussion", _) => &["discussion"],
        ("discussion_comment", _) => &["discussion", "comment"],
        ("workflow_run", _) => &["workflow_run", "workflow"],
        ("schedule", _) => &["schedule"],
        ("repository_dispatch", _) => &["action", "branch", "client_payload"],
        ("check_run", _) => &["check_run"],
        ("check_suite", _) => &["check_suite"],
        ("deployment", _) => &["deployment"],
        ("deployment_status", _) => &["deployment", "deployment_status"],
        ("status", _) => &["sha", "state", "context", "description", "target_url", "branches", "commit"],
        ("milestone", _) => &["milestone"],
        ("fork", _) => &["forkee"],
        ("gollum", _) => &["pages"],
        ("page_build", _) => &["build"],
        ("registry_package", _) => &["registry_package"],
        ("branch_protection_rule", _) => &["rule"],
        ("image_version", _) => &["image_version"],
        _ => &[],
    }
}
