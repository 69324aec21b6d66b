//! `longshore run`: jobs in a `container:`, and what happens when containers do not start.

use serde_json::Value;

use crate::containers::Containers;
use crate::registry::Registry;
use crate::run::{jobs, log, pairs, run};

/// Steps with their conclusions, in order.
fn steps(events: &[Value]) -> Vec<(String, String)> {
    let names: Vec<(u64, &str)> = events
        .iter()
        .filter(|event| event["type"] == "step.started" || event["type"] == "step.skipped")
        .map(|event| (event["step"].as_u64().unwrap(), event["name"].as_str().unwrap()))
        .collect();
    let conclusion = |number: u64| {
        let end = events.iter().find(|event| event["type"] == "step.finished" && event["step"] == number);
        end.map_or("skipped", |end| end["conclusion"].as_str().unwrap())
    };
    names.iter().map(|(number, name)| ((*name).to_owned(), conclusion(*number).to_owned())).collect()
}

#[test]
fn steps_have_their_turn_when_a_service_failed() {
    let Some(it) = Containers::with_networks() else { return };
    let (ended, events) = run(
        &it,
        r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    services:
      db: { image: host, command: 'sh -c "echo no disk; exit 4"', options: '--health-cmd false --health-interval 10s' }
    steps:
      - { name: Test, run: echo never }
      - { name: On failure, if: failure(), run: 'echo "clean up after ${{ job.status }}"' }
      - { name: Always, if: always(), run: echo always }
"#,
        &[],
    );
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(jobs(&events), pairs(&[("a", "failure")]));
    let expected = pairs(&[
        ("Set up job", "success"),
        ("Initialize containers", "failure"),
        ("Test", "skipped"),
        ("On failure", "success"),
        ("Always", "success"),
        ("Stop containers", "success"),
        ("Complete job", "success"),
    ]);
    assert_eq!(steps(&events), expected, "{}", ended.stdout);
    let log = log(&events);
    assert_eq!(log.matches("\nno disk\n").count(), 1, "{log}");
    assert!(log.contains("the service `db` ended with exit code 4"), "{log}");
    assert!(log.contains("clean up after failure"), "{log}");
    assert_eq!(it.done(&["ps", "-aq"]), "", "nothing is kept of it");
}

#[test]
fn steps_have_nowhere_to_run_when_the_container_did_not_start() {
    let Some(it) = Containers::with_networks() else { return };
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: 127.0.0.1:1/app:1
    steps:
      - { name: Test, run: echo never }
      - { name: Always, if: always(), run: echo never }
";
    let (ended, events) = run(&it, workflow, &[]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let expected = pairs(&[
        ("Set up job", "success"),
        ("Initialize containers", "failure"),
        ("Test", "skipped"),
        ("Always", "failure"),
        ("Stop containers", "success"),
        ("Complete job", "success"),
    ]);
    assert_eq!(steps(&events), expected, "{}", ended.stdout);
    let finished = events.iter().find(|event| event["type"] == "job.finished").unwrap();
    assert_eq!(finished["conclusion"], "failure");
    let error = finished["error"].as_str().unwrap();
    assert!(error.contains("127.0.0.1:1/app:1") && error.contains("`longshore image load`"), "{error}");
    assert!(finished["kept"].is_null(), "{finished}");
    let shown = it.other(&["runs", "show", "last"]).stdout;
    assert!(!shown.contains("longshore shell") && shown.contains("longshore rerun 1 --failed"), "{shown}");
}

#[test]
fn images_are_fetched_with_the_credentials_of_the_workflow() {
    let Some(it) = Containers::with_networks() else { return };
    if !std::path::Path::new("/bin/busybox").exists() {
        eprintln!("skipped: no static busybox");
        return;
    }
    let root = it.context.project().join("rootfs/bin");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::copy("/bin/busybox", root.join("busybox")).unwrap();
    std::os::unix::fs::symlink("busybox", root.join("sh")).unwrap();
    it.other_done(&["image", "import", "rootfs", "app:1"]);
    it.other_done(&["image", "save", "--format", "oci-dir", "-o", "saved", "app:1"]);
    it.other_done(&["image", "rm", "app:1"]);
    let registry = Registry::guarded(it.context.project().join("saved"), "ann", "hunter2-of-ann");
    let workflow = |user: &str| {
        format!(
            "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container:
      image: {0}/app:1
      credentials: {{ username: {user}, password: '${{{{ secrets.PASSWORD }}}}' }}
    services:
      other:
        image: {0}/other:1
        credentials: {{ username: '${{{{ vars.USER }}}}', password: '${{{{ secrets.PASSWORD }}}}' }}
        command: busybox sleep 1000
    steps: [ {{ shell: sh, run: echo inside }} ]
",
            registry.authority
        )
    };
    let flags = ["-s", "PASSWORD=hunter2-of-ann", "--var", "USER=ann"];
    let (ended, events) = run(&it, &workflow("bob"), &flags);
    assert_eq!((ended.code, jobs(&events)), (1, pairs(&[("a", "failure")])));
    assert!(log(&events).contains("401"), "{}", ended.stdout);
    let (ended, events) = run(&it, &workflow("ann"), &flags);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(log(&events).contains("\ninside\n"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("hunter2-of-ann"), "{}", ended.stdout);
    assert!(!it.home().join("auth.json").exists(), "nothing is kept of a login");
}
