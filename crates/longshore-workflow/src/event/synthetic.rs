//! From what git knows to an event, with a payload shaped like GitHub's.

use longshore_expr::{Object, Value};

use super::payload::{full, short};
use super::{CommitFacts, Event, EventFacts};

const ZERO: &str = "0000000000000000000000000000000000000000";

impl Event {
    /// The event `name` as it would be if what `facts` say happened now.
    pub fn synthetic(name: &str, facts: &EventFacts) -> Self {
        let mut payload = Entries::default();
        payload.optional("action", facts.action.as_deref().or_else(|| usual_action(name)));
        match name {
            "push" => push(&mut payload, facts),
            "workflow_dispatch" => dispatch(&mut payload, facts),
            "schedule" => payload.optional("schedule", facts.schedule.as_deref()),
            "merge_group" => merge_group(&mut payload, facts),
            "create" | "delete" => created(&mut payload, facts),
            "release" => release(&mut payload, facts),
            "pull_request_review" => {
                pull_request(&mut payload, facts);
                payload.set("review", Entries::default().build());
            }
            _ if name.starts_with("pull_request") => pull_request(&mut payload, facts),
            _ => {}
        }
        payload.set("repository", repository(facts));
        if let Some(actor) = &facts.actor {
            payload.set("sender", user(actor));
        }
        let mut event = Self::from_payload(Some(name), payload.build());
        event.complete(facts);
        event
    }

    /// Says who causes an event that is made up, if nobody has said so, and what its pull request is called.
    pub fn cause(&mut self, actor: &str) {
        let Value::Object(payload) = &self.payload else { return };
        if !self.is_synthetic || self.actor.is_some() {
            return;
        }
        self.actor = Some(actor.to_owned());
        let mut payload = payload.with("sender", user(actor));
        if self.name == "push" {
            payload = payload.with("pusher", entries(&[("name", Value::from(actor))]));
        }
        if let Some(Value::Object(pull_request)) = payload.get("pull_request") {
            let mut pull_request = pull_request.with("user", user(actor));
            if pull_request.get("title").is_none()
                && let Some(title) = self.proposed_title()
            {
                pull_request = pull_request.with("title", Value::from(title));
            }
            payload = payload.with("pull_request", Value::Object(pull_request));
        }
        self.payload = Value::Object(payload);
    }

    /// What a pull request is called of which nobody says it: what its last commit is called, or its branch.
    fn proposed_title(&self) -> Option<&str> {
        let commit = self.commit_message.as_deref().and_then(|message| message.lines().next());
        commit.or(self.head_ref.as_deref())
    }

    /// Says which cron entry is due, if nobody has said so.
    pub fn fall_due(&mut self, cron: &str) {
        if let Value::Object(payload) = &self.payload
            && self.is_synthetic
            && payload.get("schedule").is_none()
        {
            self.payload = Value::Object(payload.with("schedule", Value::from(cron)));
        }
    }

    /// The same with all inputs of a dispatch in its payload, as text: those that nobody gave have their defaults.
    #[must_use]
    pub fn with_inputs(mut self, inputs: &Object) -> Self {
        inputs.iter().for_each(|(name, value)| self.set_input(name, &value.to_text()));
        self
    }

    /// Sets an input of a dispatch, as text.
    pub fn set_input(&mut self, name: &str, value: &str) {
        let inputs = match self.payload.property("inputs") {
            Some(Value::Object(inputs)) => inputs.clone(),
            _ => Object::default(),
        };
        let inputs = inputs.with(name, Value::from(value));
        let payload = match &self.payload {
            Value::Object(payload) => payload.clone(),
            _ => Object::default(),
        };
        self.payload = Value::Object(payload.with("inputs", Value::Object(inputs)));
    }

    /// Fills what a payload does not carry.
    fn complete(&mut self, facts: &EventFacts) {
        let is_pull_request = self.base_ref.is_some();
        let on_default_branch = runs_on_default_branch(&self.name);
        let git_ref = facts.git_ref.as_deref().map(full);
        if self.name == "release" {
            // It is of its tag; of which, the branch at hand does not tell.
            self.git_ref = git_ref.clone().filter(|name| is_tag(name));
        } else if !is_pull_request && !on_default_branch {
            self.git_ref = git_ref.clone().or(self.git_ref.take());
        }
        // The commit at hand is that of the default branch only if that is checked out.
        if self.sha.is_none() && (!on_default_branch || git_ref.is_none() || git_ref == self.git_ref) {
            self.sha.clone_from(&facts.sha);
        }
        self.is_synthetic = true;
        self.repository.clone_from(&facts.repository);
        self.default_branch.clone_from(&facts.default_branch);
        self.actor.clone_from(&facts.actor);
        self.changed_paths.clone_from(&facts.changed_paths);
        self.is_fork |= facts.pull_request.as_ref().is_some_and(|pull_request| pull_request.is_fork);
        self.commit_message = facts.commits.first().map(|commit| commit.message.clone());
    }
}

