//! Events from payloads and from what git knows.

use longshore_expr::Value;

use crate::evaluate::{Evaluated, Knowledge, evaluate};

use super::{CommitFacts, Event, EventFacts, PullRequestFacts, WorkflowIdentity};

const WORKFLOW: WorkflowIdentity<'_> = WorkflowIdentity { name: "CI", path: ".github/workflows/ci.yml" };

fn payload(json: &str) -> Event {
    Event::from_payload(None, Value::from_json(json).unwrap())
}

#[test]
fn payloads_tell_their_event() {
    let cases = [
        (r#"{"ref":"refs/heads/main","before":"a","after":"b","commits":[]}"#, "push"),
        (r#"{"action":"opened","number":7,"pull_request":{"number":7}}"#, "pull_request"),
        (r#"{"action":"submitted","review":{},"pull_request":{}}"#, "pull_request_review"),
        (r#"{"action":"created","comment":{},"pull_request":{}}"#, "pull_request_review_comment"),
        (r#"{"action":"created","comment":{},"issue":{}}"#, "issue_comment"),
        (r#"{"action":"opened","issue":{}}"#, "issues"),
        (r#"{"action":"completed","workflow_run":{}}"#, "workflow_run"),
        (r#"{"action":"published","release":{"tag_name":"v1"}}"#, "release"),
        (r#"{"inputs":{"a":"b"},"ref":"refs/heads/main","workflow":"x.yml"}"#, "workflow_dispatch"),
        (r#"{"ref":"v1","ref_type":"tag","master_branch":"main"}"#, "create"),
        (r#"{"action":"go","client_payload":{},"branch":"main"}"#, "repository_dispatch"),
        (r#"{"schedule":"1 2 * * *"}"#, "schedule"),
        (r#"{"action":"checks_requested","merge_group":{}}"#, "merge_group"),
        (r#"{"action":"started","repository":{}}"#, "watch"),
        ("{}", "push"),
    ];
    for (json, name) in cases {
        assert_eq!(payload(json).name, name, "{json}");
    }
}

#[test]
fn payloads_fill_the_event() {
    let event = payload(
        r#"{"ref":"refs/heads/main","before":"0000","after":"b1","deleted":false,
            "repository":{"full_name":"o/r","default_branch":"main"},"sender":{"login":"ann"},
            "head_commit":{"message":"fix"},
            "commits":[{"added":["b"],"modified":["a"]},{"removed":["c"],"modified":["a"]}]}"#,
    );
    assert_eq!(
        (event.branch(), event.sha.as_deref(), event.before.as_deref()),
        (Some("main"), Some("b1"), None)
    );
    assert_eq!((event.actor.as_deref(), event.commit_message.as_deref()), (Some("ann"), Some("fix")));
    assert_eq!(event.changed_paths.unwrap().paths, ["a", "b", "c"]);

    let event = payload(
        r#"{"action":"opened","number":7,"repository":{"full_name":"o/r"},"pull_request":{
            "head":{"ref":"topic","sha":"h1","repo":{"full_name":"x/r"}},
            "base":{"ref":"main","sha":"b1","repo":{"full_name":"o/r"}}}}"#,
    );
    assert_eq!((event.git_ref.as_deref(), event.sha.as_deref()), (Some("refs/pull/7/merge"), Some("h1")));
    assert_eq!((event.base_ref.as_deref(), event.head_ref.as_deref()), (Some("main"), Some("topic")));
    assert!(event.is_fork);
}

#[test]
fn a_deployment_of_a_commit_has_no_ref() {
    let of = |git_ref: &str| {
        let json = r#"{"deployment":{"sha":"c0ffee","ref":"REF"},"repository":{"default_branch":"main"}}"#;
        payload(&json.replace("REF", git_ref)).git_ref
    };
    assert_eq!(of("topic").as_deref(), Some("refs/heads/topic"));
    assert_eq!(of("c0ffee"), None);
}

#[test]
fn hostile_payloads_are_read() {
    for json in ["[]", "1", "null", r#"{"pull_request":3,"number":{}}"#, r#"{"commits":{"a":1},"ref":[]}"#] {
        let event = payload(json);
        let _ = event.github_context(WORKFLOW);
    }
}

fn facts() -> EventFacts {
    EventFacts {
        git_ref: Some("refs/heads/topic".to_owned()),
        sha: Some("c0ffee".to_owned()),
        before: Some("badcab".to_owned()),
        repository: Some("owner/repo".to_owned()),
        default_branch: Some("main".to_owned()),
        actor: Some("ann".to_owned()),
        commits: vec![
            CommitFacts { id: "c0ffee".to_owned(), message: "second".to_owned(), ..CommitFacts::default() },
            CommitFacts { id: "abcd".to_owned(), message: "first".to_owned(), ..CommitFacts::default() },
        ],
        pull_request: Some(PullRequestFacts { number: Some(7), ..PullRequestFacts::default() }),
        ..EventFacts::default()
    }
}

/// `ref sha ref_name ref_type base_ref head_ref` of the context.
fn refs(name: &str, facts: &EventFacts) -> String {
    let github = Event::synthetic(name, facts).github_context(WORKFLOW);
    let keys = ["ref", "sha", "ref_name", "ref_type", "base_ref", "head_ref"];
    let text = |key: &str| github.property(key).map_or("?".to_owned(), |value| value.to_text().into_owned());
    keys.map(text).join(" ")
}

#[test]
fn contexts_have_the_refs_that_github_documents() {
    let tag = EventFacts { git_ref: Some("refs/tags/v1".to_owned()), ..facts() };
    let cases = [
        ("push", facts(), "refs/heads/topic c0ffee topic branch  "),
        ("push", tag.clone(), "refs/tags/v1 c0ffee v1 tag  "),
        ("pull_request", facts(), "refs/pull/7/merge c0ffee 7/merge branch main topic"),
        ("pull_request_target", facts(), "refs/heads/main ? main branch main topic"),
        ("workflow_dispatch", facts(), "refs/heads/topic c0ffee topic branch  "),
        ("schedule", facts(), "refs/heads/main ? main branch  "),
        ("release", tag, "refs/tags/v1 c0ffee v1 tag  "),
        ("release", facts(), "? c0ffee ? ?  "),
        ("issues", facts(), "refs/heads/main ? main branch  "),
        ("issue_comment", facts(), "refs/heads/main ? main branch  "),
        ("check_suite", facts(), "refs/heads/main ? main branch  "),
        ("watch", facts(), "refs/heads/main ? main branch  "),
        ("create", facts(), "refs/heads/topic c0ffee topic branch  "),
        ("merge_group", facts(), "refs/heads/topic c0ffee topic branch  "),
    ];
    for (name, facts, expected) in cases {
        assert_eq!(refs(name, &facts), expected, "{name}");
    }
}

#[test]
fn nobody_knows_what_a_made_up_event_is_about() {
    let cases = [
        ("schedule", None, "github.event.schedule == '0 1 * * *'", false),
        ("workflow_run", None, "github.event.workflow_run.conclusion == 'success'", false),
        ("issue_comment", None, "contains(github.event.comment.body, '/deploy')", false),
        ("issues", None, "github.event.label.name == 'bug'", true),
        ("issues", Some("labeled"), "github.event.label.name == 'bug'", false),
        ("pull_request", Some("labeled"), "github.event.label.name == 'bug'", false),
        ("push", None, "github.event.schedule == '0 1 * * *'", true),
    ];
    for (name, action, condition, known) in cases {
        let event = Event::synthetic(name, &EventFacts { action: action.map(str::to_owned), ..facts() });
        let knowledge = Knowledge::default().with("github", event.github_facts(WORKFLOW));
        let found = evaluate(&longshore_expr::parse(condition).unwrap(), &knowledge).unwrap();
        assert_eq!(matches!(found, Evaluated::Known(_)), known, "{name} {action:?}: {condition}");
    }
    let due = EventFacts { schedule: Some("0 1 * * *".to_owned()), ..facts() };
    let event = Event::synthetic("schedule", &due);
    let schedule = event.github_context(WORKFLOW).property("event").unwrap().property("schedule").cloned();
    assert_eq!(schedule, Some(Value::from("0 1 * * *")));
}

#[test]
fn a_made_up_push_looks_like_githubs() {
    let event = Event::synthetic("push", &facts());
    let text = event.payload.to_json_compact();
    assert!(text.contains(r#""head_commit":{"id":"c0ffee","distinct":true,"message":"second""#), "{text}");
    assert!(text.contains(r#""commits":[{"id":"abcd""#), "oldest first: {text}");
    assert!(text.contains(r#""created":false,"deleted":false,"forced":false"#), "{text}");
    assert_eq!(event.commit_message.as_deref(), Some("second"));
}

#[test]
fn who_causes_a_made_up_event_stands_in_its_payload() {
    let unknown = EventFacts { actor: None, ..facts() };
    let text = |event: &Event, path: &[&str]| {
        super::payload::at(&event.payload, path).map(|value| value.to_text().into_owned())
    };
    let mut push = Event::synthetic("push", &unknown);
    push.cause("ann");
    push.cause("bob");
    assert_eq!(text(&push, &["sender", "login"]).as_deref(), Some("ann"));
    assert_eq!(text(&push, &["pusher", "name"]).as_deref(), Some("ann"));
    let mut request = Event::synthetic("pull_request", &unknown);
    request.cause("ann");
    assert_eq!(text(&request, &["pull_request", "user", "login"]).as_deref(), Some("ann"));
    assert_eq!(text(&request, &["pull_request", "title"]).as_deref(), Some("second"));
    assert_eq!(text(&request, &["pull_request", "head", "label"]).as_deref(), Some("owner:topic"));
    // A payload says itself who caused it.
    let mut told = payload(r#"{"ref":"refs/heads/main","after":"b","sender":{"login":"eve","id":7}}"#);
    told.cause("ann");
    assert_eq!(told.actor.as_deref(), Some("eve"));
    let id = told.github_context(WORKFLOW).property("actor_id").map(|id| id.to_text().into_owned());
    assert_eq!(id.as_deref(), Some("7"));
}

#[test]
fn a_dispatch_has_all_inputs_as_text() {
    let given = EventFacts { inputs: vec![("a".to_owned(), "x".to_owned())], ..facts() };
    let inputs =
        [("a", Value::from("x")), ("b", Value::Bool(true)), ("n", Value::Number(5.0))].into_iter().collect();
    let event = Event::synthetic("workflow_dispatch", &given).with_inputs(&inputs);
    let found = event.payload.property("inputs").unwrap().to_json_compact();
    assert_eq!(found, r#"{"a":"x","b":"true","n":"5"}"#);
}
