//! What is refused, with which words, at which place.

use longshore_expr::{Allowed, parse, parse_allowed};

use crate::ALLOWED;

/// Expression, kind with symbol, position in UTF-16 units counted from one.
fn refused(rows: &[(&str, &str, usize)]) {
    for (text, summary, position) in rows {
        let error = parse_allowed(text, &ALLOWED).expect_err(text);
        let expected = format!("{summary}. Located at position {position} within expression: {text}");
        assert_eq!(error.to_string(), expected);
        assert!(text.get(error.span.range()).is_some(), "{text}: {:?}", error.span);
    }
}

#[test]
fn symbols_that_cannot_stand_there() {
    refused(&[
        ("1 2", "Unexpected symbol: '2'", 3),
        ("github.", "Unexpected end of expression: '.'", 7),
        ("github.1", "Unexpected symbol: '1'", 8),
        ("github.'a'", "Unexpected symbol: ''a''", 8),
        ("github[", "Unexpected end of expression: '['", 7),
        ("github[1", "Unexpected end of expression: '1'", 8),
        ("github[1 2]", "Unexpected symbol: '2'", 10),
        ("github[*", "Unexpected end of expression: '*'", 8),
        ("github]", "Unexpected symbol: ']'", 7),
        ("github[]", "Unexpected symbol: ']'", 8),
        ("(1", "Unexpected end of expression: '1'", 2),
        ("()", "Unexpected symbol: ')'", 2),
        (")", "Unexpected symbol: ')'", 1),
        ("1 ==", "Unexpected end of expression: '=='", 3),
        ("== 1", "Unexpected symbol: '=='", 1),
        ("1 && || 2", "Unexpected symbol: '||'", 6),
        ("!", "Unexpected end of expression: '!'", 1),
        ("1 ! 2", "Unexpected symbol: '!'", 3),
        ("contains(", "Unexpected end of expression: '('", 9),
        ("contains('a'", "Unexpected end of expression: ''a''", 10),
        ("contains('a' 'b')", "Unexpected symbol: ''b''", 14),
        ("contains('a',, 'b')", "Unexpected symbol: ','", 14),
        ("contains('a', 'b',)", "Unexpected symbol: ')'", 19),
        ("contains(,)", "Unexpected symbol: ','", 10),
        ("'a'[0]", "Unexpected symbol: '['", 4),
        ("'a'.b", "Unexpected symbol: '.b'", 4),
        ("true.a", "Unexpected symbol: '.a'", 5),
        ("*", "Unexpected symbol: '*'", 1),
        ("1 * 2", "Unexpected symbol: '*'", 3),
        (".", "Unexpected symbol: '.'", 1),
    ]);
}

#[test]
fn texts_that_are_no_symbols() {
    refused(&[
        ("'abc", "Unexpected symbol: ''abc'", 1),
        ("'it''s", "Unexpected symbol: ''it''s'", 1),
        ("\"abc\"", "Unexpected symbol: '\"abc\"'", 1),
        ("1 = 2", "Unexpected symbol: '='", 3),
        ("1 & 2", "Unexpected symbol: '&'", 3),
        ("1 | 2", "Unexpected symbol: '|'", 3),
        ("1 + 2", "Unexpected symbol: '+'", 3),
        ("1 - 2", "Unexpected symbol: '-'", 3),
        ("1 -2", "Unexpected symbol: '-2'", 3),
        ("1a", "Unexpected symbol: '1a'", 1),
        ("1_000", "Unexpected symbol: '1_000'", 1),
        ("0x", "Unexpected symbol: '0x'", 1),
        ("0xg", "Unexpected symbol: '0xg'", 1),
        ("0o8", "Unexpected symbol: '0o8'", 1),
        ("-0x1", "Unexpected symbol: '-0x1'", 1),
        ("1e", "Unexpected symbol: '1e'", 1),
        ("1.2.3", "Unexpected symbol: '1.2.3'", 1),
        ("-NaN", "Unexpected symbol: '-NaN'", 1),
        ("$github", "Unexpected symbol: '$github'", 1),
        ("github.ref/x", "Unexpected symbol: 'ref/x'", 8),
        ("github.é", "Unexpected symbol: 'é'", 8),
        ("'😀' + 1", "Unexpected symbol: '+'", 6),
        ("github\u{a0}.ref", "Unexpected symbol: '\u{a0}'", 7),
        ("-github", "Unexpected symbol: '-github'", 1),
        ("github.-a", "Unexpected symbol: '-a'", 8),
    ]);
}

