//! `hashFiles` on real directories. The expected files and their order were checked against the published
//! `@actions/glob`.

use std::os::unix::fs::symlink;

use longshore_source::{HashFilesError, hash_files};
use sha2::{Digest, Sha256};

use crate::fixture::Fixture;

/// A tree in which every file holds its own path.
fn tree() -> Fixture {
    let fixture = Fixture::empty();
    for path in [
        "package-lock.json",
        "Cargo.lock",
        ".hidden/x.lock",
        "app/package-lock.json",
        "app/src/main.js",
        "app/src/main.test.js",
        "app.lock",
        "lib/package-lock.json",
        "lib/[odd]/a*b",
        "LIB/upper",
    ] {
        fixture.write(path, path);
    }
    symlink("app", fixture.root().join("linked")).unwrap();
    symlink("../Cargo.lock", fixture.root().join("lib/link.lock")).unwrap();
    fixture
}

/// What the digest must be for these files in this order.
fn digest_of(files: &[&str]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let mut digest = Sha256::new();
    for content in files {
        digest.update(Sha256::digest(content));
    }
    let bytes: Vec<String> = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.concat()
}

#[test]
fn patterns_choose_files_in_order() {
    let fixture = tree();
    let root = fixture.root().canonicalize().unwrap();
    let absolute = format!("{}/Cargo.lock", root.display());
    let cases: Vec<(Vec<&str>, Vec<&str>)> = vec![
        (vec!["Cargo.lock"], vec!["Cargo.lock"]),
        (vec!["nothing"], vec![]),
        (vec!["nothing/*", "Cargo.lock"], vec!["Cargo.lock"]),
        (vec!["cargo.lock"], vec![]),
        // The second entry is a link: its content is that of its target.
        (vec!["**/*.lock"], vec![".hidden/x.lock", "Cargo.lock", "app.lock", "Cargo.lock"]),
        (
            vec!["**/package-lock.json"],
            vec!["app/package-lock.json", "lib/package-lock.json", "package-lock.json"],
        ),
        (
            vec!["lib", "app/src/main.js"],
            vec!["lib/[odd]/a*b", "Cargo.lock", "lib/package-lock.json", "app/src/main.js"],
        ),
        (vec!["app/**", "!**/*.test.js"], vec!["app/package-lock.json", "app/src/main.js"]),
        (vec!["app", "!app/src"], vec!["app/package-lock.json"]),
        (vec!["app/", "!app/src", "app/src/main.js"], vec!["app/package-lock.json", "app/src/main.js"]),
        (vec!["Cargo.lock/"], vec![]),
        (vec!["Cargo.lock\n# comment\n\n  app.lock  "], vec!["Cargo.lock", "app.lock"]),
        (vec!["app.lock", "Cargo.lock"], vec!["app.lock", "Cargo.lock"]),
        (vec!["./Cargo.lock"], vec!["Cargo.lock"]),
        (vec![&absolute], vec!["Cargo.lock"]),
        (vec!["lib/\\[odd\\]/*"], vec!["lib/[odd]/a*b"]),
        (vec!["lib/[[]odd]/a[*]b"], vec!["lib/[odd]/a*b"]),
        (vec!["lib/[odd]/*"], vec![]),
        (vec!["linked/package-lock.json"], vec!["app/package-lock.json"]),
        (vec!["linked/**"], vec![]),
        (vec!["--follow-symbolic-links", "linked/src/*.js"], vec!["app/src/main.js", "app/src/main.test.js"]),
        (vec!["!!Cargo.lock"], vec!["Cargo.lock"]),
        (vec!["!Cargo.lock"], vec![]),
        (vec!["/etc/**"], vec![]),
        (vec!["~/**"], vec![]),
    ];
    for (patterns, files) in cases {
        let found = hash_files(&root, Some("/nowhere".as_ref()), &patterns).unwrap();
        assert_eq!(found, digest_of(&files), "{patterns:?}");
    }
}

#[test]
fn the_value_of_the_reference() {
    let fixture = Fixture::empty();
    fixture.write("a", "a");
    fixture.write("b/c", "c");
    let found = hash_files(&fixture.root(), None, &["**"]).unwrap();
    assert_eq!(found, "a49c7c8b9aca10635b2481820b832847a81a24fd01379580af97a593b2d5f1a2");
}

#[test]
fn following_links_ends_at_cycles() {
    let fixture = Fixture::empty();
    fixture.write("d/file", "file");
    symlink("..", fixture.root().join("d/up")).unwrap();
    symlink("gone", fixture.root().join("broken")).unwrap();
    let found = hash_files(&fixture.root(), None, &["--follow-symbolic-links", "**"]).unwrap();
    assert_eq!(found, digest_of(&["file"]));
}

#[test]
fn mistakes_are_named() {
    let fixture = tree();
    symlink("gone", fixture.root().join("broken")).unwrap();
    let cases: [(&[&str], &str); 8] = [
        (&["../x"], "holds a relative `.` or `..`"),
        (&["a/./b"], "holds a relative"),
        (&["a/../b"], "`a/../b`"),
        (&["--follow", "x"], "`--follow` is no option"),
        (&[], "no pattern"),
        (&["!"], "no pattern"),
        (&["broken"], "failed to read"),
        (&["Cargo.lock/below/x"], "failed to read"),
    ];
    for (patterns, part) in cases {
        let error: HashFilesError = hash_files(&fixture.root(), None, patterns).unwrap_err();
        assert!(error.to_string().contains(part), "{patterns:?}: {error}");
    }
}
