//! What starts what, and why not.

use longshore_expr::Value;
use longshore_syntax::SourceFile;

use super::{Start, start};
use crate::event::{ChangedPaths, CommitFacts, Event, EventFacts, PullRequestFacts};
use crate::parse_workflow;

/// `runs: …` or `OBSTACLE (TEXT IN THE FILE): …`.
fn outcome(on: &str, event: &Event) -> String {
    let text = format!("{on}\njobs:\n  a:\n    runs-on: x\n    steps: [run: x]\n");
    let file = SourceFile::new("ci.yml", text);
    let parsed = parse_workflow(&file);
    assert!(parsed.is_valid(), "{on}: {:?}", parsed.diagnostics());
    match start(&parsed.model.unwrap(), event) {
        Start::Starts(started) => format!("runs: {}", started.text),
        Start::Stopped(stopped) => {
            let place = stopped.span.map_or("-", |span| file.slice(span));
            format!("{} ({place}): {}", stopped.obstacle.as_str(), stopped.text)
        }
    }
}

fn push(git_ref: &str, paths: &[&str]) -> Event {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Event::synthetic(
        "push",
        &EventFacts {
            git_ref: Some(git_ref.to_owned()),
            sha: Some("a1".to_owned()),
            changed_paths: Some(ChangedPaths { paths, complete: true }),
            ..EventFacts::default()
        },
    )
}

fn pull_request(base: &str, action: &str) -> Event {
    Event::synthetic(
        "pull_request",
        &EventFacts {
            git_ref: Some("refs/heads/topic".to_owned()),
            action: Some(action.to_owned()),
            pull_request: Some(PullRequestFacts {
                base_ref: Some(base.to_owned()),
                ..PullRequestFacts::default()
            }),
            ..EventFacts::default()
        },
    )
}

#[test]
fn pushes() {
    let main = push("refs/heads/main", &["src/a.rs", "README.md"]);
    let tag = push("refs/tags/v1", &[]);
    let cases = [
        ("on: push", &main, "runs: `on` names `push`"),
        ("on: pull_request", &main, "event (pull_request): `on` does not name `push`, only `pull_request`"),
        (
            "on: workflow_call",
            &main,
            "call-only (workflow_call): it only runs when another workflow calls it",
        ),
        ("on: {push: {branches: [main]}}", &main, "runs: branch `main` matches `main`"),
        (
            "on: {push: {branches: [dev]}}",
            &main,
            "branch (branches): branch `main` matches no pattern of `branches`",
        ),
        (
            "on: {push: {branches: ['**', '!main']}}",
            &main,
            "branch ('!main'): branch `main` is excluded by `!main`",
        ),
        ("on: {push: {branches-ignore: [ma*]}}", &main, "branch (ma*): branch `main` is ignored by `ma*`"),
        (
            "on: {push: {tags: [v*]}}",
            &main,
            "branch (tags): branch `main` is pushed, and a filter on `tags` alone leaves out every branch",
        ),
        ("on: {push: {tags: [v*]}}", &tag, "runs: tag `v1` matches `v*`"),
        (
            "on: {push: {branches: [main]}}",
            &tag,
            "tag (branches): tag `v1` is pushed, and a filter on `branches` alone leaves out every tag",
        ),
        ("on: {push: {branches: [main], tags: [v*], paths: [x]}}", &tag, "runs: tag `v1` matches `v*`"),
        ("on: {push: {paths: [x]}}", &tag, "runs: `on` names `push`"),
        (
            "on: {push: {branches: [main], paths: ['src/**']}}",
            &main,
            "runs: branch `main` matches `main`, path `src/a.rs` matches `src/**`",
        ),
        (
            "on: {push: {paths: ['docs/**']}}",
            &main,
            "path (paths): path `README.md` matches no pattern of `paths` (and 1 more)",
        ),
        (
            "on: {push: {paths-ignore: ['**.md', 'src/**']}}",
            &main,
            "path ('**.md'): path `README.md` is ignored by `**.md` (and 1 more)",
        ),
    ];
    for (on, event, expected) in cases {
        assert_eq!(outcome(on, event), expected, "{on}");
    }
}

#[test]
fn paths_that_nobody_knows_match() {
    let mut event = push("refs/heads/main", &["a"]);
    event.changed_paths = None;
    let expected = "runs: the changed paths are not known, so `paths` is taken to match";
    assert_eq!(outcome("on: {push: {paths: [x]}}", &event), expected);
    event.changed_paths = Some(ChangedPaths { paths: vec!["a".to_owned()], complete: false });
    assert_eq!(outcome("on: {push: {paths: [x]}}", &event), expected);
}

#[test]
fn github_looks_at_300_files() {
    let names: Vec<String> = (0..301).map(|n| format!("f{n:03}")).collect();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    let event = push("refs/heads/main", &paths);
    assert!(outcome("on: {push: {paths: [f299]}}", &event).starts_with("runs: path `f299`"));
    let late = outcome("on: {push: {paths: [f300]}}", &event);
    assert!(
        late.ends_with("a later file would match, but GitHub only looks at the first 300 of 301"),
        "{late}"
    );
}

