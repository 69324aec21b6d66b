//! `longshore image …`, `login` and `logout`.

use std::path::Path;
use std::process::Command;

use crate::context::{Ended, TestContext};

/// A root file system with one file.
fn rootfs(context: &TestContext, name: &str, text: &str) {
    context.write(&format!("{name}/etc/motd"), text);
}

/// The root file system `name` as the image `image`.
fn import(context: &TestContext, name: &str, image: &str) -> String {
    rootfs(context, name, name);
    let ended =
        context.run(&["image", "import", "--created", "1700000000", "-c", "CMD [\"/bin/sh\"]", name, image]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.shown());
    ended.stdout.trim_end().to_owned()
}

fn ok(context: &TestContext, arguments: &[&str]) -> String {
    let ended = context.run(arguments);
    assert_eq!(ended.code, 0, "{arguments:?}\n{}", ended.shown());
    ended.stdout
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn an_image_lives_from_import_to_removal() {
    let context = TestContext::with_state();
    let id = import(&context, "rootfs", "app:1");
    assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
    assert_eq!(ok(&context, &["image", "ls", "-q"]), format!("{}\n", &id[7..19]));
    assert_eq!(ok(&context, &["image", "ls", "-q", "--no-trunc"]), format!("{id}\n"));
    assert_eq!(ok(&context, &["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]), "app:1\n");
    let table = ok(&context, &["image", "ls"]);
    assert!(
        table.starts_with("REPOSITORY   TAG       IMAGE ID       CREATED       SIZE\napp          1"),
        "{table}"
    );
    ok(&context, &["image", "tag", "app:1", "registry.example.org/app:2"]);
    assert_eq!(ok(&context, &["image", "ls", "-q"]), format!("{}\n", &id[7..19]));
    assert_eq!(ok(&context, &["image", "ls", "--format", "{{.Tag}}", "registry.example.org/app"]), "2\n");
    assert_eq!(context.run(&["image", "rm", &id]).code, 2, "two repositories");
    assert_eq!(ok(&context, &["image", "rm", "app:1"]), "Untagged: app:1\n");
    let removed = ok(&context, &["image", "rm", "registry.example.org/app:2"]);
    assert!(
        removed.starts_with(&format!("Untagged: registry.example.org/app:2\nDeleted: {id}\n")),
        "{removed}"
    );
    assert_eq!(ok(&context, &["image", "ls", "-q"]), "");
    let gone = context.run(&["image", "rm", "app:1"]);
    assert_eq!(gone.code, 2);
    assert!(gone.stderr.starts_with("error: no such image: app:1\n"), "{}", gone.stderr);
    assert_eq!(context.run(&["image", "rm", "-f", "app:1"]).code, 0);
    let host = context.run(&["image", "inspect", "host"]);
    assert!(host.stderr.contains("help: `host` is this machine itself"), "{}", host.stderr);
}

#[test]
fn the_same_import_is_the_same_image() {
    let [one, other] = [TestContext::with_state(), TestContext::with_state()];
    assert_eq!(import(&one, "rootfs", "a:1"), import(&other, "rootfs", "b:2"));
    let mut command = one.command(&["image", "import", "rootfs", "c"]);
    let first = one.end(command.env("SOURCE_DATE_EPOCH", "1600000000")).stdout;
    assert_eq!(one.end(command.env("SOURCE_DATE_EPOCH", "1600000000")).stdout, first);
    assert_eq!(ok(&one, &["image", "inspect", "-f", "{{.Created}}", "c"]), "2020-09-13T12:26:40Z\n");
}

#[test]
fn an_import_takes_instructions() {
    let context = TestContext::with_state();
    rootfs(&context, "rootfs", "x");
    let changes =
        ["ENV A=1 B='2 3'", "ENTRYPOINT [\"/x\"]", "EXPOSE 80", "LABEL tier=web", "WORKDIR /srv", "USER 7"];
    let mut arguments = vec!["image", "import", "--created", "1700000000", "-m", "made"];
    for change in &changes {
        arguments.extend(["-c", change]);
    }
    arguments.extend(["rootfs", "app"]);
    ok(&context, &arguments);
    let format = "{{json .Config}} {{.Comment}} {{.Os}} {{len .RootFS.Layers}}";
    let expected = concat!(
        r#"{"Entrypoint":["/x"],"Env":["A=1","B=2 3"],"ExposedPorts":{"80/tcp":{}},"Labels":{"tier":"web"},"#,
        r#""User":"7","WorkingDir":"/srv"} made linux 1"#,
    );
    let shown = ok(&context, &["image", "inspect", "-f", format, "app"]);
    let sorted = |text: &str| {
        let mut parts: Vec<char> = text.trim().chars().collect();
        parts.sort_unstable();
        parts
    };
    assert_eq!(sorted(&shown), sorted(expected), "{shown}");
    assert_eq!(ok(&context, &["image", "ls", "-q", "--filter", "label=tier=db"]), "");
    assert_ne!(ok(&context, &["image", "ls", "-q", "--filter", "label=tier"]), "");
    let wrong = context.run(&["image", "import", "-c", "RUN x", "rootfs", "y"]);
    assert_eq!(wrong.code, 2, "{}", wrong.shown());
    let reserved = context.run(&["image", "import", "rootfs", "host"]);
    assert_eq!(reserved.code, 2, "{}", reserved.shown());
}

#[test]
fn what_is_saved_is_loaded_with_its_digests() {
    for form in ["docker", "docker-archive", "oci-archive", "oci-dir"] {
        let context = TestContext::with_state();
        let id = import(&context, "rootfs", "app:1");
        let digests = ok(&context, &["image", "inspect", "-f", "{{.RepoDigests}}", "app:1"]);
        ok(&context, &["image", "save", "--format", form, "-o", "saved", "app:1"]);
        ok(&context, &["image", "rm", "app:1"]);
        assert_eq!(ok(&context, &["image", "load", "-q", "-i", "saved"]), "Loaded image: app:1\n", "{form}");
        assert_eq!(ok(&context, &["image", "inspect", "-f", "{{.Id}}", "app:1"]), format!("{id}\n"));
        if form != "docker-archive" {
            assert_eq!(
                ok(&context, &["image", "inspect", "-f", "{{.RepoDigests}}", "app:1"]),
                digests,
                "{form}"
            );
        }
    }
}

#[test]
fn standard_streams_carry_archives() {
    let context = TestContext::with_state();
    import(&context, "rootfs", "app:1");
    let saved = context.command(&["image", "save", "app:1"]).output().unwrap();
    assert!(saved.status.success() && saved.stderr.is_empty());
    let other = TestContext::with_state();
    assert_eq!(other.feed(&["image", "load", "-q"], &saved.stdout).stdout, "Loaded image: app:1\n");
    let half = other.feed(&["image", "load", "-q"], &saved.stdout[..saved.stdout.len() / 2]);
    assert_eq!(half.code, 2, "{}", half.shown());
    let nothing = other.feed(&["image", "load"], b"not an archive");
    assert_eq!(nothing.code, 2, "{}", nothing.shown());
}

#[test]
fn sizes_are_those_of_files() {
    let context = TestContext::with_state();
    context.write("big/zeros", vec![0; 3_000_000]);
    ok(&context, &["image", "import", "big", "big"]);
    assert_eq!(ok(&context, &["image", "ls", "--format", "{{.Size}}"]), "3MB\n", "however it is compressed");
    let size: u64 = ok(&context, &["image", "inspect", "-f", "{{.Size}}", "big"]).trim().parse().unwrap();
    assert_eq!(size, 3_000_000, "of the files, without what the archive has around them");
    assert_eq!(ok(&context, &["image", "history", "--format", "{{.Size}}", "big"]), "3MB\n");
}

#[test]
fn an_image_in_use_names_its_container() {
    let context = TestContext::with_state();
    import(&context, "rootfs", "app:1");
    let made = ok(&context, &["container", "create", "--network", "none", "app:1", "x"]);
    let kept = context.run(&["image", "rm", "app:1"]);
    assert_eq!(kept.code, 2, "{}", kept.shown());
    assert!(kept.stderr.contains(&format!("container {} is using", &made[..12])), "{}", kept.stderr);
    assert_eq!(ok(&context, &["image", "rm", "-f", "app:1"]), "Untagged: app:1\n");
    ok(&context, &["container", "rm", made.trim()]);
}

#[test]
fn what_lost_its_name_is_pruned() {
    let context = TestContext::with_state();
    let old = import(&context, "one", "app:1");
    let new = import(&context, "two", "app:1");
    let dangling = ["image", "ls", "--no-trunc", "-q", "--filter", "dangling=true"];
    assert_eq!(ok(&context, &dangling), format!("{old}\n"));
    let names = ["image", "ls", "-f", "dangling=true", "--format", "{{.Repository}}:{{.Tag}}"];
    assert_eq!(ok(&context, &names), "<none>:<none>\n", "it was not pulled, so nothing tells its repository");
    let asked = context.feed(&["image", "prune"], b"n\n");
    assert_eq!((asked.code, asked.stdout.as_str()), (0, ""), "{}", asked.shown());
    let pruned = ok(&context, &["image", "prune", "-f"]);
    assert!(pruned.starts_with(&format!("Deleted Images:\ndeleted: {old}\n")), "{pruned}");
    assert!(pruned.contains("\n\nTotal reclaimed space: "), "{pruned}");
    assert_eq!(ok(&context, &["image", "ls", "--no-trunc", "-q"]), format!("{new}\n"));
    assert!(ok(&context, &["image", "prune", "-a", "-f"]).contains("untagged: app:1\n"));
    assert_eq!(ok(&context, &["image", "prune", "-f"]), "Total reclaimed space: 0B\n");
}

#[test]
fn inspection_and_history() {
    let context = TestContext::with_state();
    let id = import(&context, "rootfs", "app:1");
    let all = ok(&context, &["image", "inspect", "app:1", &id[7..12]]);
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["RepoTags"], serde_json::json!(["app:1"]));
    assert_eq!(all[0]["Created"], "2023-11-14T22:13:20Z");
    assert_eq!(all[0], all[1]);
    let part = context.run(&["image", "inspect", "-f", "{{.Id}}", "app:1", "nothing"]);
    assert_eq!((part.code, part.stdout), (2, format!("{id}\n")));
    let history = ok(&context, &["image", "history", "--format", "{{.ID}}|{{.Comment}}", "app:1"]);
    assert_eq!(history, format!("{}|Imported from rootfs\n", &id[7..19]));
    assert!(ok(&context, &["image", "history", "app:1"]).starts_with("IMAGE          CREATED"));
    let made = ok(&context, &["image", "history", "--format", "{{.CreatedAt}}", "app:1"]);
    assert_eq!(made, "2023-11-14T22:13:20Z\n");
    let ambiguous = context.run(&["image", "tag", "app:1", &id]);
    assert_eq!(ambiguous.code, 2, "{}", ambiguous.shown());
    assert!(ambiguous.stderr.contains("refusing to create an ambiguous tag"), "{}", ambiguous.stderr);
    ok(&context, &["image", "tag", "app:1", "app:2"]);
    assert_eq!(ok(&context, &["image", "rm", "--no-prune", "app:2"]), "Untagged: app:2\n");
    assert_eq!(context.run(&["image", "ls", "--format", "{{.Nothing}}"]).code, 2);
    assert_eq!(context.run(&["image", "ls", "--filter", "size=1"]).code, 2);
}

#[test]
fn offline_asks_nobody() {
    let context = TestContext::with_state();
    let pulled = context.run(&["--offline", "image", "pull", "-q", "registry.example.org/app:1"]);
    assert_eq!(pulled.code, 4, "{}", pulled.shown());
    assert!(pulled.stderr.contains("offline"), "{}", pulled.stderr);
    import(&context, "rootfs", "app:1");
    assert_eq!(
        ok(&context, &["--offline", "image", "pull", "--policy", "missing", "-q", "app:1"]),
        "docker.io/library/app:1\n"
    );
    let never = context.run(&["image", "pull", "--policy", "never", "other"]);
    assert_eq!(never.code, 2, "{}", never.shown());
    let login = context.run(&["login", "registry.example.org", "-u", "me"]);
    assert_eq!(login.code, 2, "{}", login.shown());
    assert_eq!(ok(&context, &["logout", "registry.example.org"]), "Not logged in to registry.example.org\n");
}

#[test]
fn registries_are_settings() {
    let context = TestContext::with_state();
    context.write(
        "longshore.toml",
        "[store]\nbudget = \"20g\"\n[registries.\"ghcr.io\"]\nmirrors = [\"http://localhost:1\"]\ninsecure = true\n",
    );
    let shown = ok(&context, &["debug", "settings"]);
    for line in [
        "store.budget",
        "registries.\"ghcr.io\".mirrors   http://localhost:1",
        "registries.\"ghcr.io\".insecure",
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(shown.lines().any(|shown| words.iter().all(|word| shown.contains(word))), "{line}:\n{shown}");
    }
    context.write("longshore.toml", "[registries.\"ghcr.io\"]\nmirror = []\n");
    assert_eq!(context.run(&["debug", "settings"]).code, 3);
}

/// Runs a program of the machine.
fn foreign(program: &str, arguments: &[&str], directory: &Path) -> Ended {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn skopeo_reads_what_is_saved() {
    if !has("skopeo") {
        eprintln!("skipped: there is no skopeo");
        return;
    }
    let context = TestContext::with_state();
    let id = import(&context, "rootfs", "app:1");
    for (form, scheme) in
        [("docker", "docker-archive"), ("docker-archive", "docker-archive"), ("oci-archive", "oci-archive")]
    {
        let path = format!("{form}.tar");
        ok(&context, &["image", "save", "--format", form, "-o", &path, "app:1"]);
        let config = foreign(
            "skopeo",
            &["inspect", "--raw", "--config", &format!("{scheme}:{path}")],
            &context.project(),
        );
        assert_eq!(config.code, 0, "{form}: {}", config.stderr);
        let digest = longshore_digest(config.stdout.as_bytes());
        assert_eq!(digest, id, "{form}");
    }
}

/// The digest of a text, by the program that every machine has.
fn longshore_digest(bytes: &[u8]) -> String {
    use std::io::Write as _;
    let mut child = Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    format!("sha256:{}", String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap())
}
