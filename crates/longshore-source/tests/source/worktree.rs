//! Files of a work tree.

use std::os::unix::fs::symlink;

use longshore_source::{RepositoryPath, WorkTree, WorkTreeError};
use longshore_syntax::{SourceLoader, SourceRef};

use crate::fixture::Fixture;

fn local(path: &str) -> SourceRef {
    SourceRef::Local { path: path.to_owned() }
}

#[test]
fn the_root_is_found_from_below() {
    let fixture = Fixture::repository();
    fixture.write("a/b/c.txt", "");
    let root = fixture.root().canonicalize().unwrap();
    for start in ["", "a", "a/b"] {
        assert_eq!(WorkTree::discover(&fixture.root().join(start)).unwrap().root(), root, "{start}");
    }
    let plain = Fixture::empty();
    plain.write(".github/workflows/ci.yml", "");
    plain.write("a/b/c.txt", "");
    let tree = WorkTree::discover(&plain.root().join("a/b")).unwrap();
    assert_eq!(tree.root(), plain.root().canonicalize().unwrap());
    assert!(!tree.is_git());
}

#[test]
fn a_directory_that_is_no_project_is_its_own_root() {
    let fixture = Fixture::empty();
    fixture.write("deep/er/x", "");
    let start = fixture.root().join("deep/er");
    assert_eq!(WorkTree::discover(&start).unwrap().root(), start.canonicalize().unwrap());
    let error = WorkTree::discover(&start.join("nowhere")).unwrap_err();
    assert!(error.to_string().contains("deep/er/nowhere"), "{error}");
    assert!(matches!(WorkTree::discover(&start.join("x")), Err(WorkTreeError::Open { .. })));
}

#[test]
fn workflows_are_the_yaml_files_directly_in_their_directory() {
    let fixture = Fixture::empty();
    for name in ["z.yml", "a.yaml", "b.YML", "notes.md", "sub/c.yml", ".hidden.yml"] {
        fixture.write(&format!(".github/workflows/{name}"), "");
    }
    std::fs::create_dir(fixture.root().join(".github/workflows/dir.yml")).unwrap();
    let tree = WorkTree::at(&fixture.root()).unwrap();
    let names: Vec<String> = tree.workflows().unwrap().iter().map(RepositoryPath::to_string).collect();
    let expected = [".hidden.yml", "a.yaml", "z.yml"].map(|name| format!(".github/workflows/{name}"));
    assert_eq!(names, expected);
    assert!(WorkTree::at(&Fixture::empty().root()).unwrap().workflows().unwrap().is_empty());
}

#[test]
fn files_are_loaded_by_their_path() {
    let fixture = Fixture::empty();
    fixture.write(".github/workflows/ci.yml", "\u{feff}on: push\r\n");
    fixture.write("act/action.yaml", "yaml");
    fixture.write("both/action.yaml", "yaml");
    fixture.write("both/action.yml", "yml");
    fixture.write("docker/Dockerfile", "FROM scratch");
    fixture.write("empty/x", "");
    symlink("both", fixture.root().join("link")).unwrap();
    let tree = WorkTree::at(&fixture.root()).unwrap();
    let cases = [
        (".github/workflows/ci.yml", Some((".github/workflows/ci.yml", "\u{feff}on: push\r\n"))),
        ("./act", Some(("act/action.yaml", "yaml"))),
        ("both/", Some(("both/action.yml", "yml"))),
        ("link", Some(("link/action.yml", "yml"))),
        ("docker", Some(("docker/Dockerfile", "FROM scratch"))),
        ("empty", None),
        ("none.yml", None),
        ("act/action.yaml/below", None),
    ];
    for (path, expected) in cases {
        let found = tree.load(&local(path)).unwrap();
        assert_eq!(found.as_ref().map(|file| (file.name(), file.text())), expected, "{path}");
    }
}

#[test]
fn what_must_not_be_read_is_refused_by_name() {
    let fixture = Fixture::empty();
    let outside = fixture.beside("secret.yml");
    std::fs::write(&outside, "secret").unwrap();
    symlink(&outside, fixture.root().join("out.yml")).unwrap();
    symlink("loop.yml", fixture.root().join("loop.yml")).unwrap();
    fixture.write("latin.yml", b"name: caf\xe9\n");
    std::fs::File::create(fixture.root().join("big.yml")).unwrap().set_len(10 * 1024 * 1024 + 1).unwrap();
    let pipe = fixture.root().join("pipe.yml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let tree = WorkTree::at(&fixture.root()).unwrap();
    let cases = [
        ("out.yml", "symbolic link out of the repository"),
        ("loop.yml", "failed to read `loop.yml`"),
        ("latin.yml", "byte 0xe9 at offset 9"),
        ("big.yml", "10485761 bytes"),
        ("pipe.yml", "neither a file nor a directory"),
        ("../secret.yml", "leaves the repository"),
        ("/etc/passwd", "is absolute"),
    ];
    for (path, part) in cases {
        let error = tree.load(&local(path)).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains(path), "{path}: {error}");
    }
}

#[test]
fn other_repositories_are_not_in_the_tree() {
    let tree = WorkTree::at(&Fixture::empty().root()).unwrap();
    let reference = SourceRef::Remote {
        owner: "octo".into(),
        repository: "app".into(),
        path: String::new(),
        version: "v1".into(),
    };
    assert!(tree.load(&reference).unwrap_err().to_string().contains("octo/app@v1"));
}
