//! `longshore explain`.

use crate::context::TestContext;

#[test]
fn codes_and_texts_have_pages() {
    let context = TestContext::new();
    for (subject, heading) in [
        (&["config/unknown-key"][..], "# config/unknown-key\n"),
        (&["[config/syntax]"], "# config/syntax\n"),
        // The texts of requirements DIA-02, DIA-10 and DIA-15.
        (&["ruff: command not found"], "# error/command-not-found\n"),
        (&["unknown flag: --mount"], "# error/buildkit-mount\n"),
        (&["permission denied"], "# error/permission-denied\n"),
        (&["no space left on device"], "# error/no-space-left\n"),
        (&["exec", "format", "error"], "# error/exec-format\n"),
        (&["dial tcp 127.0.0.1:5432: connect: connection refused"], "# error/connection-refused\n"),
        (&["API rate limit exceeded for user"], "# error/rate-limit\n"),
        (&["Artifact storage quota has been hit"], "# error/storage-quota\n"),
        (&["Error: Cannot find module 'left-pad'"], "# error/module-not-found\n"),
        (&["read ECONNRESET"], "# error/connection-reset\n"),
        // What the engine and registries say.
        (&["the container name \"/a\" is already in use by container \"0f\""], "# error/name-in-use\n"),
        (&["port 80/tcp of 0.0.0.0 is already in use"], "# error/port-in-use\n"),
        (&["no such image: x"], "# error/no-such-image\n"),
        (&["it answered 404 Not Found (MANIFEST_UNKNOWN: manifest unknown)"], "# error/manifest-unknown\n"),
        (&["it answered 401 Unauthorized (UNAUTHORIZED: authentication required)"], "# error/unauthorized\n"),
        (&["failed to make a user namespace"], "# error/user-namespace\n"),
        (&["Exited (137) 2 minutes ago"], "# error/out-of-memory\n"),
        (&["bind source path does not exist: /x"], "# error/bind-mount\n"),
        (&["The job has exceeded the maximum execution time of 360 minutes"], "# error/time-out\n"),
    ] {
        let ended = context.run(&[&["explain"][..], subject].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{subject:?}");
        assert!(ended.stdout.starts_with(heading), "{subject:?}: {}", ended.stdout);
    }
}

#[test]
fn pages_come_as_json_too() {
    let context = TestContext::new();
    let pages = |arguments: &[&str]| -> serde_json::Value {
        let ended = context.run(&[&["explain", "--format", "json"][..], arguments].concat());
        serde_json::from_str(&ended.stdout).unwrap()
    };
    assert_eq!(pages(&["config/syntax"])[0]["severity"], "error");
    let both = pages(&["permission denied, then connection refused"]);
    assert_eq!(
        (&both[0]["code"], &both[1]["code"]),
        (&"error/connection-refused".into(), &"error/permission-denied".into())
    );
    let listed = context.run(&["explain"]).stdout;
    assert_eq!(pages(&[]).as_array().unwrap().len(), listed.lines().count());
}

#[test]
fn what_has_no_page_has_a_hint() {
    let context = TestContext::new();
    let mut shown = String::new();
    for subject in ["config/unknwon-key", "nothing/of-this-name", "everything is fine"] {
        shown += &context.run(&["explain", subject]).shown();
    }
    insta::assert_snapshot!(shown);
}
