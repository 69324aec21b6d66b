//! What is kept of runs, and what goes with them.

use std::path::{Path, PathBuf};

use crate::containers::Containers;
use crate::run::commit;

const WORKFLOW: &str = "\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir out; echo text > out/file; echo '## Made **it**' >> $GITHUB_STEP_SUMMARY
      - uses: actions/upload-artifact@v4
        with: { name: 'my report', path: out }
      - uses: actions/cache/save@v4
        with: { path: out, key: key }
";

fn project() -> Option<Containers> {
    let it = Containers::with_networks()?;
    it.context.write(".github/workflows/ci.yml", WORKFLOW);
    commit(&it);
    Some(it)
}

/// The runs that have artifacts.
fn with_artifacts(it: &Containers) -> Vec<String> {
    let entries = std::fs::read_dir(it.home().join("artifacts/runs")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The records of a store.
fn records(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .flat_map(|path| if path.is_dir() { records(&path) } else { vec![path] })
        .filter(|path| path.ends_with("record.json"))
        .collect()
}

/// Lets a file look as if it were of long ago.
fn age(path: &Path) {
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(400_000);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
}

#[test]
fn artifacts_go_with_their_runs() {
    let Some(it) = project() else { return };
    it.context.write("longshore.toml", "[history]\nkeep-days = 0\nkeep-runs = 2\n");
    for _ in 0..3 {
        it.other_done(&["run"]);
    }
    assert_eq!(with_artifacts(&it), ["2", "3"], "of the first one nothing is left");
    assert_eq!(it.other(&["artifact", "ls", "1"]).code, 2);
    it.other_done(&["artifact", "get", "2", "my report", "-o", "got"]);
    assert_eq!(it.context.read("got/file"), "text\n");
    it.other_done(&["runs", "rm", "2"]);
    assert_eq!(with_artifacts(&it), ["3"]);
    it.other_done(&["runs", "prune", "--keep", "0"]);
    assert_eq!(with_artifacts(&it), [""; 0]);
}

#[test]
fn what_has_expired_goes() {
    let Some(it) = project() else { return };
    for _ in 0..2 {
        it.other_done(&["run"]);
    }
    assert_eq!(with_artifacts(&it), ["1", "2"]);
    let expire = |run: &str| {
        let [path] = records(&it.home().join("artifacts/runs").join(run)).try_into().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
        record["expires"] = "2020-01-02T03:04:05Z".into();
        std::fs::write(path, record.to_string()).unwrap();
    };
    expire("1");
    assert!(it.other(&["artifact", "ls", "1"]).stderr.contains("no artifacts"), "it is not given out");
    it.other_done(&["run"]);
    assert_eq!(with_artifacts(&it), ["1", "2", "3"], "nobody looks for it yet");
    age(&it.home().join("tidied"));
    it.other_done(&["run"]);
    assert_eq!(with_artifacts(&it), ["2", "3", "4"]);

    // A removal that was interrupted is gone on with, and caches of repositories that nobody works with any more go.
    std::fs::remove_dir_all(it.home().join("runs/2")).unwrap();
    expire("3");
    let caches = records(&it.home().join("caches"));
    assert_eq!(caches.len(), 1);
    age(&caches[0]);
    it.other_done(&["runs", "prune"]);
    assert_eq!(with_artifacts(&it), ["4"]);
    assert_eq!(records(&it.home().join("caches")).len(), 0);
}

#[test]
fn a_page_tells_of_artifacts_and_summaries() {
    let Some(it) = project() else { return };
    it.other_done(&["run", "--html", "out.html"]);
    let page = it.context.read("out.html");
    for part in [
        "<td>my report</td><td>5B</td>",
        "longshore artifact get 1 &#39;my report&#39;",
        "Made <strong>it</strong>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    it.other_done(&["runs", "show", "last", "--html", "shown.html"]);
    assert_eq!(it.context.read("shown.html"), page);
}
