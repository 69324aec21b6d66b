//! Networks of jobs that follow each other: a job may get the bridge of one that has ended, and nothing else of it.

use std::path::Path;

use rustix::process::Signal;

use crate::containers::{Containers, eventually};
use crate::run::{commit, jobs, log, pairs, run};
use crate::underway::Underway;

/// The interfaces of this machine that belong to a state directory.
pub(crate) fn bridges(home: &Path) -> Vec<String> {
    let networks = home.canonicalize().unwrap().join("engine/networks").display().to_string();
    let mut bridges = Vec::new();
    for entry in std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten() {
        let alias = std::fs::read_to_string(entry.path().join("ifalias")).unwrap_or_default();
        if alias.trim_end().ends_with(&networks) {
            bridges.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    bridges.sort();
    bridges
}

#[test]
fn jobs_one_after_another_do_not_see_each_other() {
    let Some(it) = Containers::with_networks() else { return };
    let names = ["network", "ls", "--format", "{{.Name}}"];
    let (before, bridges_before) = (it.other_done(&names), bridges(&it.home()));
    let job = |name: &str, rest: &str| {
        format!(
            "  {name}:\n    runs-on: ubuntu-latest\n{rest}    services:\n      aside-{name}: {{ image: host, command: sleep 1000 }}\n    \
             steps:\n      - run: |\n          getent hosts aside-{name} job >/dev/null && echo \"{name} finds its own\"\n          \
             for other in one two three; do\n            if [ $other != {name} ] && getent hosts aside-$other; then exit 1; fi\n          \
             done\n          echo \"{name} is alone with $(getent hosts aside-{name} | wc -l)\"\n"
        )
    };
    let workflow = format!(
        "on: push\njobs:\n{}{}{}",
        job("one", ""),
        job("two", "    needs: one\n"),
        job("three", "    needs: two\n")
    );
    let (ended, events) = run(&it, &workflow, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(jobs(&events), pairs(&[("one", "success"), ("three", "success"), ("two", "success")]));
    for name in ["one", "two", "three"] {
        assert!(log(&events).contains(&format!("{name} finds its own\n{name} is alone with 1\n")));
    }
    assert_eq!(it.other_done(&names), before);
    assert_eq!(it.done(&["ps", "-aq"]), "");
    // When a run has ended, nothing is kept for another one.
    assert_eq!(bridges(&it.home()), bridges_before);
}

#[test]
fn what_a_killed_run_kept_for_its_next_jobs_is_removed() {
    let Some(it) = Containers::with_networks() else { return };
    let names = ["network", "ls", "--format", "{{.Name}}"];
    let (before, bridges_before) = (it.other_done(&names), bridges(&it.home()));
    let steps = |script: &str| format!("    runs-on: ubuntu-latest\n    steps: [ run: {script} ]\n");
    let workflow =
        format!("on: push\njobs:\n  one:\n{}  two:\n{}", steps("sleep 1"), steps("echo here; sleep 1000"));
    it.context.write(".github/workflows/ci.yml", &workflow);
    commit(&it);
    let mut killed = Underway::start(&it, &["run", "--max-jobs", "2"]);
    killed.until_log("here");
    let spares = || {
        let entries = std::fs::read_dir(it.home().join("engine/networks")).unwrap().flatten();
        entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "spare")).count()
    };
    eventually("the network of the first job is kept", || spares() == 1);
    let shown = it.other_done(&names);
    assert_eq!(
        shown.lines().count(),
        before.lines().count() + 1,
        "only that of the second job is shown: {shown}"
    );
    killed.signal(Signal::KILL);
    killed.end();
    // Any command takes care of networks that nobody can use any more, and a run of what killed ones left.
    it.done(&["ps", "-aq"]);
    assert_eq!(spares(), 0);
    it.context.write(".github/workflows/ci.yml", format!("on: push\njobs:\n  one:\n{}", steps("':'")));
    commit(&it);
    assert_eq!(it.other(&["run"]).code, 0);
    assert_eq!(it.done(&["ps", "-aq"]), "");
    assert_eq!(it.other_done(&names), before);
    assert_eq!(bridges(&it.home()), bridges_before);
}
