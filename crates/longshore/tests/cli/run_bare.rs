//! `longshore run` in images that hold a busybox and nothing else: no glibc, no bash, no Node.

use std::process::Command;

use crate::containers::Containers;
use crate::run::{commit, log, run};

/// Makes an image with a static busybox; no, with a note, where this machine has none.
pub(crate) fn import_busybox(it: &Containers, name: &str) -> bool {
    let Some(busybox) = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| is_static(path)) else {
        eprintln!("skipped: there is no static busybox on this machine");
        return false;
    };
    let image = tempfile::tempdir().unwrap();
    std::fs::create_dir(image.path().join("bin")).unwrap();
    std::fs::copy(busybox, image.path().join("bin/busybox")).unwrap();
    for name in
        ["sh", "cat", "echo", "ls", "touch", "mkdir", "env", "nc", "sleep", "httpd", "wget", "grep", "tr"]
    {
        std::os::unix::fs::symlink("busybox", image.path().join("bin").join(name)).unwrap();
    }
    // The program of an ordinary user reads it, too.
    let archive = it.context.project().join("image.tar");
    let tar = Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(image.path()).arg("bin").status();
    assert!(tar.unwrap().success());
    it.other_done(&["image", "import", &archive.display().to_string(), name]);
    std::fs::remove_file(archive).unwrap();
    true
}

fn is_static(path: &str) -> bool {
    // Programs that want a loader name it near their beginning.
    let wants_loader = |bytes: &[u8]| bytes.windows(4).take(4096).any(|window| window == b"/ld-");
    std::fs::read(path).is_ok_and(|bytes| !wants_loader(&bytes))
}

fn both() -> impl Iterator<Item = Containers> {
    let ordinary = Containers::of_an_ordinary_user().and_then(Containers::networked);
    [Containers::with_networks(), ordinary].into_iter().flatten()
}

#[test]
fn services_are_found_at_localhost_without_any_library() {
    let workflow = r#"
on: push
jobs:
  a:
    runs-on: tiny
    defaults: { run: { shell: sh } }
    services:
      web:
        image: tools:1
        ports: ["8080:80", "90"]
        options: --entrypoint /bin/sh --health-cmd "wget -q -O - http://localhost/" --health-interval 1s
        command: -c "mkdir -p /w; echo hello > /w/index.html; httpd -f -p 80 -h /w"
    steps:
      - run: |
          echo "localhost: $(wget -q -O - http://localhost:8080/)"
          echo "name: $(wget -q -O - http://web/)"
          wget -q -O - http://localhost:${{ job.services.web.ports['90'] }}/ || echo nobody listens there
          grep -l __forward /proc/[0-9]*/cmdline 2>/dev/null || echo nothing of it is seen
  b:
    runs-on: tiny
    env: { MADE: '${{ github.workspace }}/made' }
    container:
      image: tools:1
      options: -it --init=true --privileged=false --name shop
      volumes: [ '${{ github.workspace }}/made:/there' ]
    services: { web: { image: 'tools:1', options: -t --network-alias site, command: sleep 1000 } }
    steps:
      - run: test -t 1 || echo "options $(nslookup shop | grep -c Name) $(nslookup site | grep -c Name)"
      - run: echo volume > /there/a; cat "$MADE/a"
"#;
    for it in both() {
        if !import_busybox(&it, "tools:1") {
            return;
        }
        it.context.write("longshore.toml", "[runners.images]\ntiny = \"tools:1\"\n");
        let (ended, events) = run(&it, workflow, &["--offline"]);
        let log = log(&events);
        assert_eq!(ended.code, 0, "{log}{}", ended.stderr);
        for line in [
            "localhost: hello",
            "name: hello",
            "nobody listens there",
            "nothing of it is seen",
            "options 1 1",
            "volume",
        ] {
            assert!(log.lines().any(|told| told == line), "{line}: {log}");
        }
        assert_eq!(it.done(&["ps", "-aq"]), "", "nothing is left of the job");
    }
}

#[test]
fn jobs_trust_the_certificates_that_the_machine_is_told_to_trust() {
    let workflow = r#"
on: push
jobs:
  a:
    runs-on: tiny
    env: { PIP_CERT: /own }
    defaults: { run: { shell: sh } }
    steps:
      - run: |
          echo "node:$NODE_EXTRA_CA_CERTS pip:$PIP_CERT"; cat "$SSL_CERT_FILE"
          echo x >> "$SSL_CERT_FILE" || echo not to be changed
      - uses: docker://tools:1
        with: { args: /bin/sh -c 'echo "action:$CARGO_HTTP_CAINFO"; cat $SSL_CERT_FILE' }
"#;
    for it in both() {
        if !import_busybox(&it, "tools:1") {
            return;
        }
        it.context.write("longshore.toml", "[runners.images]\ntiny = \"tools:1\"\n");
        it.context.write(".github/workflows/ci.yml", workflow);
        it.context.write("../trusted.pem", "-----BEGIN TRUST-----\n");
        commit(&it);
        let file = it.context.project().join("../trusted.pem").display().to_string();
        let told = |ended: &crate::context::Ended| {
            let events: Vec<_> =
                ended.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
            log(&events)
        };
        let run = ["run", "--offline", "--format", "json"];
        let ended = it.other_with("SSL_CERT_FILE", &file, &run);
        let log = told(&ended);
        assert_eq!(ended.code, 0, "{log}{}", ended.stderr);
        assert_eq!(log.matches("\n-----BEGIN TRUST-----\n").count(), 2, "{log}");
        let place = "/run/longshore/certificates.pem";
        for line in [&*format!("node:{place} pip:/own"), "not to be changed", &format!("action:{place}")] {
            assert!(log.lines().any(|told| told == line), "{line}: {log}");
        }
        let log = told(&it.other(&run));
        assert!(log.lines().any(|line| line == "node: pip:/own"), "nobody told of any: {log}");
    }
}
