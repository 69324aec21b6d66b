//! `longshore watch`: real saves, real runs.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::containers::Containers;
use crate::context::TestContext;
use crate::run::commit;
use crate::underway::Underway;

/// The workflows that a save has started, in order.
fn started(saved: &Value) -> Vec<&str> {
    saved["runs"].as_array().unwrap().iter().map(|run| run["path"].as_str().unwrap()).collect()
}

const CI: &str = ".github/workflows/ci.yml";
const DOCS: &str = ".github/workflows/docs.yml";

fn project() -> Option<Containers> {
    let it = Containers::with_networks()?;
    it.context.write(
        CI,
        "on: { push: { paths: ['src/**'] } }\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      \
         - uses: actions/checkout@v4\n      - run: cat src/a\n",
    );
    it.context.write(
        DOCS,
        "on: { push: { paths: ['docs/**'] } }\njobs:\n  call: { uses: ./.github/workflows/called.yml }\n",
    );
    it.context.write(
        ".github/workflows/called.yml",
        "on: workflow_call\njobs:\n  b: { runs-on: ubuntu-latest, steps: [ run: echo documented ] }\n",
    );
    it.context.write("src/a", "first\n").write("docs/d", "d\n").write(".gitignore", "*.log\n");
    commit(&it);
    Some(it)
}

#[test]
fn a_save_runs_what_it_affects() {
    let Some(it) = project() else { return };
    let mut watching = Underway::start(&it, &["watch", "--postpone"]);
    assert!(watching.until("watch.started")["directories"].as_u64().unwrap() >= 5);
    watching.until("watch.waiting");
    it.context.write("src/x.log", "ignored").write("src/a", "second\n");
    let saved = watching.until("watch.saved");
    assert_eq!((&saved["paths"], started(&saved)), (&serde_json::json!(["src/a"]), vec![CI]), "{saved}");
    watching.until_log("second");
    assert_eq!(watching.until("run.finished")["conclusion"], "success");
    watching.until("watch.waiting");

    it.context.write("README.md", "text");
    let saved = watching.until("watch.saved");
    assert_eq!(started(&saved), Vec::<&str>::new());
    let reason = saved["not_affected"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("paths"), "{saved}");
    watching.until("watch.waiting");

    // A workflow that is called is part of those that call it, and of no other.
    it.context.write(
        ".github/workflows/called.yml",
        "on: workflow_call\njobs:\n  b: { runs-on: ubuntu-latest, steps: [ run: echo rewritten ] }\n",
    );
    assert_eq!(started(&watching.until("watch.saved")), [DOCS]);
    watching.until_log("rewritten");
    watching.until("watch.waiting");

    // What is wrong is told, and mended by the next save.
    it.context.write(CI, "on: push\njobs: { a: { runs-on: x, steps: [ { rum: x } ] } }\n");
    assert_eq!(started(&watching.until("watch.saved")), Vec::<&str>::new());
    watching.until("watch.waiting");
    it.context
        .write(CI, "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [ { run: echo mended } ] } }\n");
    assert_eq!(started(&watching.until("watch.saved")), [CI]);
    watching.until_log("mended");
    watching.until("watch.waiting");
    watching.signal(Signal::INT);
    assert_eq!(watching.end(), 0);
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn a_newer_save_takes_the_place_of_a_run() {
    let Some(it) = project() else { return };
    it.context.write(
        CI,
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      \
         - run: |\n          trap '' INT TERM\n          cat src/a\n          grep -q go src/a || sleep 1000\n",
    );
    commit(&it);
    let mut watching = Underway::start(&it, &["watch", "ci.yml", "--once"]);
    watching.until_log("first");
    it.context.write("src/a", "and go\n");
    let saved = watching.until("watch.saved");
    assert_eq!(saved["superseded"], serde_json::json!([{ "run": 1, "path": CI }]), "{saved}");
    assert_eq!(saved["runs"][0]["run"], 2);
    assert_eq!(watching.end(), 0, "what was superseded does not count");
    assert_eq!(watching.conclusions(), [(1, "cancelled"), (2, "success")]);
    let reason = watching.seen.iter().find(|event| event["type"] == "run.cancelling").unwrap();
    assert_eq!(reason["reason"], "run 2 takes its place, because files were saved");
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn an_interrupt_cancels_what_goes_on() {
    let Some(it) = project() else { return };
    it.context.write(
        CI,
        "on: push\njobs:\n  a: { runs-on: ubuntu-latest, steps: [ run: echo here; sleep 1000 ] }\n",
    );
    commit(&it);
    let mut watching = Underway::start(&it, &["watch", "-j", "a"]);
    watching.until_log("here");
    watching.signal(Signal::INT);
    assert_eq!(watching.end(), 0);
    assert_eq!(watching.conclusions(), [(1, "cancelled")]);
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn people_are_told_in_words() {
    let Some(it) = project() else { return };
    let mut command = it.any(&["watch", "--once"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut before: Vec<String> = said.by_ref().take_while(|line| line != "waiting for a save").collect();
    it.context.write("src/a", "false\n");
    before.extend(said);
    let said = before.join("\n");
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}{shown}");
    assert!(said.starts_with("watching `"), "{said}");
    assert!(said.contains("\nsaved: src/a\n  runs .github/workflows/ci.yml (run 3)"), "{said}");
    assert!(shown.contains("(run 3)"), "{shown}");
}

#[test]
fn what_cannot_be_watched_has_a_code() {
    let context = TestContext::with_state();
    context.git(&["init", "--quiet", "--initial-branch", "main"]);
    let ended = context.run(&["watch"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("no workflow file was found\nhelp: they are looked for in"),
        "{}",
        ended.stderr
    );
    context.write(CI, "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [ run: echo ] } }\n");
    for arguments in [&["nosuch.yml"][..], &["-j", "nosuch"], &["-e", "nosuch"], &["--resume", "1"]] {
        let ended = context.run(&[&["watch"], arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
    }
}
