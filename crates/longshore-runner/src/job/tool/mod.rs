//! Programs that workflows expect of a runner's machine, for images that lack them.
//!
//! Their directory is the last one in `PATH`, so what an image has itself comes first. Jobs with a `container:` get none:
//! on GitHub, too, they have what their image has.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::environment::set;
use crate::step::DEFAULT_PATH;

/// Where they are inside.
const PLACE: &str = "/run/longshore/bin";

/// Their names and texts.
const TOOLS: [(&str, &str); 1] = [("sudo", include_str!("sudo"))];

/// Writes them into a job's directory: where they are on this machine, and where they are to be mounted.
pub(super) fn write(root: &Path) -> io::Result<(PathBuf, &'static str)> {
    let directory = root.join("bin");
    fs::create_dir_all(&directory)?;
    for (name, text) in TOOLS {
        let path = directory.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok((directory, PLACE))
}

/// Puts their directory behind all others of `PATH`.
pub(super) fn add_to_path(env: &mut Vec<(String, String)>) {
    let path = crate::environment::get(env, "PATH").unwrap_or(DEFAULT_PATH);
    let path = format!("{path}:{PLACE}");
    set(env, "PATH", path);
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{TOOLS, add_to_path, write};

    fn sudo(line: &[&str]) -> (i32, String) {
        let root = tempfile::tempdir().unwrap();
        let (directory, _) = write(root.path()).unwrap();
        let output = Command::new("sh")
            .arg(directory.join("sudo"))
            .args(line)
            .env("KEPT", "yes")
            .env("HOME", "/")
            .env("SHELL", "/bin/sh")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&text).trim_end().to_owned())
    }

    #[test]
    fn commands_run_with_the_options_of_sudo() {
        let show = r#"printf '%s|' "$KEPT" "$MADE" "$@""#;
        for (options, expected) in [
            (&[][..], "yes||a b|-E|"),
            (&["-E"], "yes||a b|-E|"),
            (&["-nEH", "MADE=1 2"], "yes|1 2|a b|-E|"),
            (&["-u", "root", "--preserve-env=KEPT", "--"], "yes||a b|-E|"),
            (&["-uroot", "--user=root", "-n", "KEPT=no"], "no||a b|-E|"),
            (&["-g", "staff", "-p", "x"], "yes||a b|-E|"),
        ] {
            let line = [options, &["sh", "-c", show, "sh", "a b", "-E"]].concat();
            assert_eq!(sudo(&line), (0, expected.to_owned()), "{options:?}");
        }
        assert_eq!(sudo(&["-D", "/usr", "pwd"]).1, "/usr");
        assert_eq!(sudo(&["-i", "pwd"]).1, "/");
        assert_eq!(sudo(&["sh", "-c", "exit 7"]).0, 7);
        assert_eq!(sudo(&["-v"]), (0, String::new()));
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        for (line, expected) in [
            (&["--nonsense", "true"][..], "unknown option --nonsense"),
            (&["-Z", "true"], "unknown option -Z"),
            (&["-u"], "needs a user"),
            (&[], "usage: sudo"),
            (&["no-such-command"], "not found"),
        ] {
            let (code, text) = sudo(line);
            assert!(code != 0 && text.contains(expected), "{line:?}: {code} {text}");
        }
    }

    #[test]
    fn other_users_get_their_arguments_as_they_are() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root becomes another user");
            return;
        }
        for user in [&["-u", "nobody"][..], &["-u", "#65534"], &["--user=nobody", "-n"]] {
            let line = [user, &["sh", "-c", r#"id -u; printf '%s|' "$@""#, "sh", "a b", "-c", "$x"]].concat();
            assert_eq!(sudo(&line), (0, "65534\na b|-c|$x|".to_owned()), "{user:?}");
        }
    }

    #[test]
    fn what_an_image_has_comes_first() {
        let mut env = vec![("PATH".to_owned(), "/bin".to_owned())];
        add_to_path(&mut env);
        assert_eq!(env, [("PATH".to_owned(), "/bin:/run/longshore/bin".to_owned())]);
        assert!(TOOLS.iter().all(|(_, text)| text.starts_with("#!/bin/sh\n")));
    }
}
