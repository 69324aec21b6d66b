//! Whom a run may trust with secrets.

use longshore_workflow::event::Event;

/// Events whose runs GitHub treats as those of a fork when Dependabot caused them.
const OF_DEPENDABOT: [&str; 7] = [
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "create",
    "deployment",
    "deployment_status",
];

/// Whether what an event starts is code of strangers: it gets no secrets and no token. A run on `pull_request_target` has
/// the workflow of the target and gets them, as on GitHub.
pub fn is_untrusted(event: &Event) -> bool {
    event.is_fork && event.name != "pull_request_target" || is_of_dependabot(event)
}

/// Whether Dependabot caused it, which has secrets of its own on GitHub.
pub(crate) fn is_of_dependabot(event: &Event) -> bool {
    event.actor.as_deref() == Some("dependabot[bot]") && OF_DEPENDABOT.contains(&event.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_get_nothing() {
        for (name, is_fork, actor, untrusted) in [
            ("push", false, "me", false),
            ("pull_request", false, "me", false),
            ("pull_request", true, "me", true),
            ("pull_request_review", true, "me", true),
            ("pull_request_target", true, "me", false),
            ("push", false, "dependabot[bot]", true),
            ("pull_request", false, "dependabot[bot]", true),
            ("pull_request_target", false, "dependabot[bot]", false),
            ("schedule", false, "dependabot[bot]", false),
        ] {
            let mut event = Event::new(name);
            event.is_fork = is_fork;
            event.actor = Some(actor.to_owned());
            assert_eq!(is_untrusted(&event), untrusted, "{name} {is_fork} {actor}");
        }
    }
}
