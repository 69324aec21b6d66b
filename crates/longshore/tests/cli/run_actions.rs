//! `longshore run` with actions that are built in: artifacts, caches, tools. Real containers of this machine's own files.

use crate::containers::Containers;
use crate::run::commit;

/// Runs the only workflow of a project; gives exit code and everything that was shown.
fn run(it: &Containers, workflow: &str, arguments: &[&str]) -> (i32, String) {
    it.context.write(".github/workflows/ci.yml", workflow);
    commit(it);
    let mut all = vec!["run", "-v"];
    all.extend(arguments);
    let ended = it.other(&all);
    (ended.code, ended.stdout + &ended.stderr)
}

fn both() -> impl Iterator<Item = Containers> {
    [Containers::new(), Containers::of_an_ordinary_user()].into_iter().flatten()
}

#[test]
fn artifacts_pass_files_on_with_their_rights() {
    let workflow = r#"
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    steps:
      - run: |
          mkdir -p out/sub /tmp/logs; echo one > out/one.txt; echo no > out/sub/x.tmp; echo two > out/sub/.hidden
          printf '#!/bin/sh\necho ran\n' > out/tool; chmod 750 out/tool; echo log > /tmp/logs/a.log
          ln -s "$PWD/out/one.txt" out/absolute; ln -s nowhere out/broken; ln -s . out/round
      - uses: actions/upload-artifact@v4
        with: { name: result-1, path: "out\n!out/**/*.tmp" }
      - uses: actions/upload-artifact@v4
        with: { name: result-2, path: /tmp/logs/*.log, retention-days: 1 }
      - uses: actions/upload-artifact@v4
        with: { name: none, path: nothing }
      - uses: actions/upload-artifact@v4
        id: twice
        continue-on-error: true
        with: { name: result-2, path: out/one.txt }
      - run: test "${{ steps.twice.outcome }}" = failure
  use:
    needs: make
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v4
        id: one
        with: { name: result-1, path: got }
      - run: |
          test "$(cd got && find . -type f | sort | tr '\n' ' ')" = "./absolute ./one.txt ./tool "
          test "$(stat -c %a got/tool)" = 750; test "$(got/tool)" = ran; test "$(cat got/absolute)" = one
          test "${{ steps.one.outputs.download-path }}" = "$PWD/got"
      - uses: actions/download-artifact@v4
        with: { pattern: "result-{1,2}", merge-multiple: true, path: /tmp/merged }
      - run: test "$(cat /tmp/merged/a.log /tmp/merged/one.txt | tr '\n' ' ')" = "log one "
      - uses: actions/upload-artifact/merge@v4
        with: { pattern: "result-*", separate-directories: true, delete-merged: true }
      - uses: actions/download-artifact@v4
        with: { path: all }
      - run: test "$(ls all) $(ls all/merged-artifacts | tr '\n' ' ')" = "merged-artifacts result-1 result-2 "
      - uses: actions/download-artifact@v4
        with: { name: result-1 }
"#;
    for it in both() {
        let (code, shown) = run(&it, workflow, &[]);
        assert_eq!(code, 1, "only the last step fails: {shown}");
        assert!(
            shown.contains("Artifact not found for name: result-1. The run has: merged-artifacts."),
            "{shown}"
        );
        assert!(!shown.contains("Process completed with exit code"), "{shown}");
        assert!(shown.contains("No files were found with the provided path: nothing."), "{shown}");
    }
}

#[test]
fn caches_are_restored_by_key_and_by_beginning() {
    let workflow = r#"
on: push
jobs:
  only:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/cache@v4
        id: cache
        with:
          path: |
            ~/.cache/thing
            dep/*/x
            /tmp/cached/thing
          key: key-${{ vars.KEY }}
          restore-keys: key-
      - run: |
          echo "hit='${{ steps.cache.outputs.cache-hit }}' $(cat ~/.cache/thing/t dep/a/x/t /tmp/cached/thing/t 2>/dev/null | tr '\n' ' ')"
          mkdir -p ~/.cache/thing dep/a/x /tmp/cached/thing
          for d in ~/.cache/thing dep/a/x /tmp/cached/thing; do echo "${{ vars.KEY }}" > "$d/t"; done
      - run: exit ${{ vars.CODE || 0 }}
"#;
    for it in both() {
        let with = |key: &str, code: i32| {
            let (key, code) = (format!("KEY={key}"), format!("CODE={code}"));
            run(&it, workflow, &["--var", &key, "--var", &code])
        };
        let (code, shown) = with("0", 1);
        assert!(code == 1 && shown.contains("hit=''"), "{shown}");
        let (_, shown) = with("1", 0);
        assert!(
            shown.contains("hit=''") && shown.contains("Cache saved with key: key-1"),
            "a job that failed saves nothing: {shown}"
        );
        let (_, shown) = with("2", 0);
        assert!(
            shown.contains("hit='false' 1 1 1") && shown.contains("Cache saved with key: key-2"),
            "{shown}"
        );
        let (_, shown) = with("1", 0);
        assert!(shown.contains("hit='true' 1 1 1") && shown.contains("not saving cache"), "{shown}");
    }
}

#[test]
fn a_python_that_is_not_there_is_answered_with_those_that_are() {
    let Some(it) = Containers::new() else { return };
    let workflow = "on: push\njobs:\n  only:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/setup-python@v5\n        with: { python-version: '2.99' }\n";
    let (code, shown) = run(&it, workflow, &[]);
    assert_eq!(code, 1, "{shown}");
    assert!(
        shown.contains("Python 2.99 is not in the image `host`:")
            && shown.contains("--runs-on ubuntu-latest=IMAGE"),
        "{shown}"
    );
}

#[test]
fn a_python_is_the_jobs_own_installation() {
    let Some(it) = Containers::new() else { return };
    let workflow = r#"
on: push
jobs:
  only:
    runs-on: ubuntu-latest
    steps:
      - { id: set, uses: actions/setup-python@v5, with: { python-version: 3.x } }
      - run: |
          # A distribution's Python has its packages where only it finds them, so there it is an environment.
          python -c 'import os, sys; print("own", sys.base_prefix in ("/usr", os.environ["pythonLocation"]))'
          python -c 'import sysconfig; open(sysconfig.get_paths()["purelib"] + "/ours.py", "w").write("said = 7")'
          python3 -c 'import ours; print("said", ours.said)'
          # Debian ships the wheel of pip in a package of its own.
          if python -c 'import ensurepip'; then pip --version; fi && echo "pip well"
          [ '${{ steps.set.outputs.python-path }}' = "$(command -v python)" ] && echo "path well"
"#;
    let (code, shown) = run(&it, workflow, &[]);
    if shown.contains("is not in the image `host`") {
        eprintln!("skipped: there is no python on this machine");
        return;
    }
    assert_eq!(code, 0, "{shown}");
    for line in ["own True", "said 7", "pip well", "path well"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn actions_of_the_running_commit_need_no_checkout() {
    for it in both() {
        let outer = r#"
name: Outer
outputs: { got: { value: "${{ steps.in.outputs.got }}" } }
runs:
  using: composite
  steps:
    - { id: in, uses: $/.github/actions/inner }
    - { shell: sh, run: test -f "$GITHUB_ACTION_PATH/../inner/action.yml" }
"#;
        let inner = r#"
name: Inner
outputs: { got: { value: "${{ steps.x.outputs.got }}" } }
runs: { using: composite, steps: [ { id: x, shell: sh, run: echo got=within >> "$GITHUB_OUTPUT" } ] }
"#;
        it.context.write(".github/actions/outer/action.yml", outer);
        it.context.write(".github/actions/inner/action.yml", inner);
        let workflow = r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - { id: o, uses: $/.github/actions/outer }
      - run: test "${{ steps.o.outputs.got }}" = within; test -z "$(ls)"
"#;
        let (code, shown) = run(&it, workflow, &[]);
        assert_eq!(code, 0, "{shown}");
    }
}
