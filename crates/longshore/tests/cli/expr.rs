//! `longshore expr`.

use crate::context::TestContext;

#[test]
fn values_are_json() {
    let context = TestContext::new();
    context.write(
        "c.json",
        "\u{feff}{\"github\": {\"ref\": \"refs/heads/main\"}, \"own\": [1, {\"b\": 2, \"a\": 1}]}",
    );
    context.write("x.lock", "x").write("sub/y.lock", "y");
    for (arguments, value) in [
        (&["1 < 2"][..], "true\n"),
        (&["${{ github.ref }}", "--contexts", "c.json"], "\"refs/heads/main\"\n"),
        (&["github.ref", "--contexts", "c.json", "--raw"], "refs/heads/main\n"),
        (&["own[1]", "--contexts", "c.json"], "{\n  \"b\": 2,\n  \"a\": 1\n}\n"),
        (&["github.ref"], "null\n"),
        (&["NaN"], "\"NaN\"\n"),
        (&["-Infinity"], "\"-Infinity\"\n"),
        (&["hashFiles('none')"], "\"\"\n"),
    ] {
        let ended = context.run(&[&["expr"][..], arguments].concat());
        assert_eq!(
            (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
            (0, value, ""),
            "{arguments:?}"
        );
    }
    let piped = context.feed(&["expr", "matrix.os", "--contexts", "-"], b"{\"matrix\": {\"os\": \"linux\"}}");
    assert_eq!(piped.stdout, "\"linux\"\n");
    let here = context.run(&["expr", "hashFiles('**/*.lock')"]).stdout;
    assert_ne!(here, context.run(&["-C", "sub", "expr", "hashFiles('**/*.lock')"]).stdout);
}

#[test]
fn what_has_no_value_is_shown() {
    let context = TestContext::new();
    context.write("list.json", "[]").write("bad.json", "{\"a\": }");
    let mut shown = String::new();
    for arguments in [
        &["gihub.ref"][..],
        &["format('{0}"],
        &["  ${{ fromJSON('{') }}"],
        &["a", "--contexts", "list.json"],
        &["a", "--contexts", "bad.json"],
        &["a", "--contexts", "none.json"],
    ] {
        let ended = context.run(&[&["expr"][..], arguments].concat());
        shown += &format!("$ longshore expr {}\n{}\n", arguments.join(" "), ended.shown());
    }
    insta::assert_snapshot!(shown);
}
