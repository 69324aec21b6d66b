//! `longshore image bootstrap`: what is refused, by whom it can be mended, and that nothing is left of it.
//!
//! Whole images are made of small archives in the tests of `longshore-bootstrap`, and of real ones by hand.

use crate::context::TestContext;

/// What a failed attempt says, and the code it ends with. Packages are not configured, so that it is the same for every
/// user.
fn refused(context: &TestContext, arguments: &[&str]) -> (i32, String) {
    let fixed = ["image", "bootstrap", "-q", "--no-configure"];
    let ended = context.run(&[&fixed[..], arguments].concat());
    assert_eq!(ended.stdout, "", "{arguments:?}");
    (ended.code, ended.stderr)
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_done() {
    let context = TestContext::with_state();
    for (arguments, text) in [
        (&["-t", "a", "alpine:3.20"][..], "help: write `debian:bookworm`"),
        (&["-t", "a", "debian:bookworm-slim"], "the suite is called `bookworm`"),
        (&["-t", "host", "debian:12"], "the name `host`"),
        (&["-t", "A", "debian:12"], "is no name of an image"),
        (&["-t", "a", "--variant", "fat", "debian:12"], "`minbase`, `buildd` and `-`"),
        (&["-t", "a", "--platform", "linux/vax", "debian:12"], "linux/vax"),
        (&["debian:12"], "--tag"),
    ] {
        let (code, stderr) = refused(&context, arguments);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stderr.contains(text), "{arguments:?}: {stderr}");
    }
    assert_eq!(context.run(&["image", "ls", "-q"]).stdout, "");
}

#[test]
fn an_archive_that_cannot_be_used_says_what_to_do() {
    let context = TestContext::with_state();
    let mirror = format!("file://{}", context.project().join("archive").display());
    let attempt = |more: &[&str]| {
        let fixed = ["-t", "a", "--mirror", mirror.as_str(), "debian:bookworm"];
        refused(&context, &[&fixed[..], more].concat())
    };
    let (code, stderr) = attempt(&[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("does not exist") && stderr.contains("--mirror URL"), "{stderr}");

    context.write("archive/dists/bookworm/InRelease", "Origin: Debian\nCodename: bookworm\n");
    let (code, stderr) = attempt(&[]);
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains("signature") && stderr.contains("--keyring FILE"), "{stderr}");

    let (code, stderr) = attempt(&["--keyring", "absent"]);
    assert_eq!(code, 4, "{stderr}");
    context.write("keys", "no keys");
    let (code, stderr) = attempt(&["--keyring", "keys"]);
    assert_eq!(code, 2, "{stderr}");

    let (code, stderr) = refused(&context, &["--offline", "-t", "a", "debian:bookworm"]);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("help: run it once without `--offline`"), "{stderr}");
    let state = context.project().with_file_name("state");
    assert_eq!(std::fs::read_dir(state.join("tmp")).unwrap().count(), 0, "a root was left");
}
