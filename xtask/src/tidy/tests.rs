//! Each rule on a text that keeps it and on one that breaks it.

use super::source::Source;
use super::{manifest, page};

fn source(package: &str, path: &str, text: &str) -> Vec<String> {
    Source { package, path, text }.check()
}

#[test]
fn layers_are_kept() {
    let manifest = |package: &str, dependencies: &str| {
        let text = format!(
            "[package]\nname = \"{package}\"\n[lints]\nworkspace = true\n[dependencies]\n{dependencies}"
        );
        manifest::check(package, &text)
    };
    assert!(manifest("longshore-workflow", "longshore-expr.workspace = true\nserde = '1'\n").is_empty());
    assert!(manifest("longshore", "longshore-source.workspace = true\n").is_empty());
    let broken = [
        ("longshore-syntax", "longshore-expr.workspace = true\n", "sideways"),
        ("longshore-expr", "longshore-report.workspace = true\n", "upwards"),
        ("longshore-expr", "tokio = '1'\n", "pure"),
        ("longshore-new", "", "no layer"),
    ];
    for (package, dependencies, word) in broken {
        let found = manifest(package, dependencies);
        assert!(found.len() == 1 && found[0].contains(word), "{package}: {found:?}");
    }
    assert_eq!(manifest::check("longshore", "[package]\nname = 'other'\n").len(), 2);
    assert_eq!(manifest::check("longshore", "nonsense").len(), 1);
}

#[test]
fn sources_keep_the_rules() {
    let good = "//! What it is for.\n\n#![forbid(unsafe_code)]\n\nfn f() {}\n\n#[cfg(test)]\nmod tests { use std::fs; }\n";
    assert_eq!(source("longshore-syntax", "crates/longshore-syntax/src/lib.rs", good), [""; 0]);
    let broken = [
        ("crates/longshore-syntax/src/a.rs", "fn f() {}\n", "must begin"),
        ("crates/longshore-syntax/src/a.rs", "//! A.\nuse std::fs;\n", ":2: `std::fs`"),
        ("crates/longshore-syntax/src/a.rs", "//! A.\nfn f() {} \n", ":2: blanks"),
        ("crates/longshore-syntax/src/a.rs", "//! A.\nfn f() {}", "one line feed"),
        ("crates/longshore-syntax/src/lib.rs", "//! A.\n", "forbid"),
        (
            "crates/longshore-syntax/src/a.rs",
            "//! A.\n#[derive(Serialize)]\n#[serde(x)]\npub struct A {}\n",
            "`A` is serialised",
        ),
    ];
    for (path, text, word) in broken {
        let found = source("longshore-syntax", path, text);
        assert!(found.len() == 1 && found[0].contains(word), "{word}: {found:?}");
    }
    let long = format!("//! A.\n{}", "//\n".repeat(800));
    assert_eq!(source("xtask", "xtask/src/a.rs", &long).len(), 1);
    let dto = "//! A.\n#[derive(Serialize)]\npub(super) struct ADto<'a> {}\nstruct B;\n";
    assert_eq!(source("longshore-report", "crates/longshore-report/src/a.rs", dto), [""; 0]);
    let sans_io = "//! Sans-IO.\nasync fn f() {}\n";
    assert_eq!(source("longshore", "crates/longshore/src/a.rs", sans_io).len(), 1);
}

#[test]
fn codes_and_pages_go_together() {
    let text = "//! A.\nconst A: Code = Code(\"lint/a-b\"); // \"lint/comment\"\n// \"lint/no\"\nf(\"docs/codes\", \"x\");\n";
    let source = Source { package: "longshore-workflow", path: "a.rs", text };
    let codes = source.codes();
    assert_eq!(codes[0], ("lint/a-b".to_owned(), "a.rs:2".to_owned()));
    let foreign =
        Source { package: "longshore", path: "a.rs", text: "//! A.\nconst A: Code = Code(\"new/x\");\n" };
    assert_eq!(foreign.codes().len(), 1, "an area that is not known is seen too");
    let pages = |pages: &[&str]| pages.iter().map(|page| (*page).to_owned()).collect::<Vec<_>>();
    assert_eq!(page::check(&codes[..1], &pages(&["lint/a-b", "error/x"])), [""; 0]);
    let found = page::check(&codes[..1], &pages(&["lint/other"]));
    assert_eq!(found.len(), 2);
    assert!(
        found[0].starts_with("a.rs:2: the code `lint/a-b`") && found[1].contains("`lint/other`"),
        "{found:?}"
    );
}

#[test]
fn licences_are_read_as_expressions() {
    for accepted in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR GPL-2.0) AND ISC",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(super::licence::is_accepted(accepted), "{accepted}");
    }
    for refused in [
        "",
        "none named",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT",
        "MIT)",
        "GPL-2.0 WITH LLVM-exception",
    ] {
        assert!(!super::licence::is_accepted(refused), "{refused}");
    }
}
