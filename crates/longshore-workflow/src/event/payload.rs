//! From a webhook payload to an event.

use longshore_expr::Value;

use super::{ChangedPaths, Event};

impl Event {
    /// The event of a webhook payload. Without a name the payload's own keys tell what it is; `push` if they do not.
    pub fn from_payload(name: Option<&str>, payload: Value) -> Self {
        let name = name.map_or_else(|| infer(&payload).to_owned(), str::to_owned);
        let mut event = Self::new(name);
        event.payload = payload;
        event.read_payload();
        event
    }

    /// Fills the fields from the payload.
    pub(super) fn read_payload(&mut self) {
        let payload = self.payload.clone();
        let text = |path: &[&str]| at(&payload, path).and_then(Value::as_str).map(str::to_owned);
        self.action = text(&["action"]);
        self.repository = text(&["repository", "full_name"]);
        self.default_branch = text(&["repository", "default_branch"]);
        self.actor = text(&["sender", "login"]).or_else(|| text(&["pusher", "name"]));
        match self.name.as_str() {
            "push" => self.read_push(&payload),
            "create" | "delete" => self.read_ref(&payload),
            "workflow_run" => self.read_workflow_run(&payload),
            "merge_group" => {
                self.git_ref = text(&["merge_group", "head_ref"]);
                self.sha = text(&["merge_group", "head_sha"]);
                self.base_ref = text(&["merge_group", "base_ref"]).map(|name| short(&name).to_owned());
            }
            "release" => {
                self.git_ref = text(&["release", "tag_name"]).map(|tag| format!("refs/tags/{tag}"));
            }
            "deployment" | "deployment_status" => {
                self.sha = text(&["deployment", "sha"]);
                // A deployment of a commit has the commit for its ref, and the run has none.
                let name = text(&["deployment", "ref"]).filter(|name| Some(name) != self.sha.as_ref());
                self.git_ref = name.map(|name| full(&name));
            }
            "workflow_dispatch" => self.git_ref = text(&["ref"]).map(|name| full(&name)),
            "repository_dispatch" => self.git_ref = text(&["branch"]).map(|name| full(&name)),
            _ => {}
        }
        if at(&payload, &["pull_request"]).is_some() {
            self.read_pull_request(&payload);
        }
        let may_lack_ref = matches!(self.name.as_str(), "deployment" | "deployment_status");
        if self.git_ref.is_none() && !may_lack_ref {
            self.git_ref = self.default_branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
        }
    }

    fn read_push(&mut self, payload: &Value) {
        let text = |path: &[&str]| at(payload, path).and_then(Value::as_str).map(str::to_owned);
        self.git_ref = text(&["ref"]).map(|name| full(&name));
        self.sha = text(&["after"]);
        self.before = text(&["before"]).filter(|id| !is_zero(id));
        self.is_deletion = matches!(at(payload, &["deleted"]), Some(Value::Bool(true)))
            || self.sha.as_deref().is_some_and(is_zero);
        self.commit_message = text(&["head_commit", "message"]);
        self.changed_paths = changed_paths(payload);
    }

    /// `create` and `delete` name the ref and its type apart.
    fn read_ref(&mut self, payload: &Value) {
        let text = |path: &[&str]| at(payload, path).and_then(Value::as_str);
        let Some(name) = text(&["ref"]) else { return };
        if self.name == "create" {
            let folder = if text(&["ref_type"]) == Some("tag") { "tags" } else { "heads" };
            self.git_ref = Some(format!("refs/{folder}/{}", short(name)));
        }
    }