/// Whether GitHub runs such an event on the default branch whatever it is about.
fn runs_on_default_branch(name: &str) -> bool {
    matches!(
        name,
        "branch_protection_rule"
            | "check_run"
            | "check_suite"
            | "delete"
            | "discussion"
            | "discussion_comment"
            | "fork"
            | "gollum"
            | "image_version"
            | "issue_comment"
            | "issues"
            | "label"
            | "milestone"
            | "page_build"
            | "public"
            | "pull_request_target"
            | "repository_dispatch"
            | "schedule"
            | "status"
            | "watch"
            | "workflow_run"
    )
}

fn is_tag(git_ref: &str) -> bool {
    git_ref.starts_with("refs/tags/")
}

fn usual_action(name: &str) -> Option<&'static str> {
    Some(match name {
        "pull_request" | "pull_request_target" => "synchronize",
        "pull_request_review" => "submitted",
        "pull_request_review_comment"
        | "issue_comment"
        | "discussion_comment"
        | "discussion"
        | "label"
        | "milestone"
        | "branch_protection_rule" => "created",
        "issues" => "opened",
        "release" | "registry_package" => "published",
        "merge_group" => "checks_requested",
        "workflow_run" | "check_run" | "check_suite" => "completed",
        "watch" => "started",
        "image_version" => "ready",
        _ => return None,
    })
}

fn push(payload: &mut Entries, facts: &EventFacts) {
    let git_ref = facts.git_ref.as_deref().map(full);
    payload.optional("ref", git_ref.as_deref());
    payload.text("before", facts.before.as_deref().unwrap_or(ZERO));
    let after = if facts.is_deletion { Some(ZERO) } else { facts.sha.as_deref() };
    payload.optional("after", after);
    payload.set("created", Value::from(facts.before.is_none() && !facts.is_deletion));
    payload.set("deleted", Value::from(facts.is_deletion));
    payload.set("forced", Value::from(facts.forced));
    payload.set("base_ref", Value::Null);
    // GitHub lists the oldest first.
    let commit = |known: &CommitFacts| commit(facts, known);
    payload.set("commits", Value::from(facts.commits.iter().rev().map(commit).collect::<Vec<_>>()));
    payload.set("head_commit", facts.commits.first().map_or(Value::Null, commit));
    if let (Some(repository), Some(after)) = (&facts.repository, after) {
        let place = match &facts.before {
            Some(before) => format!("compare/{}...{}", start_of(before), start_of(after)),
            None => format!("commit/{}", start_of(after)),
        };
        payload.text("compare", &format!("https://github.com/{repository}/{place}"));
    }
    if let Some(actor) = &facts.actor {
        payload.set("pusher", entries(&[("name", Value::from(actor.as_str()))]));
    }
}

