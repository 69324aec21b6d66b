//! Text with `${{ }}` in it.

use longshore_expr::{Segment, Template, TemplateErrorKind};

use crate::{ALLOWED, show, surroundings};

fn value(text: &str) -> String {
    let template = Template::parse(text, Some(&ALLOWED)).unwrap();
    show(&template.eval(&surroundings()).unwrap())
}

#[test]
fn one_expression_keeps_its_kind_and_more_become_text() {
    for (text, expected) in [
        ("", r#""""#),
        ("plain", r#""plain""#),
        ("$ { {{ }} ${ }", r#""$ { {{ }} ${ }""#),
        ("${{ 1.5 }}", "1.5"),
        ("${{1==1}}", "true"),
        ("${{\narr[7]\t}}", "[1,2]"),
        ("${{ 1 }} ", r#""1 ""#),
        ("${{ 1 }}${{ 2 }}", r#""12""#),
        ("a ${{ env.A }} b ${{ null }}${{ arr }}", r#""a 1 b Array""#),
        ("${{ '}}' }}", r#""}}""#),
        ("${{ format('{0}}}', 1) }}!", r#""1}!""#),
        ("${{ 'it''s }}' }}.", r#""it's }}.""#),
        ("$${{ 1 }}}", r#""$1}""#),
        ("${{ '${{' }}", r#""${{""#),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn a_string_alone_is_literal_text() {
    let literal = |text: &str| Template::parse(text, None).unwrap().as_literal().map(str::to_owned);
    assert_eq!(literal("plain").as_deref(), Some("plain"));
    assert_eq!(literal("${{ 'it''s {{ }}' }}").as_deref(), Some("it's {{ }}"));
    assert_eq!(literal("${{ '' }}").as_deref(), Some(""));
    assert_eq!(literal("${{ ('a') }}"), None);
    assert_eq!(literal("${{ 1 }}"), None);
    assert_eq!(literal("a${{ 'b' }}"), None);
    assert!(Template::literal("${{ a }}").is_literal());
}

/// Text, code and place of an error.
type Expected<'a> = (&'a str, &'a str, std::ops::Range<usize>);

#[test]
fn errors_in_github_s_words() {
    let not_closed = "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence \
                      was not found.";
    let in_text = "The directive 'insert' is not allowed in this context. Directives are not supported for \
                   expressions that are embedded within a string. Directives are only supported when the entire \
                   value is an expression.";
    let parameters =
        "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual parameter count: 1";
    let unknown = "Unrecognized named-value: 'foo'. Located at position 1 within expression: foo";
    let cases: [(&str, &[Expected<'_>]); 9] = [
        ("a ${{ b", &[(not_closed, "expr/not-closed", 2..7)]),
        ("${{ 'a }}", &[(not_closed, "expr/not-closed", 0..9)]),
        ("${{}}", &[("An expression was expected", "expr/syntax", 0..5)]),
        ("a ${{  }}", &[("An expression was expected", "expr/syntax", 2..9)]),
        ("é ${{ foo }}", &[(unknown, "expr/unknown-context", 7..10)]),
        (
            "${{ foo }}${{ }}${{",
            &[
                (unknown, "expr/unknown-context", 4..7),
                ("An expression was expected", "expr/syntax", 10..16),
                (not_closed, "expr/not-closed", 16..19),
            ],
        ),
        ("${{ insert }} ", &[(in_text, "expr/directive", 0..13)]),
        ("${{ insert a b }}", &[(parameters, "expr/directive", 0..17)]),
        ("a${{ insert }}${{ foo }}", &[(in_text, "expr/directive", 1..14)]),
    ];
    for (text, expected) in cases {
        let errors = Template::parse_all(text, Some(&ALLOWED)).unwrap_err();
        let found: Vec<_> = errors.iter().map(|e| (e.to_string(), e.code().0, e.span.range())).collect();
        let expected: Vec<_> =
            expected.iter().map(|(text, code, range)| ((*text).to_owned(), *code, range.clone())).collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(Template::parse(text, Some(&ALLOWED)).unwrap_err(), errors[0]);
    }
}

#[test]
fn a_suggestion_comes_through() {
    let error = Template::parse("${{ guthub.ref }}", Some(&ALLOWED)).unwrap_err();
    assert_eq!(error.suggestion(), Some("github"));
    assert!(matches!(error.kind, TemplateErrorKind::Expression(_)));
}

#[test]
fn insert_is_a_directive_only_alone() {
    assert!(Template::parse("${{ insert }}", Some(&ALLOWED)).unwrap().is_insert());
    assert!(!Template::parse("${{ insert }}", Some(&ALLOWED)).unwrap().is_literal());
    assert!(!Template::parse("insert", Some(&ALLOWED)).unwrap().is_insert());
    assert!(Template::parse("${{ inserts }}", Some(&ALLOWED)).is_err());
}

#[test]
fn pieces_know_their_places() {
    let text = "é ${{  github.ref }}-${{1}}";
    let template = Template::parse(text, Some(&ALLOWED)).unwrap();
    let pieces: Vec<&str> = template.segments().iter().map(|segment| &text[segment.span().range()]).collect();
    assert_eq!(pieces, ["é ", "${{  github.ref }}", "-", "${{1}}"]);
    for (segment, (expr, offset)) in
        template.segments().iter().filter(|s| matches!(s, Segment::Expr { .. })).zip(template.expressions())
    {
        let Segment::Expr { source, .. } = segment else { unreachable!() };
        assert_eq!(&text[expr.span.start as usize + offset..expr.span.end as usize + offset], source);
    }
}

#[test]
fn errors_of_evaluation_know_their_place_in_the_template() {
    let template = Template::parse("a ${{ 1 }} ${{ 1 && fromJSON('') }}", Some(&ALLOWED)).unwrap();
    let error = template.eval(&surroundings()).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.span.range()), ("empty input", 20..32));
}

#[test]
fn the_expression_github_makes_of_a_template() {
    for (text, expected) in [
        ("plain", None),
        ("${{ 'plain' }}", None),
        ("${{  github.ref  }}", Some("github.ref")),
        ("it's {${{ github.ref }}} ${{ 1 }}", Some("format('it''s {{{0}}} {1}', github.ref, 1)")),
        ("${{ 'a' }}b", Some("format('{0}b', 'a')")),
    ] {
        let template = Template::parse(text, Some(&ALLOWED)).unwrap();
        assert_eq!(template.to_expression_text().as_deref(), expected, "{text}");
        assert_eq!(template.expression_length(), expected.map_or(0, str::len));
    }
}
