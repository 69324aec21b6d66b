//! Saves as programs make them, on a real file system.

use std::fs;
use std::path::PathBuf;

use longshore_source::{Saved, WatchError, Watcher};

use crate::fixture::Fixture;

struct Watched {
    fixture: Fixture,
    watcher: Watcher,
}

impl Watched {
    /// A repository with some files, of which `ignored/` and `*.log` are ignored.
    fn new() -> Self {
        let fixture = Fixture::repository();
        let root = fixture.root();
        for directory in ["src/deep", "ignored/deep", "tracked-out"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for (path, text) in [
            (".gitignore", "/ignored/\n*.log\n/tracked-out/\n"),
            ("a", "a"),
            ("src/b", "b"),
            ("src/deep/c", "c"),
            ("ignored/d", "d"),
            ("tracked-out/kept", "e"),
        ] {
            fs::write(root.join(path), text).unwrap();
        }
        fixture.git("add --force a src tracked-out/kept .gitignore");
        let watcher = Watcher::start(&root, &[root.join("state"), root.join("report.html")]).unwrap();
        Self { fixture, watcher }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.fixture.root().join(path)
    }

    fn write(&self, path: &str) {
        fs::write(self.path(path), "new").unwrap();
    }

    /// What is told, of which the mark is the last: nothing before it is missing.
    fn told(&mut self) -> (Vec<String>, bool) {
        self.write("zz-mark");
        let mut told = Vec::new();
        let mut is_complete = true;
        while !told.iter().any(|path| path == "zz-mark") {
            let saved: Saved = self.watcher.hear().unwrap();
            is_complete &= saved.is_complete;
            told.extend(saved.paths);
        }
        told.retain(|path| path != "zz-mark");
        told.sort();
        told.dedup();
        (told, is_complete)
    }
}

fn all(paths: &[&str]) -> (Vec<String>, bool) {
    (paths.iter().map(|path| (*path).to_owned()).collect(), true)
}

#[test]
fn saves_are_told_and_nothing_else_is() {
    let mut it = Watched::new();
    it.write("a");
    it.write("src/deep/c");
    it.write("src/new");
    for quiet in ["ignored/d", "ignored/deep/x", "src/x.log", ".git/x", "src/.b.swp", "src/b~", "report.html"]
    {
        it.write(quiet);
    }
    fs::create_dir(it.path("state")).unwrap();
    it.write("state/runs");
    fs::create_dir(it.path("empty")).unwrap();
    assert_eq!(it.told(), all(&["a", "src/deep/c", "src/new"]));
    it.write("tracked-out/kept");
    it.write("tracked-out/other");
    assert_eq!(it.told(), all(&["tracked-out/kept"]), "what is tracked is never ignored");
}

#[test]
fn editors_save_in_their_ways() {
    let mut it = Watched::new();
    // Beside, and renamed.
    it.write("src/b.tmp");
    fs::rename(it.path("src/b.tmp"), it.path("src/b")).unwrap();
    assert_eq!(it.told(), all(&["src/b"]));
    // Moved away, written anew, and the old one removed.
    it.write("4913");
    fs::remove_file(it.path("4913")).unwrap();
    fs::rename(it.path("a"), it.path("a~")).unwrap();
    it.write("a");
    fs::remove_file(it.path("a~")).unwrap();
    assert_eq!(it.told(), all(&["a"]));
    fs::remove_file(it.path("src/b")).unwrap();
    std::os::unix::fs::symlink("a", it.path("link")).unwrap();
    assert_eq!(it.told(), all(&["link", "src/b"]));
    // Opened and not written.
    drop(fs::File::open(it.path("a")).unwrap());
    assert_eq!(it.told(), all(&[]));
}

#[test]
fn directories_come_and_go() {
    let mut it = Watched::new();
    fs::create_dir_all(it.path("one/two")).unwrap();
    it.write("one/two/x");
    assert_eq!(it.told(), all(&["one/two/x"]));
    it.write("one/two/y");
    assert_eq!(it.told(), all(&["one/two/y"]), "it is watched now");
    fs::rename(it.path("one"), it.path("other")).unwrap();
    let (told, is_complete) = it.told();
    assert_eq!(told, ["other/two/x", "other/two/y"]);
    assert!(!is_complete, "of what was there nothing is known");
    it.write("other/two/x");
    assert_eq!(it.told(), all(&["other/two/x"]), "it has its new name");
    fs::rename(it.path("other"), it.fixture.beside("away")).unwrap();
    assert!(!it.told().1);
    fs::write(it.fixture.beside("away/two/x"), "").unwrap();
    assert_eq!(it.told(), all(&[]), "what left is watched no more");
    fs::remove_dir_all(it.path("src")).unwrap();
    assert_eq!(it.told(), all(&["src/b", "src/deep/c"]));
    fs::create_dir(it.path("src")).unwrap();
    it.write("src/b");
    assert_eq!(it.told(), all(&["src/b"]));
}

#[test]
fn what_is_ignored_may_change() {
    let mut it = Watched::new();
    fs::write(it.path(".gitignore"), "/src/\n").unwrap();
    let (told, is_complete) = it.told();
    assert_eq!(told, [".gitignore"]);
    assert!(!is_complete, "files appear that were not seen before");
    it.write("ignored/deep/x");
    it.write("x.log");
    assert_eq!(it.told(), all(&["ignored/deep/x", "x.log"]));
}

#[test]
fn a_tree_that_goes_is_told() {
    let mut it = Watched::new();
    fs::remove_dir_all(it.fixture.root()).unwrap();
    let error = loop {
        if let Err(error) = it.watcher.hear() {
            break error;
        }
    };
    assert!(matches!(error, WatchError::Gone { .. }), "{error}");
    assert!(Watcher::start(&it.fixture.root(), &[]).is_err());
}

#[test]
fn directories_without_a_repository_are_watched() {
    let fixture = Fixture::empty();
    let mut watcher = Watcher::start(&fixture.root(), &[]).unwrap();
    assert_eq!(watcher.directories(), 1);
    fs::write(fixture.root().join("x.log"), "").unwrap();
    assert_eq!(watcher.hear().unwrap(), Saved { paths: vec!["x.log".to_owned()], is_complete: true });
}
