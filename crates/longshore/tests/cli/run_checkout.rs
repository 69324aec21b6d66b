//! `actions/checkout` as it is built in: what steps find after it, as root and as an ordinary user.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::containers::Containers;
use crate::context::Ended;
use crate::run::{commit, log};

/// A repository with two commits and a tag on the first, and a work tree with changes of every kind.
fn project(it: &Containers, workflow: &str) {
    let project = it.context.project();
    it.context.write("src/kept.txt", "kept\n");
    it.context.write("src/changed.txt", "before\n");
    it.context.write("gone.txt", "gone\n");
    it.context.write(".gitignore", "ignored/\n");
    commit(it);
    it.context.git(&["-c", "safe.directory=*", "tag", "v1.0"]);
    it.context.git(&["-c", "safe.directory=*", "branch", "old"]);
    it.context.write(".github/workflows/ci.yml", workflow);
    symlink("src/kept.txt", project.join("link")).unwrap();
    commit(it);
    it.context.write("src/changed.txt", "after\n");
    it.context.write("new/file.txt", "new\n");
    it.context.write("ignored/file.txt", "ignored\n");
    fs::remove_file(project.join("gone.txt")).unwrap();
}

fn run(it: &Containers, arguments: &[&str]) -> (Ended, Vec<Value>) {
    let ended = it.other(&[&["run", "--offline", "--format", "json"][..], arguments].concat());
    let events = ended.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    (ended, events)
}

/// What steps wrote, of a run that must succeed.
fn told(it: &Containers, workflow: &str, arguments: &[&str]) -> String {
    project(it, workflow);
    let (ended, events) = run(it, arguments);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    log(&events)
}

const AS_IT_IS: &str = r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        id: checkout
        with: { fetch-depth: 0 }
      - run: |
          git status --porcelain | sed 's/^/status:/'
          echo "described:$(git describe --tags --abbrev=0) count:$(git rev-list --count HEAD)"
          echo "branch:$(git rev-parse --abbrev-ref HEAD) old:$(git rev-parse --abbrev-ref origin/old)"
          test "$(git rev-parse HEAD)" = "${{ steps.checkout.outputs.commit }}" && echo same commit
          echo "content:$(cat src/changed.txt) link:$(readlink link)"
          test ! -e ignored && test ! -e gone.txt && echo as it is
          git -c user.name=n -c user.email=e commit --quiet --all --message more && echo committed
          touch "$(cat .git/objects/info/alternates)/x" 2>/dev/null || echo lent objects stay
"#;

fn comes_as_it_is(it: &Containers) {
    let log = told(it, AS_IT_IS, &[]);
    let wanted = [
        "status: D gone.txt",
        "status: M src/changed.txt",
        "status:?? new/",
        "described:v1.0 count:2",
        "branch:main old:origin/old",
        "same commit",
        "content:after link:src/kept.txt",
        "as it is",
        "committed",
        "lent objects stay",
    ];
    for line in wanted {
        assert!(log.lines().any(|told| told == line), "{line}: {log}");
    }
    assert_eq!(log.lines().filter(|told| told.starts_with("status:")).count(), 3, "{log}");
}

#[test]
fn the_project_comes_as_it_is_with_its_history() {
    let Some(it) = Containers::with_networks() else { return };
    comes_as_it_is(&it);
}

#[test]
fn an_ordinary_user_has_the_same() {
    let Some(it) = Containers::of_an_ordinary_user() else { return };
    comes_as_it_is(&it);
}

#[test]
fn references_depths_and_directories_are_those_of_the_inputs() {
    let Some(it) = Containers::with_networks() else { return };
    let workflow = r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo "shallow:$(git rev-list --count HEAD) tags:$(git tag | wc -l)"; touch left; ln -s / old
      - uses: actions/checkout@v4
        with: { ref: old, path: old }
      - run: |
          test ! -L old && cat old/src/changed.txt && git -C old status --short --branch
          test -e left && echo other files stay
      - uses: actions/checkout@v4
        with: { ref: v1.0, path: tag, sparse-checkout: src }
      - run: cd tag; git status --porcelain --branch; ls; git ls-files -t | sed 's/^/sparse:/'
      - uses: actions/checkout@v4
      - run: test ! -e left && test ! -e tag && echo clean
      - uses: actions/checkout@v4
        id: none
        with: { ref: none }
        continue-on-error: true
      - run: echo "none:${{ steps.none.outcome }}"
      - uses: actions/checkout@v4
        id: out
        with: { path: ../../x }
        continue-on-error: true
      - run: echo "out:${{ steps.out.outcome }}"
"#;
    let log = told(&it, workflow, &[]);
    let wanted = [
        "shallow:1 tags:0",
        "before",
        "## old...origin/old",
        "other files stay",
        "## HEAD (no branch)",
        "clean",
        "none:failure",
        "out:failure",
    ];
    for line in wanted {
        assert!(log.lines().any(|told| told == line), "{line}: {log}");
    }
    assert!(log.contains("A branch or tag with the name 'none' could not be found"), "{log}");
    assert!(log.contains("is not under"), "{log}");
}

