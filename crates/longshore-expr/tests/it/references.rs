//! What an expression reads.

use longshore_expr::parse;

#[test]
fn references_are_chains_from_a_context() {
    for (text, expected) in [
        ("1 == 2", vec![]),
        ("github", vec!["github"]),
        ("needs.build.outputs.x", vec!["needs.build.outputs.x"]),
        ("needs['build'].outputs[env.KEY].y", vec!["needs.build.outputs.*.y", "env.KEY"]),
        ("(github).event['issue'].title", vec!["github.event.issue.title"]),
        ("a.*.b[0] || c[*]", vec!["a.*.b.*", "c.*"]),
        ("fromJSON(needs.a.outputs.m)[b.c].d", vec!["needs.a.outputs.m", "b.c"]),
        (
            "contains(github.event.labels.*.name, env.L) && !x",
            vec!["github.event.labels.*.name", "env.L", "x"],
        ),
        ("a[b[c]]", vec!["a.*", "b.*", "c"]),
    ] {
        let expr = parse(text).unwrap();
        let found: Vec<String> = expr.references().iter().map(longshore_expr::Reference::dotted).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn references_know_their_places() {
    let text = "x && (github).event['issue'].title";
    let expr = parse(text).unwrap();
    let references = expr.references();
    assert_eq!(&text[references[1].span.range()], "(github).event['issue'].title");
    assert_eq!(&text[references[1].context_span.range()], "github");
    let contexts: Vec<&str> = expr.contexts().map(|(name, _)| name).collect();
    assert_eq!(contexts, ["x", "github"]);
}

#[test]
fn patterns_match_the_beginning() {
    let matches = |text: &str, pattern: &[&str]| parse(text).unwrap().references()[0].starts_with(pattern);
    let title = ["github", "event", "issue", "title"];
    assert!(matches("GitHub.Event.issue.TITLE", &title));
    assert!(matches("github.event.issue.title.x", &title));
    assert!(matches("github.event.*.title", &title));
    assert!(!matches("github.event.issue", &title));
    assert!(!matches("github.event[env.X].title", &title));
    assert!(matches("github.event.commits[0].message", &["github", "event", "commits", "*", "message"]));
    assert!(matches("github.event.commits.*.message", &["github", "event", "commits", "*", "message"]));
    assert!(!matches("env.event", &["github"]));
}

#[test]
fn status_functions_are_found_wherever_they_are_called() {
    for (text, expected) in [
        ("success()", true),
        ("!(a || contains(b, Failure()))", true),
        ("x[always()]", true),
        ("'success()'", false),
        ("success.x", false),
        ("hashFiles('a')", false),
    ] {
        assert_eq!(parse(text).unwrap().calls_status_function(), expected, "{text}");
    }
    let expr = parse("a(b(), c.d)").unwrap();
    assert_eq!(expr.functions().iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["a", "b"]);
}
