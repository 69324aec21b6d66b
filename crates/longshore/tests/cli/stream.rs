//! Standard input and output at their limits.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use crate::context::TestContext;

#[test]
fn a_closed_pipe_is_no_error() {
    let context = TestContext::new();
    // Bad enough to write more than a pipe holds.
    let keys: Vec<String> = (0..400).map(|number| format!("key-{number}: {}\n", "x".repeat(100))).collect();
    context.write("bad.yml", format!("on: push\n{}", keys.concat()));
    let mut child = context
        .command(&["check", "bad.yml", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "the code that it would have had");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() == 1 && !said.contains("pipe"), "{said}");
}

#[test]
fn a_full_disk_is_said() {
    let context = TestContext::new();
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let mut command = context.command(&["explain"]);
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: failed to write to standard output\n  cause: No space left"), "{said}");
}

#[test]
fn batch_answers_each_line_at_once() {
    let context = TestContext::new();
    let mut child =
        context.command(&["debug", "batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut requests = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for (request, answer) in [
        (
            &b"{\"id\":1,\"op\":\"expr.eval\",\"expr\":\"1+1\"}\n"[..],
            "{\"id\":1,\"error\":{\"kind\":\"parse\",",
        ),
        (b"\xff\xfe\n", "{\"error\":{\"kind\":\"bad-request\","),
        (b"\n\r\n{\"id\":2,\"op\":\"expr.eval\",\"expr\":\"'a'\"}\r\n", "{\"id\":2,\"ok\":\"a\"}"),
    ] {
        requests.write_all(request).unwrap();
        // The next request is written only after this answer: nothing is held back.
        let found = answers.next().unwrap().unwrap();
        assert!(found.starts_with(answer), "{found}");
    }
    drop(requests);
    assert!(answers.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
