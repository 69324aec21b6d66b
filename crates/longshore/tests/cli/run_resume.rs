//! `longshore run --resume`: going back to a step, and going on in jobs of every kind.

use crate::containers::Containers;
use crate::context::Ended;
use crate::run::commit;

const WORKFLOW: &str = ".github/workflows/ci.yml";

/// A project with this workflow, which has run and failed.
fn failed(it: &Containers, workflow: &str) -> Ended {
    it.context.write(WORKFLOW, workflow);
    commit(it);
    let ended = it.other(&["run", "--format", "json"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    // Shown if the test fails later: why there is nothing to go on with.
    eprintln!("{}{}", ended.stdout, ended.stderr);
    ended
}

fn resume(it: &Containers, arguments: &[&str]) -> Ended {
    it.other(&[&["run", "--resume", "last", "--format", "json"][..], arguments].concat())
}

/// Each step leaves something everywhere, and the last one tells of it.
const EVERYWHERE: &str = r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    env: { ALL: log /opt/log /tmp/log /home/runner/log /usr/local/log }
    steps:
      - name: One
        run: |
          for file in $ALL; do printf 1 >> $file; done
          mkdir directory; echo x > directory/x; ln -s directory link; mkdir /opt/was; echo 1 > /opt/was/x
          echo "STATE=one" >> $GITHUB_ENV
      - name: Two
        run: |
          test -e /etc/profile || exit 9
          for file in $ALL; do printf 2 >> $file; done
          rm -r directory link /etc/profile /opt/was; mkdir link /opt/was
          echo "STATE=two" >> $GITHUB_ENV
      - name: Three
        run: |
          for file in $ALL; do printf 3 >> $file; done
          echo "found $STATE $(cat $ALL) $(ls -F | tr -d '\n') [$(ls /opt/was)]" $(test -e /etc/profile && echo profile)
          test -e /opt/mended
"#;

#[test]
fn files_are_what_a_step_found() {
    let Some(it) = Containers::with_networks() else { return };
    gone_back_to(&it, EVERYWHERE, "[]\"");
}

#[test]
fn files_are_what_a_step_found_for_an_ordinary_user() {
    let Some(it) = Containers::of_an_ordinary_user() else { return };
    let ended = it.run(&["run", "--rm", "host", "true"]);
    if ended.code != 0 {
        eprintln!("skipped: no networks here: {}", ended.stderr);
        return;
    }
    // What belongs to the machine's root is nobody's to them, and cannot be changed.
    let workflow = EVERYWHERE
        .replace(" /etc/profile /opt/was", " /opt/was")
        .replace("/opt/", "/tmp/more-")
        .replace("/usr/local/log", "/var/tmp/log");
    gone_back_to(&it, &workflow, "[] profile\"");
}

fn gone_back_to(it: &Containers, workflow: &str, end: &str) {
    let found = format!("found two {} link/log {end}", "123".repeat(5));
    let shown = |ended: &Ended, line: &str| {
        assert!(ended.stdout.contains(line), "{line}: {}{}", ended.stdout, ended.stderr);
    };
    shown(&failed(it, workflow), &found);
    for step in ["Three", "Two", "One", "Two"] {
        let ended = resume(it, &["--from", step]);
        assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(&format!("Files are as `{step}` found them")), "{}", ended.stdout);
        shown(&ended, &found);
    }
    // Without a step, files are as they were left, and as somebody changed them.
    it.other_done(&[
        "shell",
        "last",
        "--",
        "sh",
        "-c",
        "touch /opt/mended /tmp/more-mended; printf x >> log",
    ]);
    let ended = resume(it, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let others = "1233".repeat(4);
    shown(&ended, &format!("found two 123x3{others} link/log {end}"));
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn a_shell_does_not_spoil_the_way_back() {
    let Some(it) = Containers::with_networks() else { return };
    // Files that are too large to be copied at once are still there until somebody changes them.
    failed(
        &it,
        "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - { name: Make, run: head -c 20000000 /dev/zero > large }
      - { name: Test, run: wc -c < large && test -e mended }
",
    );
    it.other_done(&["shell", "last", "--", "sh", "-c", "echo small > large; touch mended"]);
    let ended = resume(&it, &["--from", "Test"]);
    assert_eq!(ended.code, 1, "`mended` came later: {}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("\"20000000\""), "{}", ended.stdout);
}

#[test]
fn steps_beside_one_that_runs_have_no_way_back() {
    let Some(it) = Containers::with_networks() else { return };
    failed(
        &it,
        "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - { id: server, background: true, run: 'sleep 1000' }
      - { name: Beside, run: 'true' }
      - { cancel: server }
      - { name: Test, run: exit 3 }
",
    );
    let ended = resume(&it, &["--from", "Beside"]);
    assert_eq!(ended.code, 1);
    for text in
        ["not as `Beside` found them: a step ran in the background", "there is a way back to", "`Test`"]
    {
        assert!(ended.stdout.contains(text), "{text}: {}", ended.stdout);
    }
}

#[test]
fn a_job_in_a_container_goes_on_with_its_service() {
    let Some(it) = Containers::with_networks() else { return };
    failed(
        &it,
        r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: { image: host, env: { OWN: own } }
    services:
      web:
        image: host
        command: sh -c "mkdir -p /opt/www && cd /opt/www && echo served >> index.html && exec busybox httpd -f -p 80"
        options: --health-cmd "busybox wget -q -O /dev/null http://127.0.0.1/" --health-interval 10s
    steps:
      - { name: Prepare, run: 'echo "FROM=step" >> $GITHUB_ENV; echo 1 >> /opt/log' }
      - { name: Test, run: 'echo "$OWN $FROM $(busybox wget -q -O- http://web/ | tail -n 1) $(cat /opt/log)"; test -e mended' }
      - { name: After, if: always(), run: 'echo "after ${{ job.services.web.network }}"' }
"#,
    );
    let line = "own step served 1";
    let ended = resume(&it, &["--from", "Prepare"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains(line), "{}", ended.stdout);
    let ended = it.other(&[
        "shell",
        "last",
        "--",
        "sh",
        "-c",
        "busybox wget -q -O- http://web/ | tail -n 1; touch mended",
    ]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "served\n"), "{}", ended.stderr);
    let ended = resume(&it, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains(line) && ended.stdout.contains("after run-1-a"), "{}", ended.stdout);
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn javascript_actions_find_what_their_stages_saved() {
    let Some(it) = crate::run_javascript::with_node() else { return };
    crate::run_javascript::write_hello(&it);
    failed(
        &it,
        "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - { uses: acme/hello@v1, id: h, with: { n: one } }
      - { name: Test, run: test -e mended }
      - { uses: acme/hello@v1, with: { n: two } }
      - run: 'echo said ${{ steps.h.outputs.said }}'
",
    );
    it.other_done(&["shell", "last", "--", "touch", "mended"]);
    let ended = resume(&it, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    for line in ["main push two E", "said hi one", "post E two", "post E one"] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("steps cannot use artifacts"), "{}", ended.stdout);
}
