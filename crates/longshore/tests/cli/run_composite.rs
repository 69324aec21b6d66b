//! `longshore run`: what the manifests of actions may say, with actions of a mirror and of the workspace.

use crate::containers::Containers;
use crate::run::{jobs, log, pairs, run};

const COMPOSITE: &str = r#"
name: composite
description: d
inputs:
  need: { required: true, description: d }
  old: { deprecationMessage: use need instead, description: d }
  known: { default: 'known-${{ github.event_name }}', description: d }
outputs:
  out: { value: '${{ steps.a.outputs.v }}/${{ steps.n.outputs.inner }}', description: d }
  bad: { value: '${{ steps.bad.outcome }}/${{ steps.bad.conclusion }}', description: d }
runs:
  using: composite
  steps:
    - id: a
      run: echo "v=${{ inputs.need }}+${{ inputs.known }}+${{ inputs.old }}+" >> "$GITHUB_OUTPUT"
      shell: bash
    - { id: bad, run: exit 3, shell: bash, continue-on-error: true }
    - { if: "inputs.need == 'no'", run: echo never, shell: bash }
    - { if: failure(), run: echo never, shell: bash }
    - { id: n, uses: acme/composite/deep@v1, with: { x: '${{ inputs.need }}' } }
    - run: echo "path:$PWD own:${GITHUB_ACTION_PATH#${{ github.action_path }}} E:$E W:$W"
      shell: sh
      working-directory: ${{ github.action_path }}
      env: { E: '${{ inputs.known }}' }
"#;

const DEEP: &str = r#"
inputs: { x: { default: q } }
outputs: { inner: { value: '${{ steps.s.outputs.i }}' } }
runs:
  using: composite
  steps:
    - id: s
      shell: bash
      run: |
        echo "i=inner-${{ inputs.x }}" >> "$GITHUB_OUTPUT"
        echo "MADE=by the inner" >> "$GITHUB_ENV"; echo /inner/bin >> "$GITHUB_PATH"
        echo "::notice file=a.txt,line=1::noted"
    - uses: ./local/sub
"#;

fn write(it: &Containers) {
    it.context.write("longshore.toml", "[actions.mirrors]\n\"acme/\" = \"vendor\"\n");
    it.context.write("vendor/composite/action.yml", COMPOSITE);
    it.context.write("vendor/composite/deep/action.yml", DEEP);
    let local = "runs: { using: composite, steps: [ { run: 'echo local:${{ inputs.x }}', shell: bash } ] }\n";
    it.context.write("local/sub/action.yaml", local);
}

#[test]
fn composite_actions_nest_with_inputs_outputs_and_conditions() {
    let Some(it) = Containers::with_networks() else { return };
    write(&it);
    let (ended, events) = run(
        &it,
        r#"
on: push
env: { W: workflow }
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: acme/composite@v1
        id: c
        with: { need: given, old: o, other: 1 }
      - run: echo "${{ steps.c.outputs.out }} ${{ steps.c.outputs.bad }} $MADE ${PATH%%:*}"
      - uses: acme/composite@v1
        id: d
      - run: echo "${{ steps.d.outputs.out }}"
      - uses: ./nowhere
        continue-on-error: true
"#,
        &["--offline"],
    );
    let log = log(&events);
    assert_eq!(ended.code, 0, "{log}{}", ended.stderr);
    let wanted = [
        "given+known-push+o+/inner-given failure/success by the inner /inner/bin",
        "path:/home/runner/work/_actions/acme/composite/v1 own: E:known-push W:workflow",
        "local:",
        "+known-push++/inner-",
    ];
    for line in wanted {
        assert!(log.lines().any(|told| told == line), "{line}: {log}");
    }
    assert!(!log.contains("\nnever\n"), "{log}");
    for said in [
        "Unexpected input(s) 'other', valid inputs are ['need', 'old', 'known']",
        "Input 'old' has been deprecated with message: use need instead",
        "can't find 'action.yml', 'action.yaml' or 'Dockerfile' under",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
}

#[test]
fn a_step_without_shell_is_refused_at_its_line() {
    let Some(it) = Containers::with_networks() else { return };
    write(&it);
    it.context.write("vendor/bad/action.yml", "runs:\n  using: composite\n  steps:\n    - run: echo x\n");
    let workflow = "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [ uses: acme/bad@v1 ] } }\n";
    let (ended, events) = run(&it, workflow, &["--offline"]);
    assert_eq!((ended.code, jobs(&events)), (1, pairs(&[("a", "failure")])), "{}", ended.stderr);
    let log = log(&events);
    assert!(log.contains("acme/bad@v1/action.yml:4") && log.contains("`shell`"), "{log}");
}

#[test]
fn conditions_decide_about_the_stages_around_an_action() {
    if !std::process::Command::new("node").arg("--version").output().is_ok_and(|out| out.status.success()) {
        eprintln!("skipped: there is no node on this machine");
        return;
    }
    let Some(it) = Containers::with_networks() else { return };
    write(&it);
    let manifest = "inputs: { code: {}, none: { required: true } }\nruns: { using: node20, pre: pre.js, pre-if: \
                    \"runner.os == 'Windows'\", main: main.js, post: post.js, post-if: failure() }\n";
    it.context.write("vendor/js/sub/action.yml", manifest);
    it.context.write("vendor/js/sub/pre.js", "console.log('never');\n");
    let main = "const e = process.env;\nconsole.log('main', e.INPUT_CODE, JSON.stringify(e.INPUT_NONE));\n\
                process.exitCode = Number(e.INPUT_CODE);\n";
    it.context.write("vendor/js/sub/main.js", main);
    it.context.write("vendor/js/sub/post.js", "console.log('post of', process.env.INPUT_CODE);\n");
    let workflow = |code: u8| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - {{ uses: acme/js/sub@v1, with: {{ code: {code} }} }}\n"
        )
    };
    for (code, posts) in [(0, 0), (4, 1)] {
        let (ended, events) = run(&it, &workflow(code), &["--offline", "--keep", "never"]);
        let log = log(&events);
        assert_eq!(ended.code, i32::from(code != 0), "{log}{}", ended.stderr);
        assert!(log.contains(&format!("\nmain {code} \"\"\n")), "an input that nobody gives is empty: {log}");
        assert_eq!(log.matches(&format!("\npost of {code}\n")).count(), posts, "{log}");
        assert!(!log.contains("never"), "{log}");
    }
}
