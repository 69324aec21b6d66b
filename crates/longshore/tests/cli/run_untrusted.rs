//! Runs for people who are not trusted: pull requests of forks have no secrets, and caches of a pull request are its own.

use crate::containers::Containers;
use crate::context::Ended;
use crate::run::commit;

const CI: &str = ".github/workflows/ci.yml";

/// A step that saves and restores a cache, and says what it found.
const CACHES: &str = r#"
on: [push, pull_request, pull_request_target]
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - id: cache
        uses: actions/cache/restore@v4
        with: { path: thing, key: 'wanted-${{ vars.WANT }}', restore-keys: '${{ vars.PREFIX }}' }
      - run: echo "found [$(cat thing/t 2>/dev/null)] for ${{ github.ref }}"
      - run: mkdir -p thing; echo "made by ${{ vars.SAVE }}" > thing/t
      - uses: actions/cache/save@v4
        with: { path: thing, key: 'wanted-${{ vars.SAVE }}' }
"#;

fn project(workflow: &str) -> Option<Containers> {
    let it = Containers::with_networks()?;
    it.context.write(CI, workflow);
    commit(&it);
    for (number, fork) in [(7, false), (8, false), (9, true)] {
        let repository = |fork: bool| {
            let owner = if fork { "stranger" } else { "acme" };
            serde_json::json!({ "full_name": format!("{owner}/shop"), "fork": fork, "default_branch": "main" })
        };
        let payload = serde_json::json!({
            "action": "opened",
            "number": number,
            "repository": repository(false),
            "pull_request": {
                "number": number,
                "head": { "ref": "topic", "sha": "0".repeat(40), "repo": repository(fork) },
                "base": { "ref": "main", "sha": "0".repeat(40), "repo": repository(false) },
            },
        });
        it.context.write(&format!("../pr{number}.json"), payload.to_string());
    }
    Some(it)
}

fn run(it: &Containers, arguments: &[&str]) -> Ended {
    it.other(&[&["run", "--format", "json"][..], arguments].concat())
}

#[test]
fn forks_get_no_secrets_and_no_token() {
    let Some(it) = project(
        r#"
on: [push, pull_request, pull_request_target]
jobs:
  a:
    runs-on: ubuntu-latest
    env: { FROM_SECRET: '${{ secrets.TOKEN }}' }
    steps:
      - run: |
          echo "secret ${#FROM_SECRET} token ${#FROM_TOKEN} context ${#FROM_CONTEXT} fork ${{ github.event.pull_request.head.repo.fork }}"
          env | grep -c hunter2 || true
        env: { FROM_TOKEN: '${{ secrets.GITHUB_TOKEN }}', FROM_CONTEXT: '${{ github.token }}' }
  call:
    uses: ./.github/workflows/called.yml
    secrets: inherit
"#,
    ) else {
        return;
    };
    it.context.write(
        ".github/workflows/called.yml",
        "on: workflow_call\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      \
         - run: echo \"called ${#GIVEN}\"\n        env: { GIVEN: '${{ secrets.TOKEN }}' }\n",
    );
    commit(&it);
    it.context.write(".secrets", "TOKEN=hunter2-of-the-file\n");
    let (own, stranger) = (["-e", "pull_request", "--payload", "../pr7.json"], ["--payload", "../pr9.json"]);
    for (arguments, expected, called) in [
        (&own[..], "secret 19 token 14 context 14 fork false", "called 19"),
        (
            &[&["-e", "pull_request"][..], &stranger].concat(),
            "secret 0 token 0 context 0 fork true",
            "called 0",
        ),
        // The workflow is the target's, and so are the secrets.
        (
            &[&["-e", "pull_request_target"][..], &stranger].concat(),
            "secret 19 token 14 context 14 fork true",
            "called 19",
        ),
        (
            &["-e", "pull_request", "--base", "main", "--fork"],
            "secret 0 token 0 context 0 fork true",
            "called 0",
        ),
    ] {
        let ended = run(&it, &[arguments, &["-s", "GITHUB_TOKEN=hunter2-of-tok"]].concat());
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(expected), "{expected}: {}", ended.stdout);
        assert!(ended.stdout.contains(called), "{called}: {}", ended.stdout);
    }
}

#[test]
fn caches_of_a_pull_request_are_its_own() {
    let Some(it) = project(CACHES) else { return };
    let with = |event: &[&str], save: &str, want: &str| {
        let vars = [format!("SAVE={save}"), format!("WANT={want}"), "PREFIX=wanted-".to_owned()];
        let vars = ["--var", &vars[0], "--var", &vars[1], "--var", &vars[2]];
        let ended = run(&it, &[event, &vars].concat());
        assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
        ended.stdout
    };
    let named = |number: u32| format!("../pr{number}.json");
    let (one, other, fork) = (named(7), named(8), named(9));
    let push = ["--payload", "../push.json"];
    let repository = serde_json::json!({ "full_name": "acme/shop", "default_branch": "main" });
    let payload = |branch: &str| serde_json::json!({ "ref": format!("refs/heads/{branch}"), "repository": repository, "commits": [] });
    it.context.write("../push.json", payload("main").to_string());
    it.context.write("../topic.json", payload("topic").to_string());
    let main = |save: &str, want: &str| with(&[&["-e", "push"][..], &push].concat(), save, want);
    let of = |payload: &str, save: &str, want: &str| {
        with(&["-e", "pull_request", "--payload", payload], save, want)
    };
    let found = |shown: &str, what: &str| {
        assert!(shown.contains(&format!("found [{what}] for refs/")), "[{what}]: {shown}");
    };
    // Before the branch has any, a pull request tries to give it some.
    found(&of(&one, "one", "x"), "");
    found(&main("main", "one"), "");
    // It reads its own first, then those of the branch that it goes to; others read only the latter.
    found(&of(&one, "one-more", "one"), "made by one");
    found(&of(&other, "two", "one"), "made by main");
    found(&main("main-again", "one-more"), "made by main");
    let topic = ["-e", "push", "--payload", "../topic.json"];
    found(&with(&topic, "topic", "two"), "made by main-again");
    found(&main("main-third", "topic"), "made by main-again");
    // A fork reads, and writes nothing, not even for itself; nor with the rights of the target.
    let shown = of(&fork, "fork", "main");
    found(&shown, "made by main");
    assert!(shown.contains("this run comes from a fork, so it saves no cache"), "{shown}");
    found(&of(&fork, "fork", "fork"), "made by main-third");
    with(&["-e", "pull_request_target", "--payload", &fork], "target", "x");
    found(&main("main-fourth", "target"), "made by main-third");
}
