//! `longshore run`: actions that others have written, in JavaScript, of steps, in containers.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::containers::Containers;
use crate::run::{jobs, log, pairs, run};
use crate::run_bare::import_busybox;

/// A place with networks on a machine with Node, or a note. Tests ask no registry for it.
pub(crate) fn with_node() -> Option<Containers> {
    let found = Command::new("node").arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no node on this machine");
        return None;
    }
    Containers::with_networks()
}

/// `acme/hello`: a JavaScript action with all three stages, and in `nest` a composite one that uses it.
pub(crate) fn write_hello(it: &Containers) {
    let hello = [
        (
            "action.yml",
            "inputs: { 'who-to greet': { default: '${{ github.event_name }}' }, n: {} }\nruns: { using: node20, pre: \
             pre.js, main: main.js, post: post.js }\n",
        ),
        (
            "pre.js",
            "require('fs').appendFileSync(process.env.GITHUB_STATE, 'early=E\\n');\nconsole.log('pre', \
             process.env.INPUT_N);\n",
        ),
        (
            "main.js",
            "const e = process.env, fs = require('fs');\nconsole.log('main', e['INPUT_WHO-TO_GREET'], e.INPUT_N, \
             e.STATE_early, e.GITHUB_ACTION_REPOSITORY, e.GITHUB_ACTION_REF, process.cwd() === \
             e.GITHUB_WORKSPACE);\nfs.appendFileSync(e.GITHUB_OUTPUT, `said=hi ${e.INPUT_N}\\n`);\n\
             fs.appendFileSync(e.GITHUB_STATE, `late=${e.INPUT_N}\\n`);\n",
        ),
        ("post.js", "console.log('post', process.env.STATE_early, process.env.STATE_late);\n"),
        (
            "nest/action.yml",
            "inputs: { x: { default: dx } }\noutputs: { o: { value: '${{ steps.h.outputs.said }}' } }\nruns:\n  using: \
             composite\n  steps:\n    - uses: acme/hello@v1\n      id: h\n      with: { n: 'in-${{ inputs.x }}' }\n",
        ),
    ];
    for (name, text) in hello {
        it.context.write(&format!("vendor/hello/{name}"), text);
    }
    it.context.write("longshore.toml", "[actions.mirrors]\n\"acme/\" = \"vendor\"\n");
}

#[test]
fn javascript_actions_have_three_stages_also_inside_of_composite_ones() {
    let Some(it) = with_node() else { return };
    write_hello(&it);
    let (ended, events) = run(
        &it,
        r"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: acme/hello@v1
        id: h
        with: { n: one }
      - uses: acme/hello/nest@v1
        id: n
      - run: 'echo said ${{ steps.h.outputs.said }} and ${{ steps.n.outputs.o }}'
",
        &[],
    );
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let log = log(&events);
    let said: Vec<&str> = log
        .lines()
        .filter(|line| ["pre ", "main ", "post "].iter().any(|word| line.starts_with(word)))
        .collect();
    let expected = [
        "pre one",
        "pre in-dx",
        "main push one E acme/hello v1 true",
        "main push in-dx E acme/hello v1 true",
        "post E in-dx",
        "post E one",
    ];
    assert_eq!(said, expected, "{log}");
    assert!(log.contains("\nsaid hi one and hi in-dx\n"), "{log}");
    assert_eq!(it.done(&["ps", "-aq"]), "", "nothing is left of the job");
}

#[test]
fn actions_that_a_step_makes_may_use_others() {
    let Some(it) = with_node() else { return };
    write_hello(&it);
    let (ended, events) = run(
        &it,
        r"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          mkdir -p made
          printf 'runs:\n  using: composite\n  steps:\n    - uses: acme/hello/nest@v1\n      with: { x: late }\n' > made/action.yml
      - uses: ./made
",
        &[],
    );
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let log = log(&events);
    assert!(log.contains("\nmain push in-late undefined acme/hello v1 true\n"), "{log}");
    assert!(log.contains("\npost undefined in-late\n"), "{log}");
}

