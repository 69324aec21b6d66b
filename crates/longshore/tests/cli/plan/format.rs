//! JSON, Mermaid and DOT.

use serde_json::Value;

use super::{plan, project};
use crate::context::TestContext;
use crate::plan::schema::violations;

/// A project in which every part of the documented shape occurs.
fn full() -> TestContext {
    let context = project();
    context.write(".github/workflows/called.yml", CALLED).write(".github/workflows/caller.yml", CALLER);
    context.write(".github/workflows/after.yml", AFTER).write(".github/workflows/wrong.yml", "on: pusch\n");
    context
}

const CALLED: &str = "\
name: Called
on:
  workflow_call:
    inputs:
      target: { type: string, default: here }
    secrets:
      token: { required: true }
    outputs:
      tag: { value: '${{ jobs.build.outputs.tag }}' }
jobs:
  build:
    runs-on: { group: big, labels: [linux] }
    container: node:20
    outputs: { tag: x }
    timeout-minutes: ${{ fromJSON(vars.MINUTES) }}
    steps:
      - run: echo ${{ secrets.token }} ${{ vars.COLOUR }}
";

const CALLER: &str = "\
name: Caller \"quoted\" <b>#1
run-name: Run by ${{ github.actor }}
on: push
concurrency: { group: 'one-${{ github.ref }}', cancel-in-progress: true }
permissions: read-all
jobs:
  list:
    runs-on: ubuntu-latest
    outputs: { cells: '[1]' }
    steps:
      - id: server
        run: ./serve
        background: true
      - uses: docker://alpine:3
      - wait: server
  call:
    needs: list
    uses: ./.github/workflows/called.yml
    with: { target: '${{ needs.list.outputs.cells }}' }
    secrets: { token: '${{ secrets.TOKEN }}' }
  many:
    needs: list
    strategy:
      max-parallel: 2
      matrix: { n: '${{ fromJSON(needs.list.outputs.cells) }}' }
    runs-on: ubuntu-latest
    environment: { name: 'e-${{ matrix.n }}', url: 'https://example.org' }
    steps: [{ run: make }]
  maybe:
    needs: [list, call, many]
    if: needs.list.outputs.cells != ''
    runs-on: ubuntu-latest
    steps: [{ run: make }]
  none:
    if: github.ref == 'refs/heads/other'
    uses: octo/shared/.github/workflows/x.yml@v1
    secrets: inherit
  far:
    uses: octo/shared/.github/workflows/x.yml@v1
";

const AFTER: &str = "\
on:
  workflow_run:
    workflows: ['Caller \"quoted\" <b>#1']
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [{ run: make }]
";

fn json(context: &TestContext, arguments: &[&str]) -> Value {
    let ended = context.run(&[&["plan", "--offline", "--format", "json"], arguments].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn json_keeps_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../../../docs/plan.schema.json")).unwrap();
    let context = full();
    for arguments in [
        &[][..],
        &["-e", "pull_request", "--ref", "refs/heads/f", "--fork", "--actor", "ada"],
        &["--ref", "refs/tags/v1"],
        &["deploy", "-i", "target=staging"],
        &["-e", "schedule"],
        &["--var", "MINUTES=5"],
    ] {
        let plan = json(&context, arguments);
        assert_eq!(violations(&schema, &plan), Vec::<String>::new(), "{arguments:?}");
    }
    let mut broken = json(&context, &[]);
    broken["workflows"][0]["start"]["starts"] = "yes".into();
    broken["extra"] = 1.into();
    broken["event"].as_object_mut().unwrap().remove("ref");
    let found = violations(&schema, &broken);
    assert_eq!(found.len(), 3, "the check finds what is wrong: {found:#?}");
}

#[test]
fn json_holds_what_the_tree_shows() {
    let context = full();
    insta::assert_snapshot!(plan(&context, &["caller"]));
    let plan = json(&context, &["caller"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan["workflows"]).unwrap());
    assert_eq!(json(&context, &["caller"]), plan, "the same question has the same answer");
    let vars = json(&context, &["called.yml", "-e", "workflow_call", "--var", "MINUTES=5"]);
    let job = &vars["workflows"][0]["run"]["jobs"][0]["instances"][0]["on_runner"];
    assert!(job.is_null() || job["timeout_minutes"]["value"] == 5.0, "{job}");
    context.write("minutes", "MINUTES=5\n");
    let file = json(&context, &["called.yml", "-e", "workflow_call", "--var-file", "minutes"]);
    assert_eq!(file["workflows"], vars["workflows"], "variables of a file are variables");
    context.write(".vars", "MINUTES=5\n");
    let usual = json(&context, &["called.yml", "-e", "workflow_call"]);
    assert_eq!(usual["workflows"], vars["workflows"], "and so are those of the usual one");
    context.write(".vars", "MINUTES=6\n");
    let other = json(&context, &["called.yml", "-e", "workflow_call"]);
    assert_ne!(other["workflows"], vars["workflows"]);
}

#[test]
fn drawings() {
    let context = full();
    insta::assert_snapshot!(plan(&context, &["--format", "mermaid"]));
    insta::assert_snapshot!(plan(&context, &["--format", "dot"]));
}
