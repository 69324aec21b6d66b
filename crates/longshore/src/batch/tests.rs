//! Requests and their answers.

use super::{answer, operations};

/// Checks pairs of request and answer.
fn check(pairs: &[(&str, &str)]) {
    for (request, expected) in pairs {
        assert_eq!(answer(request.as_bytes()), *expected, "for {request}");
    }
}

#[test]
fn a_bad_request_is_answered() {
    check(&[
        (
            r#"{"id":7,"op":"batch.operation"}"#,
            r#"{"error":{"kind":"unknown-operation","message":"no operation is called `batch.operation`; did you mean `batch.operations`?"},"id":7}"#,
        ),
        (r#"{"id":"a"}"#, r#"{"error":{"kind":"bad-request","message":"`op` is missing"},"id":"a"}"#),
        (r#"{"op":1}"#, r#"{"error":{"kind":"bad-request","message":"`op` must be a string"}}"#),
    ]);
    for line in ["[]", "{", "\u{0}", "nonsense", "{\"op\":\"batch.operations\"} {}", &"[".repeat(100_000)] {
        assert!(answer(line.as_bytes()).starts_with(r#"{"error":{"kind":"bad-request""#), "{line}");
    }
    assert!(answer(b"{\"op\":\"\xff\"}").contains("bad-request"));
}

#[test]
fn every_operation_is_documented() {
    let page = include_str!("../../../../docs/batch.md");
    for operation in operations() {
        assert!(
            page.contains(&format!("\n### `{}`\n", operation.name)),
            "docs/batch.md lacks {}",
            operation.name
        );
    }
    let sections = page.matches("\n### `").count();
    assert_eq!(sections, operations().count(), "docs/batch.md describes an operation that is not there");
}
