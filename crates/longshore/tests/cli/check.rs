//! `longshore check`.

use crate::context::TestContext;

const GOOD: &str = "on: push
permissions: {}
jobs:
  a:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - run: make
";

/// [`GOOD`] with one slip.
fn bad() -> String {
    GOOD.replace("timeout-minutes", "nedes: b\n    timeout-minutes")
}

#[test]
fn a_project_is_found_from_within() {
    let context = TestContext::new();
    context.write(".github/workflows/good.yml", GOOD).write(".github/workflows/bad.yaml", bad());
    context.write(".github/workflows/notes.txt", "no workflow").write("src/deep/file", "");
    context.write(".github/actions/own/action.yml", "name: own\nruns:\n  using: nod20\n  main: x.js\n");
    let ended = context.run(&["check", "-C", "src/deep"]);
    insta::assert_snapshot!(ended.shown());
    assert_eq!(context.run(&["check", "-C", "src/deep", "../../.github/workflows/bad.yaml"]).code, 1);
    assert_eq!(context.run(&["check", ".github/workflows/good.yml"]).code, 0);
}

#[test]
fn nothing_to_check_is_said() {
    let context = TestContext::new();
    let ended = context.run(&["check"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    assert!(ended.stderr.starts_with("no workflow or action files here"), "{}", ended.stderr);
    assert_eq!(context.run(&["check", "--quiet"]).stderr, "");
}

#[test]
fn every_format_says_the_same() {
    let context = TestContext::new();
    context.write(".github/workflows/bad.yml", bad());
    let run = |format| context.run(&["check", "--format", format]);
    let json: serde_json::Value = serde_json::from_str(&run("json").stdout).unwrap();
    assert_eq!(json["summary"]["errors"], 1);
    let found = &json["diagnostics"][0];
    let sarif: serde_json::Value = serde_json::from_str(&run("sarif").stdout).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&result["ruleId"], &region["startLine"]), (&found["code"], &found["start"]["line"]));
    let line = format!(
        "::error file=.github/workflows/bad.yml,line={},endLine={},col={},endColumn={},title={}::",
        found["start"]["line"],
        found["end"]["line"],
        found["start"]["column"],
        found["end"]["column"],
        found["code"].as_str().unwrap(),
    );
    assert!(run("github").stdout.starts_with(&line), "{}", run("github").stdout);
    assert!(run("text").stdout.starts_with(&format!("error[{}]: ", found["code"].as_str().unwrap())));
}

#[test]
fn thresholds_and_levels_decide_the_exit_code() {
    let context = TestContext::new();
    context.write(".github/workflows/bad.yml", bad());
    assert_eq!(context.run(&["check"]).code, 1);
    assert_eq!(context.run(&["check", "--fail-on", "never"]).code, 0);
    context.write("longshore.toml", "[check.rules]\n'workflow/unknown-key' = 'warning'\n");
    let ended = context.run(&["check"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, "1 warning in 1 file\n"));
    assert_eq!(context.run(&["check", "--fail-on", "warning"]).code, 1);
    context.write("longshore.toml", "[check.rules]\n'workflow/unknown-key' = 'off'\n");
    assert_eq!(context.run(&["check", "--fail-on", "note"]).stderr, "no problems in 1 file\n");
}

#[test]
fn bad_files_do_not_hide_others() {
    let context = TestContext::new();
    context.write(".github/workflows/a.yml", b"on: push\n\xff").write(".github/workflows/b.yml", bad());
    let ended = context.run(&["check"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, "2 errors in 2 files\n"));
    assert!(ended.stdout.starts_with("error[source/not-text]: "), "{}", ended.stdout);
    let missing = context.run(&["check", "none.yml"]);
    assert_eq!(missing.code, 4);
    insta::assert_snapshot!(missing.shown());
}