#[test]
fn pull_requests() {
    let cases = [
        ("on: pull_request", "main", "synchronize", "runs: `on` names `pull_request`"),
        (
            "on: pull_request",
            "main",
            "labeled",
            "activity-type (pull_request): without `types` it starts on `opened`, `synchronize`, `reopened`, and this is `labeled`",
        ),
        ("on: {pull_request: {types: [labeled]}}", "main", "labeled", "runs: `types` names `labeled`"),
        (
            "on: {pull_request: {types: [labeled, closed]}}",
            "main",
            "opened",
            "activity-type (labeled): `types` does not name `opened`, only `labeled`, `closed`",
        ),
        (
            "on: {pull_request: {branches: [main]}}",
            "main",
            "opened",
            "runs: target branch `main` matches `main`",
        ),
        (
            "on: {pull_request: {branches: [main]}}",
            "dev",
            "opened",
            "branch (branches): target branch `dev` matches no pattern of `branches`",
        ),
    ];
    for (on, base, action, expected) in cases {
        assert_eq!(outcome(on, &pull_request(base, action)), expected, "{on}");
    }
}

#[test]
fn commit_messages_can_ask_to_skip() {
    let cases = [
        ("fix [skip ci]", true),
        ("[no ci] x\n\nbody", true),
        ("x\n\nbody [actions skip]", true),
        ("skip ci", false),
        ("x\n\n\nskip-checks: true", true),
        ("x\n\n\nSigned-off-by: a\nskip-checks:true\n", true),
        ("x\n\nskip-checks: true", false),
        ("x\n\n\nskip-checks: true\nSigned-off-by: a", false),
    ];
    for (message, skips) in cases {
        let mut facts = EventFacts { git_ref: Some("refs/heads/main".to_owned()), ..EventFacts::default() };
        facts.commits = vec![CommitFacts { message: message.to_owned(), ..CommitFacts::default() }];
        for (name, affected) in [("push", true), ("pull_request", true), ("workflow_dispatch", false)] {
            let event = Event::synthetic(name, &facts);
            let text = outcome(&format!("on: {name}"), &event);
            assert_eq!(text.starts_with("skip-marker"), skips && affected, "{name} {message:?}: {text}");
        }
    }
}

#[test]
fn other_events() {
    let payload = |name: &str, json: &str| Event::from_payload(Some(name), Value::from_json(json).unwrap());
    let run = r#"{"action":"completed","workflow_run":{"name":"CI","head_branch":"main"}}"#;
    let cases = [
        (
            "on: {workflow_run: {workflows: [CI]}}",
            payload("workflow_run", run),
            "runs: `workflows` names `CI`",
        ),
        (
            "on: {workflow_run: {workflows: [Build], types: [completed]}}",
            payload("workflow_run", run),
            "workflow (Build): `workflows` does not name `CI`, only `Build`",
        ),
        (
            "on: {workflow_run: {workflows: [CI], branches: [dev]}}",
            payload("workflow_run", run),
            "branch (branches): branch `main` matches no pattern of `branches`",
        ),
        (
            "on: {workflow_run: {workflows: [CI], types: [requested]}}",
            payload("workflow_run", run),
            "activity-type (requested): `types` does not name `completed`, only `requested`",
        ),
        ("on: {schedule: [{cron: '1 2 * * *'}]}", payload("schedule", "{}"), "runs: `on` names `schedule`"),
        (
            "on: {schedule: [{cron: '1 2 * * *'}]}",
            payload("schedule", r#"{"schedule":"3 4 * * *"}"#),
            "schedule ('1 2 * * *'): no entry of `schedule` is `3 4 * * *`, only `1 2 * * *`",
        ),
        (
            "on: {repository_dispatch: {types: [go]}}",
            payload("repository_dispatch", r#"{"action":"stop"}"#),
            "activity-type (go): `types` does not name `stop`, only `go`",
        ),
        (
            "on: {push: {branches: [main]}}",
            payload("push", r#"{"ref":"refs/heads/main","after":"0000","deleted":true}"#),
            "deletion (push): the push deletes its ref; that is the event `delete`",
        ),
    ];
    for (on, event, expected) in cases {
        assert_eq!(outcome(on, &event), expected, "{on}");
    }
}

const DISPATCH: &str = "\
on:
  workflow_dispatch:
    inputs:
      target: {type: choice, options: [staging, production], required: true}
      dry: {type: boolean}
      count: {type: number, default: 3}
      note: {description: any}";

#[test]
fn dispatch_inputs_are_checked() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("target", "staging")], "runs: `on` names `workflow_dispatch`"),
        (&[], "inputs (target): the input `target` is required; it is one of `staging`, `production`"),
        (
            &[("target", "prod")],
            "inputs (target): the input `target` cannot be `prod`; it is one of `staging`, `production`",
        ),
        (
            &[("target", "staging"), ("dry", "yes"), ("count", "many")],
            "inputs (dry): the input `dry` is `true` or `false`, not `yes`; the input `count` is a number, not `many`",
        ),
        (
            &[("target", "staging"), ("cuont", "1")],
            "inputs (workflow_dispatch): there is no input `cuont`, did you mean `count`?",
        ),
    ];
    for (inputs, expected) in cases {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let event = Event::synthetic("workflow_dispatch", &EventFacts { inputs, ..EventFacts::default() });
        assert_eq!(outcome(DISPATCH, &event), *expected);
    }
}

#[test]
fn dispatch_inputs_are_typed_and_completed() {
    let file = SourceFile::new("ci.yml", format!("{DISPATCH}\njobs: {{a: {{runs-on: x, steps: [run: x]}}}}"));
    let mut event = Event::new("workflow_dispatch");
    event.set_input("TARGET", "staging");
    event.set_input("dry", "true");
    let Start::Starts(started) = start(&parse_workflow(&file).model.unwrap(), &event) else {
        panic!("starts")
    };
    let inputs = Value::Object(started.inputs).to_json_compact();
    assert_eq!(inputs, r#"{"target":"staging","dry":true,"count":3,"note":""}"#);
}