#[test]
fn only_actions_reach_the_services_for_actions() {
    let Some(it) = with_node() else { return };
    // As the state directory of root is: closed to everybody else, users of containers included.
    let top = it.context.project().join("..");
    std::fs::set_permissions(top, std::fs::Permissions::from_mode(0o700)).unwrap();
    it.context.write("longshore.toml", "[actions.mirrors]\n\"acme/\" = \"vendor\"\n");
    it.context.write("vendor/ask/action.yml", "runs: { using: node20, main: main.js }\n");
    let script = r"
const { ACTIONS_RESULTS_URL: url, ACTIONS_RUNTIME_TOKEN: token } = process.env;
const list = (token) => fetch(`${url}twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  body: JSON.stringify(ids(process.env.ACTIONS_RUNTIME_TOKEN)),
});
const ids = (token) => {
  const scope = JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).scp.split(' ').find((s) => s.startsWith('Actions.Results:'));
  const [, run, job] = scope.split(':');
  return { workflow_run_backend_id: run, workflow_job_run_backend_id: job };
};
(async () => {
  const [good, bad] = [await list(token), await list('x.y.z')];
  console.log(`good ${good.status} ${await good.text()} bad ${bad.status}`, new URL(url).hostname);
  console.log('token', token);
})();
";
    it.context.write("vendor/ask/main.js", script);
    let (ended, events) = run(
        &it,
        r"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: acme/ask@v1
      - run: env | grep ^ACTIONS_ || echo none of it
",
        &[],
    );
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let log = log(&events);
    assert!(log.contains("good 200 {") && log.contains("bad 401 127.0.0.1\n"), "{log}");
    assert!(log.contains("\ntoken ***\n") && log.contains("\nnone of it\n"), "{log}");
}

#[test]
fn scripts_ask_for_identities_where_the_workflow_lets_them() {
    let Some(it) = with_node() else { return };
    it.context.write(
        "ask.js",
        r"
const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = process.env;
const headers = { authorization: `Bearer ${token}` };
fetch(`${url}&audience=shop`, { headers }).then((answer) => answer.json()).then(({ value }) => {
  const claims = JSON.parse(Buffer.from(value.split('.')[1], 'base64url'));
  console.log('claims', claims.aud, claims.event_name, claims.sub.endsWith('environment:production'));
});
",
    );
    let (ended, events) = run(
        &it,
        r"
on: push
jobs:
  may:
    runs-on: ubuntu-latest
    environment: production
    permissions: { id-token: write, contents: read }
    steps:
      - uses: actions/checkout@v4
      - run: node ask.js
      - run: env | cut -d= -f1 | grep -v ID_TOKEN | grep ^ACTIONS_ || echo nothing else
  may-not:
    runs-on: ubuntu-latest
    permissions: { id-token: none }
    steps:
      - run: env | grep ^ACTIONS_ || echo none of it
",
        &[],
    );
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let log = log(&events);
    for line in ["claims shop push true", "nothing else", "none of it"] {
        assert!(log.contains(&format!("\n{line}\n")), "{line}: {log}");
    }
}

#[test]
fn an_action_that_cannot_be_had_says_where_it_was_looked_for() {
    let Some(it) = Containers::with_networks() else { return };
    it.context.write("longshore.toml", "[actions.mirrors]\n\"acme/\" = \"vendor\"\n");
    let workflow = "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [ uses: acme/none@v1 ] } }\n";
    let (ended, events) = run(&it, workflow, &["--offline"]);
    assert_eq!((ended.code, jobs(&events)), (1, pairs(&[("a", "failure")])), "{}", ended.stderr);
    let log = log(&events);
    assert!(
        log.contains("acme/none@v1") && log.contains("vendor/none") && log.contains("`--offline`"),
        "{log}"
    );
}

#[test]
fn actions_in_containers_see_the_job_at_their_places() {
    let Some(it) = Containers::with_networks() else { return };
    if !import_busybox(&it, "tools:1") {
        return;
    }
    it.context.write("longshore.toml", "[actions.mirrors]\n\"acme/\" = \"vendor\"\n");
    let manifest = "inputs: { who: { default: world } }\nruns:\n  using: docker\n  image: docker://tools:1\n  entrypoint: \
                    /bin/sh\n  args: ['-c', 'echo $EXTRA ${{ inputs.who }} $PWD $HOME $INPUT_WHO; cat $GITHUB_WORKSPACE/there; \
                    echo o=made >> $GITHUB_OUTPUT; touch $RUNNER_TEMP/mark']\n  env: { EXTRA: 'extra-${{ inputs.who }}' }\n";
    it.context.write("vendor/dock/action.yml", manifest);
    it.context.write("vendor/built/action.yml", "runs: { using: docker, image: Dockerfile }\n");
    let (ended, events) = run(
        &it,
        r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo was there > there
      - uses: acme/dock@v1
        id: d
        with: { who: me }
      - run: 'test -f "$RUNNER_TEMP/mark" && echo output ${{ steps.d.outputs.o }}'
      - uses: docker://tools:1
        with: { entrypoint: /bin/echo, args: "one 'two  three'" }
      - uses: acme/built@v1
        continue-on-error: true
      - run: cd "$RUNNER_WORKSPACE" && mv * aside && ln -s /etc "${GITHUB_WORKSPACE##*/}"
        working-directory: /
      - uses: docker://tools:1
        with: { args: /bin/ls -a }
"#,
        &["--keep", "never"],
    );
    assert_eq!(ended.code, 1, "a link in the place of the workspace is not followed: {}", ended.stdout);
    let log = log(&events);
    for said in
        ["extra-me me /github/workspace /github/home me", "was there", "output made", "one two  three"]
    {
        assert!(log.lines().any(|line| line == said), "{said}: {log}");
    }
    assert!(log.contains("acme/built@v1/action.yml:1: the action is built from `Dockerfile`"), "{log}");
    assert!(!log.contains("passwd"), "{log}");
    assert_eq!(it.done(&["ps", "-aq"]), "", "nothing is left of the actions");
}

#[test]
fn an_ordinary_user_runs_actions() {
    if with_node().is_none() {
        return;
    }
    let Some(it) = Containers::of_an_ordinary_user() else { return };
    write_hello(&it);
    let workflow = "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [ { uses: acme/hello@v1, with: { n: 1 } } ] } }\n";
    let (ended, events) = run(&it, workflow, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let log = log(&events);
    assert!(
        log.contains("\nmain push 1 E acme/hello v1 true\n") && !log.contains("cannot use artifacts"),
        "{log}"
    );
}
