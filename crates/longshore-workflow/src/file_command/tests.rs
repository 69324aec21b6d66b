//! Command files: what a step writes, and what following steps see.

use super::{
    EnvDisposition, FileCommandKind as Kind, blocked_message, env_disposition, parse_pairs, parse_paths,
};
use proptest::prelude::*;

#[test]
fn pairs() {
    let table: &[(&str, &[(&str, &str)])] = &[
        ("", &[]),
        ("\n\n", &[]),
        ("a=1", &[("a", "1")]),
        ("a=1\nb=2\n", &[("a", "1"), ("b", "2")]),
        ("\n\na=1\n\n", &[("a", "1")]),
        ("a=\n", &[("a", "")]),
        ("a==b=c\n", &[("a", "=b=c")]),
        (" a = b \n", &[(" a ", " b ")]),
        ("# a=b\n", &[("# a", "b")]),
        ("a=1\na=2\n", &[("a", "1"), ("a", "2")]),
        ("a=1\r\n", &[("a", "1\r")]),
        ("a=x<<y\n", &[("a", "x<<y")]),
        ("\u{feff}a=1\n", &[("a", "1")]),
        ("a=x\0y\n", &[("a", "x\0y")]),
        ("a<<EOF\nEOF\n", &[("a", "")]),
        ("a<<EOF\n\nEOF\n", &[("a", "")]),
        ("a<<EOF\n\n\nEOF\n", &[("a", "\n")]),
        ("a<<EOF\none\n two \nEOF\nb=2", &[("a", "one\n two "), ("b", "2")]),
        ("a<<EOF\none\nEOF", &[("a", "one")]),
        ("a<<EOF\none\r\nEOF\n", &[("a", "one\r")]),
        ("a<<EOF\r\none\r\nEOF\r\n", &[("a", "one\r")]),
        ("a<<E=F\nx=1\nE=F\n", &[("a", "x=1")]),
        ("a<< EOF\nEOF\n EOF\n", &[("a", "EOF")]),
        ("a<<<<\nx\n<<\n", &[("a", "x")]),
        ("a<<EOF\nEOFX\nEOF\n", &[("a", "EOFX")]),
    ];
    for (text, expected) in table {
        for kind in [Kind::Env, Kind::Output, Kind::State] {
            let pairs = parse_pairs(kind, text).unwrap();
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(pairs, *expected, "{kind:?} {text:?}");
        }
    }
}

#[test]
fn errors_give_the_line_and_keep_what_was_taken() {
    for (text, line, message, taken) in [
        ("{\n", 1, "Invalid format '{'", 0),
        ("a=1\nb\n", 2, "Invalid format 'b'", 1),
        ("a=1\n\n \n", 3, "Invalid format ' '", 1),
        ("\r\n", 1, "Invalid format '\r'", 0),
        ("=x\n", 1, "Invalid format '=x'. Name must not be empty", 0),
        ("<<EOF\n", 1, "Invalid format '<<EOF'. Name must not be empty and delimiter must not be empty", 0),
        ("a<<\n", 1, "Invalid format 'a<<'. Name must not be empty and delimiter must not be empty", 0),
        ("a=1\nb<<EOF\nx\n", 2, "Invalid value. Matching delimiter not found 'EOF'", 1),
        ("a<<EOF", 1, "Invalid value. Matching delimiter not found 'EOF'", 0),
        ("a<<EOF\n", 1, "Invalid value. Matching delimiter not found 'EOF'", 0),
        ("a<<EOF\nx", 1, "Invalid value. EOF marker missing new line.", 0),
        ("a<<EOF\nEOF ", 1, "Invalid value. EOF marker missing new line.", 0),
        ("a<<EOF\r\nx\r\nEOF", 1, "Invalid value. EOF marker missing new line.", 0),
    ] {
        let error = parse_pairs(Kind::Output, text).unwrap_err();
        assert_eq!(
            (error.line, error.to_string().as_str(), error.taken.len()),
            (line, message, taken),
            "{text:?}"
        );
    }
    assert_eq!(parse_pairs(Kind::State, "=x").unwrap(), [(String::new(), "x".to_owned())]);
    assert!(parse_pairs(Kind::Path, "a=1").is_err());
}

#[test]
fn a_json_value_on_several_lines_is_refused() {
    // What `echo "matrix=$(cat …)" >> "$GITHUB_OUTPUT"` writes when the JSON is not on one line.
    let error = parse_pairs(Kind::Output, "matrix={\n  \"include\": []\n}\n").unwrap_err();
    assert_eq!((error.line, error.to_string().as_str()), (2, "Invalid format '  \"include\": []'"));
}

#[test]
fn path_lines() {
    assert_eq!(parse_paths("/a\r\n\n/b\r/a\n/c d"), ["/b", "/a", "/c d"]);
    assert_eq!(parse_paths(""), [""; 0]);
}

#[test]
fn protected_variables() {
    for (name, disposition) in [
        ("PATH", EnvDisposition::Set),
        ("CI", EnvDisposition::Set),
        ("node_options", EnvDisposition::Blocked),
        ("GITHUB_SHA", EnvDisposition::Overridden),
        ("RUNNER_TEMP", EnvDisposition::Overridden),
        ("GITHUB", EnvDisposition::Set),
        ("ü", EnvDisposition::Set),
    ] {
        assert_eq!(env_disposition(name), disposition, "{name}");
    }
    let message = blocked_message("node_options").unwrap();
    assert_eq!(message, "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.");
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>(), near in "[a<=E\r\n]{0,24}") {
        for text in [text, near] {
            let _ = parse_pairs(Kind::Env, &text);
            parse_paths(&text);
        }
    }

    #[test]
    fn any_value_survives_a_heredoc(name in "[A-Z_]{1,8}", value in "[ -~\r\n]{0,40}") {
        let text = format!("{name}<<ghadelimiter-é\n{value}\nghadelimiter-é\n");
        prop_assert_eq!(parse_pairs(Kind::Output, &text).unwrap(), vec![(name, value)]);
    }
}
