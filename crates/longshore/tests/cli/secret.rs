//! `longshore secret`: an encrypted file of secrets, and runs that read it.

use std::os::unix::fs::PermissionsExt as _;

use crate::containers::{Containers, script_at_terminal};
use crate::context::{Ended, TestContext};
use crate::run::commit;

fn done(ended: Ended) -> String {
    assert_eq!(ended.code, 0, "{}", ended.shown());
    ended.stdout
}

#[test]
fn secrets_are_set_listed_and_removed() {
    let context = TestContext::with_state();
    assert_eq!(context.run(&["secret", "ls"]).code, 2, "there is no file");
    for (name, value) in
        [("TOKEN", "hunter2\n"), ("KEY", "first line\nsecond line\n"), ("TOKEN", "hunter3\n")]
    {
        let said = done(context.feed(&["secret", "set", name], value.as_bytes()));
        assert!(!said.contains("hunter"), "{said}");
    }
    assert_eq!(done(context.run(&["secret", "ls"])), "KEY\nTOKEN\n");
    let listed = done(context.run(&["secret", "list", "--format", "json"]));
    assert_eq!(listed.split_whitespace().collect::<String>(), r#"[{"name":"KEY"},{"name":"TOKEN"}]"#);
    let file = std::fs::read(context.project().join(".secrets.age")).unwrap();
    assert!(file.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
    let identity = context.project().join("../home/.config/longshore/identity.txt");
    assert_eq!(std::fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    for plain in ["hunter2", "hunter3", "second line", "TOKEN"] {
        assert!(!String::from_utf8_lossy(&file).contains(plain), "{plain}");
    }
    // The editor sees the plain text, and what it writes is kept.
    context.write("edit.sh", "grep -q hunter3 \"$1\" && echo ADDED=by-hand >> \"$1\"\n");
    let mut edit = context.command(&["secret", "edit"]);
    edit.env("EDITOR", "sh edit.sh").env("PATH", "/usr/bin:/bin");
    done(context.end(&mut edit));
    assert_eq!(done(context.run(&["secret", "ls"])), "ADDED\nKEY\nTOKEN\n");
    done(context.run(&["secret", "rm", "KEY", "ADDED"]));
    assert_eq!(done(context.run(&["secret", "ls"])), "TOKEN\n");

    let before = std::fs::read(context.project().join(".secrets.age")).unwrap();
    let huge = vec![b'x'; 1024 * 1024 + 1];
    for (arguments, input) in [
        (&["secret", "rm", "TOKEN", "NOBODY"][..], &b""[..]),
        (&["secret", "set", "1-bad name"], b"x"),
        (&["secret", "set", "BINARY"], b"\xff\xfe"),
        (&["secret", "set", "HUGE"], &huge),
    ] {
        let ended = context.feed(arguments, input);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!(std::fs::read(context.project().join(".secrets.age")).unwrap(), before, "nothing is changed");
    // Somebody else cannot open it.
    let mut other = context.command(&["secret", "ls"]);
    other.env("HOME", context.project().join("../nobody"));
    let ended = context.end(&mut other);
    assert!(ended.code != 0 && !ended.shown().contains("TOKEN"), "{}", ended.shown());
}

#[test]
fn a_passphrase_opens_the_file() {
    let context = TestContext::with_state();
    let with = |arguments: &[&str], passphrase: &str| {
        let input = context.project().join("../value");
        std::fs::write(&input, "hunter2").unwrap();
        let mut command = context.command(arguments);
        command.env("LONGSHORE_AGE_PASSPHRASE", passphrase).stdin(std::fs::File::open(input).unwrap());
        context.end(&mut command)
    };
    done(with(&["secret", "set", "TOKEN", "--passphrase"], "open sesame"));
    assert_eq!(done(with(&["secret", "ls"], "open sesame")), "TOKEN\n");
}

#[test]
fn runs_read_and_mask_them() {
    let Some(it) = Containers::with_networks() else { return };
    it.context.write(
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    env: { TOKEN: '${{ secrets.TOKEN }}', KEY: '${{ secrets.KEY }}' }\n    \
         steps:\n      - run: |\n          echo \"token $TOKEN of ${#TOKEN}\"; echo \"$KEY\"; echo \"key of ${#KEY}\"\n",
    );
    commit(&it);
    for (name, value) in
        [("TOKEN", "hunter2-very-secret\n"), ("KEY", "-----BEGIN-----\nsecondline\n-----END-----\n")]
    {
        let input = it.context.project().join("../value");
        std::fs::write(&input, value).unwrap();
        let mut command = it.any(&["secret", "set", name]);
        command.stdin(std::fs::File::open(input).unwrap());
        done(it.context.end(&mut command));
    }
    let shown = it.other(&["run", "-v"]);
    assert_eq!(shown.code, 0, "{}", shown.shown());
    assert!(shown.stdout.contains("token *** of 19"), "{}", shown.stdout);
    assert!(shown.stdout.contains("key of 40"), "{}", shown.stdout);
    for plain in ["hunter2", "secondline"] {
        assert!(!shown.shown().contains(plain), "{plain}: {}", shown.stdout);
        let found = std::process::Command::new("grep").args(["-rl", plain]).arg(it.home()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "nothing of it is on disk");
    }
    // Who cannot open the file runs without it, and is told.
    let mut other = it.any(&["run", "-v"]);
    other.env("HOME", it.context.project().join("../nobody"));
    let ended = it.context.end(&mut other);
    assert_eq!(ended.code, 0, "{}", ended.shown());
    assert!(ended.stdout.contains("token  of 0"), "{}", ended.stdout);
    assert!(ended.stderr.contains(".secrets.age"), "{}", ended.stderr);
}

#[test]
fn who_gives_up_typing_a_secret_gets_the_terminal_back() {
    let Some(it) = Containers::new() else { return };
    let script =
        |command: &str| format!("$LONGSHORE {command}; echo \"code $?\"; stty -a; $LONGSHORE secret ls");
    let line = script("login -u me localhost:9");
    let Some((_, shown)) = script_at_terminal(&it, &line, "Password: ", b"hunter\x03") else {
        eprintln!("skipped: there is no `script` that gives a terminal");
        return;
    };
    assert!(shown.contains("code 130") && shown.contains(" echo ") && shown.contains(" icanon "), "{shown}");
    assert!(!shown.contains("hunter"), "{shown}");
    let (_, shown) = script_at_terminal(&it, &script("secret set TOKEN"), "TOKEN: ", b"hunter\r").unwrap();
    assert!(shown.contains("code 0") && shown.contains(" echo ") && shown.ends_with("TOKEN\r\n"), "{shown}");
    assert!(!shown.contains("hunter"), "{shown}");
}