#[test]
fn endless_findings_are_cut_short() {
    let context = TestContext::new();
    let keys: Vec<String> = (0..2_000).map(|number| format!("key-{number}: 1\n")).collect();
    context.write("many.yml", format!("on: push\n{}", keys.concat()));
    let ended = context.run(&["check", "many.yml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, "501 errors in 1 file\n"));
    assert!(ended.stdout.contains("error[check/too-many-findings]: "));
}

#[test]
fn fixes_are_made_and_the_rest_is_reported() {
    let context = TestContext::new();
    let silenced =
        GOOD.replace("timeout-minutes: 5", "timeout-minutes: 5  # longshore: ignore[missing-timeout]");
    context.write(".github/workflows/a.yml", &silenced).write(".github/workflows/b.yml", bad());
    let before = context.run(&["check", "--fail-on", "note", ".github/workflows/a.yml"]);
    assert!(before.code == 1 && before.stdout.contains("fix: "), "{}", before.shown());
    let ended = context.run(&["check", "--fix"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (1, "fixed 1 finding\n1 error in 2 files\n"),
        "{}",
        ended.stdout
    );
    assert_eq!(context.read(".github/workflows/a.yml"), GOOD);
    assert_eq!(context.read(".github/workflows/b.yml"), bad());
    let left: Vec<_> = std::fs::read_dir(context.project().join(".github/workflows")).unwrap().collect();
    assert_eq!(left.len(), 2, "nothing is left behind");
}

#[test]
fn local_calls_are_held_against_the_files_they_name() {
    let context = TestContext::new();
    let call = "on: push
permissions: {}
jobs:
  fits:
    uses: ./.github/workflows/called.yml
    with: {Version: 1}
  misfits:
    uses: ./.github/workflows/called.yml
    with: {verison: 1}
    secrets: {token: x}
  nowhere:
    uses: ./.github/workflows/caled.yml
  steps:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    steps:
      - uses: ./.github/actions/there
      - uses: ./.github/actions/nowhere
      - uses: ./downloaded/by/an/earlier/step
";
    let called = "on:
  workflow_call:
    inputs:
      version: {type: string, required: true}
jobs:
  a: {runs-on: ubuntu-latest, timeout-minutes: 5, steps: [run: make]}
";
    context.write(".github/workflows/call.yml", call).write(".github/workflows/called.yml", called);
    context.write(
        ".github/actions/there/action.yaml",
        "name: a\ndescription: b\nruns: {using: docker, image: c}\n",
    );
    let ended = context.run(&["check", "--fail-on", "error", ".github/workflows/call.yml"]);
    insta::assert_snapshot!(ended.shown());
}

#[test]
fn matrices_that_fail_in_every_run_are_found_before_it() {
    let context = TestContext::new();
    let numbers = (0..17).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let job = |name: &str, matrix: &str| {
        let head = format!("  {name}:\n    runs-on: ubuntu-latest\n    timeout-minutes: 5\n");
        format!(
            "{head}    strategy:\n      matrix:\n        {matrix}\n    steps:\n      - run: make ${{{{ matrix.x }}}}\n"
        )
    };
    let jobs = [
        job("giant", &format!("x: [{numbers}]\n        y: [{numbers}]")),
        job("empty", "x: []"),
        job("known-later", "x: ${{ fromJSON(vars.LIST) }}"),
    ];
    context
        .write(".github/workflows/ci.yml", format!("on: push\npermissions: {{}}\njobs:\n{}", jobs.concat()));
    insta::assert_snapshot!(context.run(&["check"]).shown());
}

#[test]
fn many_files_are_found_in_the_same_order_as_one_by_one() {
    let context = TestContext::new();
    let mut expected = String::new();
    for number in 0..100 {
        let name = format!(".github/workflows/w{number:03}.yml");
        context.write(&name, bad());
        expected += &context.run(&["check", "--format", "github", &name]).stdout;
    }
    let ended = context.run(&["check", "--format", "github"]);
    assert_eq!((ended.code, ended.stdout), (1, expected));
}
