//! The examples of this repository, as their users would ask about them.

use std::path::Path;

use super::plan;
use crate::context::TestContext;

const PULL_REQUEST: &[&str] = &["-e", "pull_request", "--ref", "refs/heads/feature"];
const TAG: &[&str] = &["--ref", "refs/tags/v1.2.3"];

/// One example in a repository of its own, on the branch `main`, pushed, with one change since.
fn example(name: &str) -> TestContext {
    let context = TestContext::new();
    context.copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name));
    context.git_with_remote();
    context.write("src/changed.py", "changed = True\n").commit("Change the program");
    context
}

fn asked(name: &str, questions: &[&[&str]]) -> String {
    let context = example(name);
    questions.iter().map(|arguments| plan(&context, arguments) + "\n").collect()
}

#[test]
fn hello() {
    insta::assert_snapshot!(asked("hello", &[&[], PULL_REQUEST, &["-v", "-j", "test"]]));
}

#[test]
fn heimdex() {
    insta::assert_snapshot!(asked("heimdex", &[&[], PULL_REQUEST, TAG]));
}

#[test]
fn vino() {
    insta::assert_snapshot!(asked("vino", &[&[], PULL_REQUEST, TAG]));
}

#[test]
fn aaronspindler() {
    insta::assert_snapshot!(asked(
        "aaronspindler",
        &[
            &[],
            PULL_REQUEST,
            &["rollback", "-i", "service=web"],
            &["rollback", "-i", "service=web", "-i", "commit=abc"]
        ]
    ));
}

#[test]
fn thehunter() {
    insta::assert_snapshot!(asked(
        "thehunter",
        &[&[], PULL_REQUEST, &["deploy", "-i", "environment=production"]]
    ));
}

#[test]
fn elspeth() {
    insta::assert_snapshot!(asked(
        "elspeth",
        &[&[], PULL_REQUEST, TAG, &["deploy", "-i", "environment=staging", "-i", "image=app"]]
    ));
}
