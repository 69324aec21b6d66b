//! What cannot be planned, and files that are wrong.

use super::{plan, project};

#[test]
fn slips_end_with_2_and_a_hint() {
    let context = project();
    context.write("bad.json", "{").write("list.json", "[]");
    let mut shown = String::new();
    for arguments in [
        &["depoly"][..],
        &["nothing-like-it"],
        &["-e", "pull_reqest"],
        &["-e", "push", "-i", "a=b"],
        &["-e", "bad.json"],
        &["-e", "list.json"],
        &["-e", "none.json"],
        &["-j", "tset"],
        &["-j", "nothing-like-it"],
        &["ci", "--matrix", "os:windows-latest"],
        &["-i", "target=moon"],
        &["-i", "target=staging", "-i", "dry-run=perhaps"],
        &["deploy", "-e", "workflow_dispatch"],
        &["deploy", "-i", "traget=staging"],
        &["--base", "none"],
        &["-e", "pull_request", "--base", "none"],
        &["-W", "none"],
    ] {
        shown += &plan(&context, arguments);
        shown += "\n";
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn bad_files_do_not_stop_the_others() {
    let context = project();
    context
        .write(".github/workflows/a-empty.yml", "")
        .write(".github/workflows/b-bytes.yml", b"on: push\n\xff");
    context.write(".github/workflows/c-wrong.yml", "on: push\njobs:\n  a:\n    runs-no: x\n");
    insta::assert_snapshot!(plan(&context, &["--ref", "topic"]));
}

#[test]
fn what_is_missing_is_said_with_how_to_get_it() {
    let context = project();
    context.write(
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  a:\n    uses: octo/shared/.github/workflows/build.yml@v1\n  b:\n    uses: ./.github/workflows/none.yml\n  c:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: ./actions/none\n",
    );
    insta::assert_snapshot!(plan(&context, &["ci"]));
    context.write(
        "mirror/.github/workflows/build.yml",
        "on: workflow_call\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n",
    );
    context.write("longshore.toml", "[actions.overrides]\n'octo/shared' = 'mirror'\n");
    let shown = plan(&context, &["ci"]);
    assert!(shown.contains("● image [ubuntu-latest]") && shown.contains("; 2 sources missing"), "{shown}");
}

#[test]
fn a_part_of_the_plan() {
    let context = project();
    let job = plan(&context, &["-j", "TEST", "--matrix", "node:22"]);
    assert!(job.contains("1 of 1 workflow starts: 3 jobs run"), "lint and two cells of four: {job}");
    assert!(!job.contains("Deploy") && !job.contains("publish") && !job.contains("node: 20"), "{job}");
}

#[test]
fn a_job_that_cannot_start_is_shown_to_fail() {
    let context = project();
    let list = (0..300).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    context.write(
        ".github/workflows/ci.yml",
        format!("on: push\njobs:\n  many:\n    strategy:\n      matrix:\n        n: [{list}]\n    runs-on: ubuntu-latest\n    steps: [{{ run: make }}]\n  self:\n    uses: ./.github/workflows/deploy.yml\n"),
    );
    insta::assert_snapshot!(context.run(&["plan", "ci"]).stdout);
}

#[test]
fn other_places_of_workflows() {
    let context = project();
    let one = "name: One\non: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n";
    context.write("ci/one.yml", one).write("ci/two.yaml", one.replace("One", "Two")).write("ci/notes", "");
    assert!(plan(&context, &["-W", "ci"]).contains("2 of 2 workflows start: 2 jobs run"));
    assert!(plan(&context, &["-W", "ci/one.yml"]).contains("One · ci/one.yml:2\n"));
    assert!(plan(&context, &["./ci/one.yml"]).contains("1 of 1 workflow starts: 1 job runs"));
    assert!(plan(&context, &["-W", "ci", "two"]).contains("Two · ci/two.yaml:2\n"));
}

#[test]
fn types_and_refs_that_cannot_be() {
    let context = project();
    for arguments in [
        &["-e", "pull_request:opend"][..],
        &["-e", "push:opened"],
        &["-e", "issues", "--type", "pushed"],
        &["--ref", "a..b"],
        &["--ref", ""],
        &["--ref", "with space"],
    ] {
        let ended = context.run(&[&["plan"], arguments].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("help: "), "{}", ended.stderr);
    }
    assert_eq!(context.run(&["plan", "-e", "repository_dispatch:anything"]).code, 0);
    assert_eq!(context.run(&["plan", "-e", "pull_request:labeled"]).code, 0);
}

#[test]
fn what_may_be_secret_is_not_shown() {
    let context = project();
    let job = "jobs:\n  a:\n    if: github.event.token == 1\n    runs-on: x\n    steps: [run: make]\n";
    context.write("s.yml", format!("on: push\n{job}"));
    context.write("payload.json", r#"{"ref": "refs/heads/main", "token": "ghp_hidden"}"#);
    let ended = context.run(&["plan", "-v", "-W", "s.yml", "-e", "push", "--payload", "payload.json"]);
    assert!(ended.stdout.contains("`github.event.token` is not shown"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("ghp_hidden"), "{}", ended.stdout);
}