/// As much of a commit's id as GitHub shows in addresses.
fn start_of(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn user(login: &str) -> Value {
    entries(&[("login", Value::from(login)), ("type", Value::from("User"))])
}

fn commit(facts: &EventFacts, commit: &CommitFacts) -> Value {
    let author = entries(&[
        ("name", Value::from(commit.author_name.as_str())),
        ("email", Value::from(commit.author_email.as_str())),
    ]);
    let mut value = Entries::default();
    value.text("id", &commit.id);
    value.set("distinct", Value::from(true));
    value.text("message", &commit.message);
    value.optional("timestamp", commit.timestamp.as_deref());
    if let Some(repository) = &facts.repository {
        value.text("url", &format!("https://github.com/{repository}/commit/{}", commit.id));
    }
    value.set("author", author.clone());
    value.set("committer", author);
    value.build()
}

fn pull_request(payload: &mut Entries, facts: &EventFacts) {
    let known = facts.pull_request.clone().unwrap_or_default();
    let number = Value::Number(f64::from(known.number.unwrap_or(1)));
    let base_ref = known.base_ref.as_deref().or(facts.default_branch.as_deref());
    let branch = facts.git_ref.as_deref().map(short);
    let owner = facts.repository.as_deref().and_then(|name| name.split_once('/')).map(|(owner, _)| owner);
    let label = |branch: Option<&str>| Some(format!("{}:{}", owner?, branch?));
    let mut head = Entries::default();
    head.optional("label", label(branch).filter(|_| !known.is_fork).as_deref());
    head.optional("ref", branch);
    head.optional("sha", facts.sha.as_deref());
    head.set("repo", if known.is_fork { fork() } else { repository(facts) });
    let mut base = Entries::default();
    base.optional("label", label(base_ref).as_deref());
    base.optional("ref", base_ref);
    base.optional("sha", known.base_sha.as_deref());
    base.set("repo", repository(facts));
    let mut pull_request = Entries::default();
    pull_request.set("number", number.clone());
    pull_request.text("state", "open");
    pull_request.set("draft", Value::from(known.draft));
    pull_request.set("merged", Value::from(false));
    pull_request.optional("title", known.title.as_deref());
    pull_request.set("body", Value::Null);
    if let Some(repository) = &facts.repository {
        let number = number.to_text();
        pull_request.text("html_url", &format!("https://github.com/{repository}/pull/{number}"));
    }
    pull_request.set("labels", labels(&known.labels));
    if let Some(actor) = &facts.actor {
        pull_request.set("user", user(actor));
    }
    pull_request.set("head", head.build());
    pull_request.set("base", base.build());
    payload.set("number", number);
    payload.set("pull_request", pull_request.build());
}

/// The repository of a fork, of which nothing else is known.
fn fork() -> Value {
    entries(&[("fork", Value::from(true))])
}

fn labels(names: &[String]) -> Value {
    let label = |name: &String| entries(&[("name", Value::from(name.as_str()))]);
    Value::from(names.iter().map(label).collect::<Vec<_>>())
}

fn dispatch(payload: &mut Entries, facts: &EventFacts) {
    let git_ref = facts.git_ref.as_deref().map(full);
    payload.optional("ref", git_ref.as_deref());
    let inputs = facts.inputs.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
    payload.set("inputs", Value::Object(inputs.collect()));
}

fn merge_group(payload: &mut Entries, facts: &EventFacts) {
    let base = facts.pull_request.as_ref().and_then(|known| known.base_ref.as_deref());
    let mut group = Entries::default();
    let git_ref = facts.git_ref.as_deref().map(full);
    group.optional("head_ref", git_ref.as_deref());
    group.optional("head_sha", facts.sha.as_deref());
    let base = base.or(facts.default_branch.as_deref()).map(full);
    group.optional("base_ref", base.as_deref());
    payload.set("merge_group", group.build());
}

fn created(payload: &mut Entries, facts: &EventFacts) {
    let git_ref = facts.git_ref.as_deref().unwrap_or_default();
    payload.text("ref", short(git_ref));
    payload.text("ref_type", if git_ref.starts_with("refs/tags/") { "tag" } else { "branch" });
    payload.optional("master_branch", facts.default_branch.as_deref());
}

fn release(payload: &mut Entries, facts: &EventFacts) {
    let mut release = Entries::default();
    release.optional("tag_name", facts.git_ref.as_deref().filter(|name| is_tag(name)).map(short));
    release.set("draft", Value::from(false));
    release.set("prerelease", Value::from(false));
    payload.set("release", release.build());
}

fn repository(facts: &EventFacts) -> Value {
    let mut repository = Entries::default();
    if let Some(full_name) = &facts.repository {
        let (owner, name) = full_name.split_once('/').unwrap_or(("", full_name));
        repository.text("name", name);
        repository.text("full_name", full_name);
        repository.set("owner", entries(&[("login", Value::from(owner))]));
        repository.text("html_url", &format!("https://github.com/{full_name}"));
        repository.text("git_url", &format!("git://github.com/{full_name}.git"));
        repository.text("ssh_url", &format!("git@github.com:{full_name}.git"));
        repository.text("clone_url", &format!("https://github.com/{full_name}.git"));
    }
    repository.optional("default_branch", facts.default_branch.as_deref());
    repository.set("fork", Value::from(false));
    repository.build()
}

/// An object under construction.
#[derive(Default)]
pub(super) struct Entries {
    list: Vec<(&'static str, Value)>,
}

impl Entries {
    pub(super) fn set(&mut self, key: &'static str, value: Value) {
        self.list.push((key, value));
    }

    pub(super) fn text(&mut self, key: &'static str, value: &str) {
        self.set(key, Value::from(value));
    }

    /// Leaves the key out if there is no value.
    pub(super) fn optional(&mut self, key: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    pub(super) fn build(self) -> Value {
        Value::Object(self.list.into_iter().collect())
    }
}

fn entries(list: &[(&'static str, Value)]) -> Value {
    Value::Object(list.iter().map(|(key, value)| (*key, value.clone())).collect())
}