#[test]
fn what_is_no_symbol_is_reported_before_anything_else() {
    refused(&[("foo && 1 = 2", "Unexpected symbol: '='", 10), ("1 2 $", "Unexpected symbol: '$'", 5)]);
}

#[test]
fn names_and_arguments() {
    refused(&[
        ("foo", "Unrecognized named-value: 'foo'", 1),
        ("True", "Unrecognized named-value: 'True'", 1),
        ("1 == secrets.X", "Unrecognized named-value: 'secrets'", 6),
        ("contains", "Unrecognized named-value: 'contains'", 1),
        ("foo()", "Unrecognized function: 'foo'", 1),
        ("github()", "Unrecognized function: 'github'", 1),
        ("foo(bar)", "Unrecognized named-value: 'bar'", 5),
        ("success()", "Unrecognized function: 'success'", 1),
        ("contains('a')", "Too few parameters supplied: 'contains'", 1),
        ("contains('a', 'b', 'c')", "Too many parameters supplied: 'contains'", 1),
        ("format()", "Too few parameters supplied: 'format'", 1),
        ("join()", "Too few parameters supplied: 'join'", 1),
        ("toJSON(1, 2)", "Too many parameters supplied: 'toJSON'", 1),
        ("always(1)", "Too many parameters supplied: 'always'", 1),
        ("hashFiles()", "Too few parameters supplied: 'hashFiles'", 1),
    ]);
}

#[test]
fn every_error_has_a_code_and_may_have_a_suggestion() {
    for (text, code, suggestion) in [
        ("1 2", "expr/syntax", None),
        (" ", "expr/syntax", None),
        ("guthub.ref", "expr/unknown-context", Some("github")),
        ("bananas", "expr/unknown-context", None),
        ("containz('a', 'b')", "expr/unknown-function", Some("contains")),
        ("hashFile('a')", "expr/unknown-function", Some("hashFiles")),
        ("join()", "expr/argument-count", None),
        ("case(true, 1, 2, 3)", "expr/argument-count", None),
    ] {
        let error = parse_allowed(text, &ALLOWED).unwrap_err();
        assert_eq!((error.code().0, error.suggestion()), (code, suggestion), "{text}");
    }
}

#[test]
fn the_published_wording_is_kept_beside_the_runner_s() {
    for (text, published) in [
        ("foo", "Unrecognized named-value: 'foo'"),
        ("github[1", "Unexpected symbol: 'EOF'"),
        ("(1", "Unexpected end of expression: '1'"),
        ("1 'a'", "Unexpected symbol: 'a'"),
        ("1 $", "Unexpected symbol: '$'. Located at position 3 within expression: 1 $"),
        ("", "An expression was expected"),
    ] {
        assert_eq!(parse_allowed(text, &ALLOWED).unwrap_err().published_text(), published);
    }
}

#[test]
fn names_are_not_checked_without_a_list() {
    assert!(parse("foo.bar && baz(1, 2)").is_ok());
    assert!(parse("contains('a')").is_err());
    assert!(parse_allowed("github", &Allowed::NONE).is_err());
    assert!(parse_allowed("fromJSON('1')", &Allowed::NONE).is_ok());
}

#[test]
fn allowed_items_are_read_as_the_schema_writes_them() {
    let allowed = Allowed::from_items(&["github", "failure(0,MAX)", "hashFiles(1,255)", "odd(1"]);
    assert_eq!(allowed.contexts().collect::<Vec<_>>(), ["github", "odd(1"]);
    assert_eq!(allowed.functions().collect::<Vec<_>>(), ["failure", "hashFiles"]);
    let arity = allowed.arity("FAILURE").unwrap();
    assert_eq!((arity.min, arity.max), (0, usize::MAX));
    assert!(
        allowed.has_context("GitHub") && !allowed.has_context("env") && allowed.arity("success").is_none()
    );
}
