//! The tree, its spans and its limits.

use std::fmt::Write as _;

use super::{Node, NodeKind, Resolved, Scalar, ScalarStyle, parse};
use crate::SourceFile;

fn show(file: &SourceFile, node: &Node, depth: usize, out: &mut String) {
    let at = file.position(node.span.start);
    let _ = write!(out, "{:depth$}{}:{} ", "", at.line, at.column);
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            let _ = writeln!(out, "{:?} <{}>", scalar.resolve(), file.slice(node.span).escape_debug());
        }
        NodeKind::Sequence(items) => {
            out.push_str("sequence\n");
            for item in items {
                show(file, item, depth + 2, out);
            }
        }
        NodeKind::Mapping(entries) => {
            out.push_str("mapping\n");
            for (key, value) in entries {
                show(file, key, depth + 2, out);
                show(file, value, depth + 4, out);
            }
        }
    }
}

fn tree(text: &str) -> String {
    let file = SourceFile::new("t.yml", text);
    match parse(&file) {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(root)) => {
            let mut out = String::new();
            show(&file, &root, 0, &mut out);
            out
        }
        Err(error) => {
            let at = file.position(error.span.start);
            format!("{}:{} {}: {}", at.line, at.column, error.code, error.message)
        }
    }
}

#[test]
fn every_value_knows_its_place() {
    let text = "on: push\njobs:\n  a: # c\n    steps:\n      - run: |\n          one\n          two\n      - \"x\": 'y'\n\n  b: [1, {c: d}]\n";
    insta::assert_snapshot!(tree(text));
}

#[test]
fn aliases_are_the_node_they_name() {
    insta::assert_snapshot!(tree("a: &x {k: v}\nb: *x\n<<: *x\n"));
    insta::assert_snapshot!(tree("a: *x\n"));
    insta::assert_snapshot!(tree("a: &x [*x]\n"));
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    let resolve = |text: &str| {
        let scalar =
            Scalar { text: text.to_owned(), style: ScalarStyle::Plain, tag: None, foreign_tag: None };
        match scalar.resolve() {
            Resolved::Null => "null".to_owned(),
            Resolved::Bool(value) => value.to_string(),
            Resolved::Number(value) => format!("{value:?}"),
            Resolved::Str(value) => format!("'{value}'"),
        }
    };
    let table = [
        ("0o14", "12.0"),
        ("014", "14.0"),
        ("0x1F", "31.0"),
        ("1_000", "'1_000'"),
        ("2001-01-01", "'2001-01-01'"),
        ("yes", "'yes'"),
        ("on", "'on'"),
        (".5", "0.5"),
        ("5.", "5.0"),
        ("1e3", "1000.0"),
        ("+1", "1.0"),
        ("-0", "-0.0"),
        (".inf", "inf"),
        ("-.INF", "-inf"),
        (".NaN", "NaN"),
        ("-.nan", "'-.nan'"),
        ("~", "null"),
        ("NULL", "null"),
        ("nuLL", "'nuLL'"),
        ("TRUE", "true"),
        ("tRUE", "'tRUE'"),
        ("0b11", "'0b11'"),
        ("12e", "'12e'"),
        ("3.10", "3.1"),
        ("1.2.3", "'1.2.3'"),
        ("0o", "'0o'"),
        ("0o8", "'0o8'"),
        ("-0x1", "'-0x1'"),
        ("inf", "'inf'"),
        (".", "'.'"),
        ("-", "'-'"),
        ("9007199254740993", "9007199254740992.0"),
    ];
    for (text, expected) in table {
        assert_eq!(resolve(text), expected, "{text}");
    }
}

#[test]
fn refuses_what_is_no_yaml_with_its_place() {
    let texts = [
        "a: 'x",
        "a: [1, 2",
        "a:\n\t- b",
        "a: b: c",
        "a: \"\\q\"",
        "a: @x",
        "- a\nb: 1",
        "a: 1\n---\nb: 2",
        "a: \0",
        "a: *x",
    ];
    let answers: Vec<_> =
        texts.iter().map(|text| format!("{} => {}", text.escape_debug(), tree(text))).collect();
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn parts_of_a_value_are_found_in_the_text() {
    let text = "a: \"x ${{ y }}\"\nb: >-\n  one ${{ p }}\n  two ${{ p }}\n";
    let file = SourceFile::new("t.yml", text);
    let root = parse(&file).unwrap().unwrap();
    let at = |key: &str, part: std::ops::Range<usize>| {
        file.slice(root.entry(key).unwrap().locate(&file, part)).to_owned()
    };
    assert_eq!(at("a", 2..10), "${{ y }}");
    assert_eq!(at("b", 4..12), "${{ p }}");
    let second = root.entry("b").unwrap().locate(&file, 17..25);
    assert_eq!(file.position(second.start), crate::Position { line: 4, column: 7 });
}

#[test]
fn takes_byte_order_marks_carriage_returns_and_nothing() {
    insta::assert_snapshot!(tree("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n"));
    assert_eq!(tree(""), "nothing");
    assert_eq!(tree("# only a comment\n"), "nothing");
}

#[test]
fn alias_bombs_and_deep_nesting_are_refused() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..30 {
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(","));
    }
    assert!(tree(&bomb).contains("yaml/too-large"), "{}", tree(&bomb));
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..300 {
        let _ = writeln!(chain, "a{level}: &a{level} [*a{}]", level - 1);
    }
    assert!(tree(&chain).contains("yaml/too-large"), "{}", tree(&chain));
    for text in ["[".repeat(1000), "{a: ".repeat(1000), "- ".repeat(1000)] {
        assert!(tree(&text).contains("yaml/too-large"), "{}", tree(&text));
    }
    let block: Vec<String> = (0..1000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let block = block.concat();
    assert!(tree(&block).contains("yaml/too-large"), "{}", tree(&block));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ \\-:\\[\\]{},&*!|>'\"%@`#a-c0-9\n\t\r\u{feff}é]{0,80}") {
        let file = SourceFile::new("t.yml", &text);
        if let Ok(Some(root)) = parse(&file) {
            proptest::prop_assert!(root.span.end as usize <= file.text().len());
        }
    }
}