#[test]
fn tokens_are_masked_and_taken_back() {
    let Some(it) = Containers::with_networks() else { return };
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: git config --get-all http.https://github.com/.extraheader | sed 's/^/header:/'
      - uses: actions/checkout@v4
        with: { path: other, persist-credentials: false }
      - run: git -C other config --get http.https://github.com/.extraheader || echo none
";
    let log = told(&it, workflow, &["-s", "GITHUB_TOKEN=t0ps3cret"]);
    assert!(log.contains("header:AUTHORIZATION: basic ***"), "{log}");
    assert!(log.lines().any(|line| line == "none"), "{log}");
}

#[test]
fn other_repositories_come_from_where_the_settings_say() {
    let Some(it) = Containers::with_networks() else { return };
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { repository: acme/lib, path: lib, ref: v1.0 }
      - run: cd lib; cat src/changed.txt; git status --porcelain | wc -l; git log --format=%s
      - uses: actions/checkout@v4
        with: { repository: acme/none }
";
    it.context.write("longshore.toml", "[actions.mirrors]\n\"acme/lib\" = \".\"\n");
    project(&it, workflow);
    let (ended, events) = run(&it, &[]);
    let log = log(&events);
    assert_eq!(ended.code, 1, "{log}{}", ended.stderr);
    assert!(log.contains("before\n0\nchange\n"), "{log}");
    assert!(log.contains("the repository `acme/none`"), "{log}");
}

/// A repository beside the project with one file, and gives its commit.
fn beside(it: &Containers, name: &str, modules: &[(&str, &str, &str)]) -> String {
    let directory = format!("../{name}");
    let git = |arguments: &[&str]| {
        it.context.git(&[&["-c", "safe.directory=*", "-C", &directory][..], arguments].concat())
    };
    it.context.write(&format!("{directory}/{name}.txt"), format!("of {name}\n"));
    git(&["init", "--quiet", "--initial-branch", "main"]);
    link(it, &directory, modules);
    git(&["add", &format!("{name}.txt")]);
    git(&["commit", "--quiet", "--message", name]);
    commit_of(it, name)
}

fn commit_of(it: &Containers, name: &str) -> String {
    let head = it.context.project().join("..").join(name).join(".git/refs/heads/main");
    fs::read_to_string(head).unwrap().trim().to_owned()
}

/// Makes submodules known, by path, address and commit, without having their files.
fn link(it: &Containers, directory: &str, modules: &[(&str, &str, &str)]) {
    let git = |arguments: &[&str]| {
        it.context.git(&[&["-c", "safe.directory=*", "-C", directory][..], arguments].concat())
    };
    let mut text = String::new();
    for (path, url, commit) in modules {
        text += &format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n");
        git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    }
    if !modules.is_empty() {
        it.context.write(&format!("{directory}/.gitmodules"), text);
        git(&["add", ".gitmodules"]);
    }
}

