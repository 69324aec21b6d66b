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
            r#"{"id":7,"error":{"kind":"unknown-operation","message":"no operation is called `batch.operation`; did you mean `batch.operations`?"}}"#,
        ),
        (r#"{"id":"a"}"#, r#"{"id":"a","error":{"kind":"bad-request","message":"`op` is missing"}}"#),
        (r#"{"op":1}"#, r#"{"error":{"kind":"bad-request","message":"`op` must be a string"}}"#),
    ]);
    for line in ["[]", "{", "\u{0}", "nonsense", "{\"op\":\"batch.operations\"} {}", &"[".repeat(100_000)] {
        assert!(answer(line.as_bytes()).starts_with(r#"{"error":{"kind":"bad-request""#), "{line}");
    }
    assert!(answer(b"{\"op\":\"\xff\"}").contains("bad-request"));
}

#[test]
fn expressions_have_values() {
    check(&[
        (r#"{"op":"expr.eval","expr":"1 < 2"}"#, r#"{"ok":true}"#),
        (
            r#"{"op":"expr.eval","expr":"${{ x.b }}","contexts":{"x":{"b":[1,2.5,"ü"]}},"id":null}"#,
            r#"{"id":null,"ok":[1,2.5,"ü"]}"#,
        ),
        (r#"{"op":"expr.eval","expr":"x","contexts":{"x":{"b":1,"a":2}}}"#, r#"{"ok":{"b":1,"a":2}}"#),
        (
            r#"{"op":"expr.eval","expr":"toJSON(x)","contexts":{"x":{"b":1,"a":2}}}"#,
            r#"{"ok":"{\n  \"b\": 1,\n  \"a\": 2\n}"}"#,
        ),
        (r#"{"op":"expr.eval","expr":"NaN"}"#, r#"{"ok":"NaN"}"#),
        (r#"{"op":"expr.eval","expr":"-Infinity"}"#, r#"{"ok":"-Infinity"}"#),
        (r#"{"op":"expr.eval","expr":"github.ref","contexts":null}"#, r#"{"ok":null}"#),
        (
            r#"{"op":"expr.eval","expr":"failure()","contexts":{"job":{"status":"failure"}}}"#,
            r#"{"ok":true}"#,
        ),
        (
            r#"{"op":"expr.interpolate","text":"a ${{ x }}, ${{ 'b' }}","contexts":{"x":1.5}}"#,
            r#"{"ok":"a 1.5, b"}"#,
        ),
        (r#"{"op":"expr.interpolate","text":"${{ null }}"}"#, r#"{"ok":""}"#),
        (r#"{"op":"expr.interpolate","text":"${{ NaN }}"}"#, r#"{"ok":"NaN"}"#),
    ]);
}

#[test]
fn expressions_without_value_say_where() {
    check(&[
        (
            r#"{"op":"expr.eval","expr":" ${{ foo.bar }}"}"#,
            r#"{"error":{"kind":"parse","message":"Unrecognized named-value: 'foo'. Located at position 2 within expression:  foo.bar ","code":"expr/unknown-context","start":5,"end":8}}"#,
        ),
        (
            r#"{"op":"expr.eval","expr":"format('{1}')"}"#,
            r#"{"error":{"kind":"evaluation","message":"The following format string references more arguments than were supplied: {1}","code":"expr/format","start":0,"end":13}}"#,
        ),
        (
            r#"{"op":"expr.interpolate","text":"a ${{ 'b }}"}"#,
            r#"{"error":{"kind":"parse","message":"The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found.","code":"expr/not-closed","start":2,"end":11}}"#,
        ),
        (
            r#"{"op":"expr.eval","contexts":{}}"#,
            r#"{"error":{"kind":"bad-request","message":"`expr` is missing"}}"#,
        ),
        (
            r#"{"op":"expr.eval","expr":"1","contexts":[]}"#,
            r#"{"error":{"kind":"bad-request","message":"`contexts` must be an object"}}"#,
        ),
    ]);
}

#[test]
fn workflows_have_stages() {
    let text = "on:\n  push:\n    branches: [main]\n  pull_request:\njobs:\n  c: {needs: [a, b], runs-on: x, steps: [{run: x}]}\n  a: {runs-on: x, steps: [{run: x}]}\n  b: {needs: a, if: false, runs-on: x, steps: [{run: x}]}\n  d: {runs-on: x, steps: [{run: x}]}\n";
    let stages = r#"{"ok":[["a","d"],["b"],["c"]]}"#;
    for (rest, expected) in [
        ("{}", stages),
        (r#"{"event": "push"}"#, stages),
        (r#"{"event": "issues"}"#, r#"{"ok":[]}"#),
        (r#"{"event": "push", "payload": {"ref": "refs/heads/main"}}"#, stages),
        (r#"{"event": "push", "payload": {"ref": "refs/heads/other"}}"#, r#"{"ok":[]}"#),
        (r#"{"payload": {"number": 1, "action": "opened", "pull_request": {"base": {"ref": "x"}}}}"#, stages),
        (r#"{"payload": 1}"#, r#"{"error":{"kind":"bad-request","message":"`payload` must be an object"}}"#),
    ] {
        let mut request: serde_json::Value = serde_json::from_str(rest).unwrap();
        request["op"] = "workflow.plan".into();
        request["text"] = text.into();
        assert_eq!(answer(request.to_string().as_bytes()), expected, "for {rest}");
    }
    check(&[(
        r#"{"op":"workflow.plan","name":"a.yml","text":"on: pusch\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n"}"#,
        r#"{"error":{"kind":"invalid-workflow","message":"a.yml:1:5: there is no event `pusch`","messages":["a.yml:1:5: there is no event `pusch`"]}}"#,
    )]);
}

#[test]
fn images_have_names_and_documents() {
    check(&[
        (
            r#"{"op":"reference.parse","text":"alpine:3.20"}"#,
            r#"{"ok":{"domain":"docker.io","path":"library/alpine","tag":"3.20","digest":null,"name":"docker.io/library/alpine","familiar_name":"alpine","canonical":"docker.io/library/alpine:3.20","familiar":"alpine:3.20"}}"#,
        ),
        (
            r#"{"op":"reference.parse","text":"Alpine"}"#,
            r#"{"error":{"kind":"invalid-reference","message":"invalid reference format: repository name (library/Alpine) must be lowercase"}}"#,
        ),
        (
            r#"{"op":"oci.validate","media_type":"application/vnd.oci.layout.header.v1+json","text":"{\"imageLayoutVersion\":\"1.0.0\"}"}"#,
            r#"{"ok":{"valid":true,"problems":[]}}"#,
        ),
        (
            r#"{"op":"oci.validate","media_type":"application/vnd.oci.layout.header.v1+json","text":"{\"imageLayoutVersion\":1}"}"#,
            r#"{"ok":{"valid":false,"problems":[{"path":"/imageLayoutVersion","message":"must be a string, but is a number"}]}}"#,
        ),
        (
            r#"{"op":"oci.validate","media_type":"text/plain","text":""}"#,
            r#"{"error":{"kind":"unsupported-media-type","message":"there are no rules for `text/plain`; manifests, indexes, configurations, descriptors and layouts can be validated"}}"#,
        ),
        (
            r#"{"op":"oci.chain_ids","diff_ids":["sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"]}"#,
            r#"{"ok":["sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"]}"#,
        ),
        (
            r#"{"op":"oci.chain_ids","diff_ids":["sha256:1"]}"#,
            r#"{"error":{"kind":"invalid-digest","message":"cannot read `sha256:1`: invalid checksum digest length"}}"#,
        ),
    ]);
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