    fn read_pull_request(&mut self, payload: &Value) {
        let text = |path: &[&str]| at(payload, path).and_then(Value::as_str).map(str::to_owned);
        let head = text(&["pull_request", "head", "repo", "full_name"]);
        let base = text(&["pull_request", "base", "repo", "full_name"]).or_else(|| self.repository.clone());
        self.base_ref = text(&["pull_request", "base", "ref"]);
        self.head_ref = text(&["pull_request", "head", "ref"]);
        self.is_fork = matches!((&head, &base), (Some(head), Some(base)) if head != base)
            || matches!(at(payload, &["pull_request", "head", "repo", "fork"]), Some(Value::Bool(true)))
                && head.is_none();
        if self.name == "pull_request_target" {
            // Since December 2025 it runs on the default branch, whatever the target is.
            if self.base_ref == self.default_branch {
                self.sha = text(&["pull_request", "base", "sha"]);
            }
            return;
        }
        let number = at(payload, &["number"]).or_else(|| at(payload, &["pull_request", "number"]));
        if let Some(number) = number {
            self.git_ref = Some(format!("refs/pull/{}/merge", number.to_text()));
        }
        self.sha =
            text(&["pull_request", "merge_commit_sha"]).or_else(|| text(&["pull_request", "head", "sha"]));
    }

    fn read_workflow_run(&mut self, payload: &Value) {
        let branch = at(payload, &["workflow_run", "head_branch"]).and_then(Value::as_str);
        self.head_ref = branch.map(str::to_owned);
    }
}

/// The value at a path of keys; `None` for what is missing or null.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let found = path.iter().try_fold(value, |value, key| value.property(key))?;
    (*found != Value::Null).then_some(found)
}

/// `refs/heads/` in front of a branch, unless it is a full ref.
pub(super) fn full(name: &str) -> String {
    if name.starts_with("refs/") { name.to_owned() } else { format!("refs/heads/{name}") }
}

/// A ref without its folder.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name)
}

fn is_zero(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte == b'0')
}

/// Keys that tell an event, the more specific first.
const KEYS: &[(&str, &str)] = &[
    ("workflow_run", "workflow_run"),
    ("merge_group", "merge_group"),
    ("deployment_status", "deployment_status"),
    ("deployment", "deployment"),
    ("release", "release"),
    ("check_run", "check_run"),
    ("check_suite", "check_suite"),
    ("review", "pull_request_review"),
    ("client_payload", "repository_dispatch"),
    ("schedule", "schedule"),
    ("registry_package", "registry_package"),
    ("image_version", "image_version"),
    ("discussion", "discussion"),
    ("forkee", "fork"),
    ("pages", "gollum"),
    ("build", "page_build"),
    ("milestone", "milestone"),
];

/// The event that a payload is of, told by the keys that only it has.
fn infer(payload: &Value) -> &'static str {
    let has = |key: &str| at(payload, &[key]).is_some();
    let action = at(payload, &["action"]).and_then(Value::as_str).unwrap_or_default();
    match () {
        () if has("comment") && has("pull_request") => "pull_request_review_comment",
        () if has("comment") && has("discussion") => "discussion_comment",
        () if has("comment") && has("issue") => "issue_comment",
        () if has("review") => "pull_request_review",
        () if has("pull_request") => "pull_request",
        () if has("issue") => "issues",
        () if has("ref") && has("ref_type") && has("master_branch") => "create",
        () if has("ref") && has("ref_type") => "delete",
        () if has("commits") || has("before") || has("after") || has("head_commit") => "push",
        () if has("workflow") && has("ref") || has("inputs") => "workflow_dispatch",
        () if action == "started" && has("repository") => "watch",
        () if has("label") => "label",
        () if has("state") && has("context") => "status",
        () => KEYS.iter().find(|(key, _)| has(key)).map_or("push", |(_, event)| event),
    }
}

/// The paths that the commits of a push list, if they list them.
fn changed_paths(payload: &Value) -> Option<ChangedPaths> {
    let Some(Value::Array(commits)) = at(payload, &["commits"]) else { return None };
    let mut paths = Vec::new();
    let mut listed = false;
    for commit in commits.iter() {
        for key in ["added", "modified", "removed"] {
            if let Some(Value::Array(items)) = at(commit, &[key]) {
                listed = true;
                paths.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
            }
        }
    }
    paths.sort();
    paths.dedup();
    listed.then_some(ChangedPaths { paths, complete: true })
}
