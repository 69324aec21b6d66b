//! Which event is assumed, and what it starts.

use super::{plan, project};
use crate::context::TestContext;

#[test]
fn a_push_of_what_is_here() {
    let context = project();
    context.write("src/main.c", "int main();").commit("Change the program\n\nWith a body.");
    context.write("src/new.c", "int x;");
    insta::assert_snapshot!(plan(&context, &[]));
    insta::assert_snapshot!(plan(&context, &["-v", "ci"]));
}

#[test]
fn a_change_of_documents_alone() {
    let context = project();
    context.write("README.md", "read me more").commit("Say more");
    insta::assert_snapshot!(plan(&context, &[]));
}

#[test]
fn a_message_that_asks_to_skip() {
    let context = project();
    context.write("src/main.c", "int y;").commit("Work in progress [skip ci]");
    insta::assert_snapshot!(plan(&context, &[]));
    context.write("src/main.c", "int z;");
    let shown = plan(&context, &[]);
    assert!(shown.contains("1 of 2 workflows start"), "the commit to come asks for nothing: {shown}");
}

#[test]
fn a_pull_request_from_a_branch() {
    let context = project();
    context.git(&["switch", "--quiet", "--create", "feature"]);
    context.write("src/main.c", "int y;").commit("Change").write("src/x.c", "int x;");
    insta::assert_snapshot!(plan(&context, &["-e", "pull_request"]));
    let opened = plan(&context, &["-e", "pull_request:opened", "--base", "release/1", "--base", "main"]);
    assert!(opened.contains("cannot be used multiple times"), "{opened}");
    let fork = plan(&context, &["-e", "pull_request:opened", "--base", "origin/main", "--fork"]);
    assert!(fork.contains("pull_request (opened) of `feature` into `main` from a fork: 1 commit"), "{fork}");
}

#[test]
fn a_new_branch() {
    let context = project();
    context.git(&["switch", "--quiet", "--create", "release/2"]);
    context.write("src/main.c", "int y;").commit("Change");
    let shown = plan(&context, &[]);
    assert!(shown.contains("push to `release/2`: 1 commit, 1 changed file since `"), "{shown}");
    assert!(shown.contains("starts       branch `release/2` matches `release/**`"), "{shown}");
    let itself = plan(&context, &["-e", "pull_request", "--base", "release/2"]);
    assert!(itself.contains("note: the branch is the target itself"), "{itself}");
    let other = plan(&context, &["--ref", "topic"]);
    assert!(other.contains("push to `topic`") && other.contains("0 of 2 workflows start"), "{other}");
    let base = plan(&context, &["--base", "origin/main"]);
    assert!(base.contains("1 changed file since `origin/main`"), "{base}");
}

#[test]
fn tags() {
    let context = project();
    context.write(
        ".github/workflows/release.yml",
        "name: Release\non:\n  push:\n    tags: ['v*']\njobs:\n  release:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make ${{ github.ref_name }}\n",
    );
    context.commit("Release").git(&["tag", "v1.2.3"]);
    let unpushed = plan(&context, &[]);
    assert!(unpushed.contains("push to `main`: 1 commit"), "the branch goes first: {unpushed}");
    assert!(unpushed.contains("note: `--ref v1.2.3` plans the push of the tag"), "{unpushed}");
    insta::assert_snapshot!(plan(&context, &["--ref", "v1.2.3"]));
    context.git(&["push", "--quiet", "origin", "main"]);
    let pushed = plan(&context, &[]);
    assert!(pushed.contains("push of the tag `v1.2.3`\nnote: `main` is pushed"), "{pushed}");
    context.git(&["switch", "--quiet", "--detach"]);
    assert!(plan(&context, &[]).contains("push of the tag `v1.2.3`\n\nRelease"), "checked out");
    let asked = plan(&context, &["--ref", "refs/tags/v9"]);
    assert!(asked.contains("tag `v9` matches `v*`"), "a tag that is not there yet: {asked}");
    let unknown = plan(&context, &["--ref", "v9"]);
    assert!(
        unknown.contains("push to `v9`") && unknown.contains("`--ref refs/tags/v9` is a new"),
        "{unknown}"
    );
}

#[test]
fn nothing_to_push() {
    let context = project();
    insta::assert_snapshot!(plan(&context, &[]));
}

