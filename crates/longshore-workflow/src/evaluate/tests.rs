//! Expressions over what is partly known.

use longshore_expr::{Value, parse};

use super::{Evaluated, Fact, Knowledge, evaluate};

fn knowledge() -> Knowledge {
    let github = Fact::object([
        ("ref", Fact::text("refs/heads/main")),
        ("event_name", Fact::text("push")),
        ("run_id", Fact::Unknown),
        ("event", Fact::open(&Value::from_json(r#"{"commits":[{"id":"a"}],"forced":false}"#).unwrap())),
    ]);
    let build = Fact::object([("result", Fact::Unknown), ("outputs", Fact::Unknown)]);
    let mut knowledge = Knowledge::default()
        .with("github", github)
        .with("needs", Fact::object([("build", build)]))
        .with("vars", Fact::Known(Value::from_json(r#"{"A":"1","LIST":"[1,2]"}"#).unwrap()));
    knowledge.status.success = Some(true);
    knowledge
}

/// The outcome as one line.
fn show(text: &str) -> String {
    match evaluate(&parse(text).unwrap(), &knowledge()) {
        Ok(Evaluated::Known(value)) => value.to_json_compact(),
        Ok(Evaluated::Undecided { truth, waits_for }) => {
            let truth = truth.map_or(String::new(), |truth| format!(" ({truth})"));
            format!("? {}{truth}", waits_for.join(", "))
        }
        Err(error) => format!("error at {}..{}: {error}", error.span.start, error.span.end),
    }
}

#[test]
fn decides_what_can_be_decided() {
    let cases = [
        ("github.ref == 'refs/heads/main'", "true"),
        ("github['REF']", "\"refs/heads/main\""),
        ("github.nothing", "null"),
        ("github.run_id", "? github.run_id"),
        ("format('{0}-{1}', github.ref, github.run_id)", "? github.run_id"),
        ("secrets.TOKEN", "? secrets.TOKEN"),
        ("secrets['TOKEN']", "? secrets.TOKEN"),
        ("false && secrets.TOKEN", "false"),
        ("secrets.TOKEN && false", "? secrets.TOKEN (false)"),
        ("!(secrets.TOKEN && false)", "true"),
        ("secrets.A || 'x'", "? secrets.A (true)"),
        ("secrets.A || secrets.B || ''", "? secrets.A, secrets.B"),
        ("'x' || secrets.A", "\"x\""),
        ("!secrets.A", "? secrets.A"),
        ("secrets.A == 'x' && github.event_name == 'pull_request'", "? secrets.A (false)"),
        ("needs.build.outputs.tag", "? needs.build.outputs.tag"),
        ("needs.build.result == 'success'", "? needs.build.result"),
        ("needs.other.result", "null"),
        ("needs.build && 1", "1"),
        ("needs.*.result", "? needs.*"),
        ("toJSON(needs)", "? needs"),
        ("github.event.commits[0].id", "\"a\""),
        ("github.event.commits[0].author", "? github.event.commits[0].author"),
        ("github.event.commits[7].author", "null"),
        ("github.event.forced", "false"),
        ("github.event.deleted", "? github.event.deleted"),
        ("fromJSON(vars.LIST)[1]", "2"),
        ("vars[github.run_id]", "? github.run_id"),
        ("hashFiles('**/lock')", "? hashFiles()"),
        ("success() && github.event_name == 'push'", "true"),
        ("failure()", "? failure()"),
        ("always() || failure()", "true"),
        ("case(github.event_name == 'push', 'a', secrets.A)", "\"a\""),
        ("case(secrets.A == 'x', 'a', 'b')", "? secrets.A"),
        ("contains(fromJSON('[\"a\"]'), secrets.A)", "? secrets.A"),
    ];
    for (text, expected) in cases {
        assert_eq!(show(text), expected, "{text}");
    }
}

#[test]
fn errors_have_their_place() {
    assert_eq!(show("1 == fromJSON('{')").split(':').next().unwrap(), "error at 5..18");
    assert_eq!(show("case('x', 1, 2)").split(':').next().unwrap(), "error at 5..8");
    // What stands behind an operand that is not known may never be evaluated.
    assert_eq!(show("secrets.A && fromJSON('{')"), "? secrets.A");
    assert_eq!(show("false && fromJSON('{')"), "false");
}

#[test]
fn hostile_expressions_end() {
    let deep = format!("{}secrets.a{}", "(".repeat(40), " && true)".repeat(40));
    assert_eq!(show(&deep), "? secrets.a");
    let mut text = "secrets.a == 'x'".to_owned();
    for _ in 0..40 {
        text = format!("({text} && (true || false))");
    }
    assert_eq!(show(&text), "? secrets.a");
}