#[test]
fn submodules_that_are_not_in_the_work_tree_come_from_where_actions_come_from() {
    let Some(it) = Containers::with_networks() else { return };
    let workflow = r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { submodules: recursive, fetch-depth: 0 }
      - run: |
          cat libs/middle/middle.txt libs/middle/inner/inner.txt
          git submodule status --recursive | cut -d' ' -f3 | sed 's/^/status:/'
          git -C libs/middle config --get remote.origin.url
          test -z "$(git status --porcelain)" && echo unchanged
          test -z "$(ls -A path)" && echo paths of the machine are not followed
      - uses: actions/checkout@v4
        with: { submodules: true, path: direct, ref: main }
      - run: test -f direct/libs/middle/middle.txt && test -z "$(ls -A direct/libs/middle/inner)" && echo direct
      - uses: actions/checkout@v4
        with: { submodules: true, path: other, repository: acme/middle }
      - run: cat other/middle.txt other/inner/inner.txt | sed 's/^/other:/'
      - uses: actions/checkout@v4
        with: { path: without }
      - run: test -z "$(ls -A without/libs/middle 2>&1 | grep txt)" && echo without
"#;
    let inner = beside(&it, "inner", &[]);
    let middle = beside(&it, "middle", &[("inner", "../inner.git", &inner)]);
    it.context.write("longshore.toml", "[actions.mirrors]\n\"acme/\" = \"..\"\n");
    it.context.write(".github/workflows/ci.yml", workflow);
    it.context.git(&["init", "--quiet", "--initial-branch", "main"]);
    it.context.git(&["remote", "add", "origin", "https://github.com/acme/shop.git"]);
    let modules = [("libs/middle", "https://github.com/acme/middle.git", &*middle), ("path", "/", &*inner)];
    link(&it, ".", &modules);
    it.context.git(&["add", ".github", "longshore.toml"]);
    it.context.git(&["commit", "--quiet", "--message", "change"]);
    let (ended, events) = run(&it, &[]);
    let log = log(&events);
    assert_eq!(ended.code, 0, "{log}{}", ended.stderr);
    let wanted = [
        "of middle",
        "of inner",
        "status:libs/middle",
        "status:libs/middle/inner",
        "https://github.com/acme/middle.git",
        "unchanged",
        "paths of the machine are not followed",
        "direct",
        "other:of inner",
        "without",
    ];
    for line in wanted {
        assert!(log.lines().any(|told| told == line), "{line}: {log}");
    }
    assert!(log.contains("The submodule `path` stays empty: `/` is no address"), "{log}");
}

#[test]
fn keys_cones_tags_and_names_are_left_as_the_action_leaves_them() {
    let Some(it) = Containers::with_networks() else { return };
    let workflow = r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        id: key
        with:
          ssh-key: ${{ secrets.KEY }}
          ssh-known-hosts: git.example ssh-ed25519 AAAA
          ssh-user: me
      - run: |
          git remote get-url origin; echo "command:$(git config --get core.sshCommand)"
          stat -c 'mode:%a' "$RUNNER_TEMP"/checkout_key*; grep -c . "$RUNNER_TEMP"/checkout_key_
          echo 'key:${{ steps.key.outputs.ref }}'
      - uses: actions/checkout@v4
        with: { ssh-key: '${{ secrets.KEY }}', persist-credentials: false, path: p }
      - run: cd p; git remote get-url origin; git config --get core.sshCommand || echo no command
      - uses: actions/checkout@v4
        with: { path: cone, sparse-checkout: "src", fetch-tags: true, fetch-depth: 2, show-progress: false, set-safe-directory: false }
      - run: |
          cd cone; echo "cone:$(git sparse-checkout list)"; echo "top:$(ls -A | tr '\n' ' ')"
          echo "tags:$(git tag) depth:$(git rev-list --count HEAD)"
      - uses: actions/checkout@v4
        with: { path: free, sparse-checkout: "*.txt\n!/gone.txt", sparse-checkout-cone-mode: false }
      - run: cd free; echo "free:$(git ls-files -t | grep ^H | sort | tr '\n' ' ')"
      - uses: actions/checkout@v4
        id: tag
        with: { path: tag, ref: v1.0 }
      - uses: actions/checkout@v4
        id: sha
        with: { path: sha, ref: '${{ steps.tag.outputs.commit }}' }
      - run: echo "outputs:${{ steps.tag.outputs.ref }},${{ steps.sha.outputs.ref }},$(git -C sha rev-list --count HEAD)"
      - run: touch tag/left
      - uses: actions/checkout@v4
        with: { path: tag, ref: v1.0, clean: false }
      - run: test -e tag/left && echo left
"#;
    let log = told(&it, workflow, &["-s", "KEY=-----BEGIN-----\nabcdef\n-----END-----"]);
    let wanted = [
        "me@github.com:local/project.git",
        "mode:600",
        "key:refs/heads/main",
        "no command",
        "cone:src",
        "top:.git .gitignore link src ",
        "tags:v1.0 depth:2",
        "free:H src/changed.txt H src/kept.txt ",
        "outputs:v1.0,,1",
        "left",
    ];
    for line in wanted {
        assert!(log.lines().any(|told| told == line), "{line}: {log}");
    }
    assert!(log.contains("StrictHostKeyChecking=yes") && !log.contains("abcdef"), "{log}");
}