#[test]
fn a_dispatch_with_inputs() {
    let context = project();
    insta::assert_snapshot!(plan(&context, &["deploy.yml", "-i", "target=staging"]));
}

#[test]
fn a_payload() {
    let context = project();
    context.write(
        "event.json",
        r#"{"ref": "refs/heads/main", "after": "1", "head_commit": {"message": "x"}, "repository": {"full_name": "octo/app"},
            "commits": [{"added": [], "modified": ["docs/a.md"], "removed": []}], "sender": {"login": "ada"}}"#,
    );
    insta::assert_snapshot!(plan(&context, &["-e", "event.json"]));
    context.write("event.json", r#"{"action": "opened", "number": 7, "pull_request": {"head": {"ref": "f"}, "base": {"ref": "main"}}}"#);
    let shown = plan(&context, &["-e", "pull_request", "--payload", "event.json"]);
    assert!(shown.contains("pull_request (opened) of `f` into `main`: as `event.json` says"), "{shown}");
}

#[test]
fn without_git() {
    let context = TestContext::new();
    context.write(".github/workflows/ci.yml", super::CI);
    std::fs::remove_dir(context.project().join(".git")).unwrap();
    let shown = plan(&context, &["--ref", "release/1"]);
    assert!(
        shown.contains("push to `release/1`: every file counts as changed\nnote: git does not know"),
        "{shown}"
    );
    assert!(shown.contains("1 of 1 workflow starts"), "{shown}");
}

#[test]
fn before_the_first_commit() {
    let context = TestContext::new();
    context.write(".github/workflows/ci.yml", super::CI).git(&[
        "init",
        "--quiet",
        "--initial-branch",
        "main",
    ]);
    let shown = plan(&context, &[]);
    assert!(
        shown.contains("push to `main`: 1 changed file (uncommitted ones included) since the beginning"),
        "{shown}"
    );
    assert!(shown.contains("1 of 1 workflow starts"), "{shown}");
}

#[test]
fn a_commit_on_no_branch() {
    let context = project();
    context.git(&["switch", "--quiet", "--detach"]).write("src/main.c", "int y;").commit("Change");
    let shown = plan(&context, &[]);
    assert!(shown.contains("push to `main`: 1 commit, 1 changed file since `"), "{shown}");
    assert!(shown.contains("note: no branch is checked out, so this is about `main`"), "{shown}");
}

#[test]
fn a_forced_push_and_a_branch_that_is_behind() {
    let context = project();
    context.write("src/main.c", "int y;").commit("Change").git(&["push", "--quiet", "origin", "main"]);
    context.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let behind = plan(&context, &[]);
    assert!(
        behind.contains("note: `origin/main` is ahead of what is here; pull before you push"),
        "{behind}"
    );
    context.write("src/main.c", "int z;").commit("Change otherwise");
    let forced = plan(&context, &[]);
    assert!(
        forced.contains("1 commit, 1 changed file since `origin/main`\nnote: `origin/main` holds"),
        "{forced}"
    );
}

#[test]
fn a_shallow_clone() {
    let origin = project();
    origin.write("src/main.c", "int y;").commit("Change");
    let context = TestContext::new();
    let url = format!("file://{}", origin.project().display());
    context.git(&["clone", "--quiet", "--depth", "1", &url, "."]);
    let shown = plan(&context, &[]);
    assert!(
        shown.contains("every file counts as changed") && shown.contains("the clone is shallow"),
        "{shown}"
    );
    assert!(shown.contains("1 of 2 workflows start"), "to run too much is safe: {shown}");
}

#[test]
fn a_project_within_a_repository() {
    let context = TestContext::new();
    context.write("app/.github/workflows/ci.yml", super::CI).write("app/a.c", "").write("other/b.c", "");
    context.git_with_remote().write("app/a.c", "int x;").write("other/b.c", "int y;");
    let shown = plan(&context, &["-C", "app"]);
    assert!(
        shown.contains("push to `main`: 1 changed file") && shown.contains("path `a.c` is not"),
        "{shown}"
    );
}

#[test]
fn many_files() {
    let context = project();
    for number in 0..301 {
        context.write(&format!("many/{number:03}.md"), "");
    }
    context.write("z.c", "int z;");
    let shown = plan(&context, &[]);
    assert!(shown.contains("302 changed files") && shown.contains("the first 300 files alone"), "{shown}");
    assert!(shown.contains("0 of 2 workflows start"), "the file that counts comes too late: {shown}");
}
