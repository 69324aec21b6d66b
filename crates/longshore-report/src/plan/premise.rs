//! What a plan takes for granted: the event, and how it is known.

use longshore_expr::Value;
use longshore_workflow::event::Event;

use crate::count;

/// What a plan takes for granted.
#[derive(Debug, Clone, PartialEq)]
pub struct Premise {
    /// The event.
    pub event: Event,
    /// How it is known.
    pub origin: PremiseOrigin,
    /// What the files were compared with; `None` if they were not.
    pub base: Option<PremiseBase>,
    /// How many commits the event brings, if that was counted.
    pub commits: Option<usize>,
    /// How many files are changed; the event may name fewer of them.
    pub changed_files: Option<usize>,
    /// Whether files count that no commit holds.
    pub has_uncommitted: bool,
    /// What a person should know about it, each a sentence.
    pub notices: Vec<String>,
}

/// How an event is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PremiseOrigin {
    /// From the git repository at hand.
    Git,
    /// From a directory that git does not know.
    Directory,
    /// From the payload in this file.
    Payload(String),
}

/// What the files were compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PremiseBase {
    /// A stable word: `given`, `upstream`, `new-branch`, `merge-base`, `previous`, `nothing` or `unknown`.
    pub kind: &'static str,
    /// What it is, after the word "since", such as `` `origin/main` ``.
    pub text: String,
    /// Its commit, if it is one.
    pub commit: Option<String>,
}

impl Premise {
    /// What happens, without how it is known: ``push to `main` ``.
    pub(super) fn happening(&self) -> String {
        let event = &self.event;
        let mut text = match event.name.as_str() {
            "push" if event.is_deletion => "push that deletes its ref".to_owned(),
            "push" => match (event.branch(), event.tag()) {
                (Some(branch), _) => format!("push to `{branch}`"),
                (_, Some(tag)) => format!("push of the tag `{tag}`"),
                _ => "push".to_owned(),
            },
            name => match &event.action {
                Some(action) => format!("{name} ({action})"),
                None => name.to_owned(),
            },
        };
        if event.name != "push" {
            match (&event.head_ref, &event.base_ref) {
                (Some(head), Some(base)) => text += &format!(" of `{head}` into `{base}`"),
                (None, Some(base)) => text += &format!(" into `{base}`"),
                _ => text += &self.place(),
            }
        }
        if event.is_fork {
            text += " from a fork";
        }
        text + &self.inputs()
    }

    fn place(&self) -> String {
        match (self.event.branch(), self.event.tag()) {
            (Some(branch), _) => format!(" on `{branch}`"),
            (_, Some(tag)) => format!(" on the tag `{tag}`"),
            _ => String::new(),
        }
    }

    fn inputs(&self) -> String {
        let Some(Value::Object(inputs)) = self.event.payload.property("inputs") else { return String::new() };
        let inputs: Vec<String> =
            inputs.iter().map(|(name, value)| format!("`{name}={}`", value.to_text())).collect();
        if inputs.is_empty() { String::new() } else { format!(" with {}", inputs.join(", ")) }
    }

    /// What it brings and how that is known; empty if there is nothing to say.
    pub(super) fn reason(&self) -> String {
        let mut parts = Vec::new();
        if let Some(commits) = self.commits.filter(|commits| *commits > 0) {
            parts.push(count(commits, "commit"));
        }
        let since = self.base.as_ref().map(|base| format!(" since {}", base.text)).unwrap_or_default();
        match &self.event.changed_paths {
            Some(changed) if changed.complete => {
                let files = count(self.changed_files.unwrap_or(changed.paths.len()), "changed file");
                let uncommitted = if self.has_uncommitted { " (uncommitted ones included)" } else { "" };
                parts.push(format!("{files}{uncommitted}{since}"));
            }
            Some(_) => parts.push("every file counts as changed".to_owned()),
            None => {}
        }
        if let PremiseOrigin::Payload(path) = &self.origin {
            parts.push(format!("as `{path}` says"));
        }
        parts.join(", ")
    }
}
