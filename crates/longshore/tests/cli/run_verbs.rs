//! What can be done with a run that has ended: a shell in what failed, going on, carrying it out again, documents.

use std::path::Path;

use crate::containers::Containers;
use crate::context::Ended;

const WORKFLOW: &str = ".github/workflows/ci.yml";

/// A build, tests that fail in one cell by their third step, and what needs both.
const CI: &str = "\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: { version: '${{ steps.v.outputs.version }}' }
    steps:
      - id: v
        run: echo version=1.$GITHUB_RUN_ATTEMPT >> $GITHUB_OUTPUT
  test:
    needs: build
    runs-on: ubuntu-latest
    strategy: { fail-fast: false, matrix: { n: [1, 2] } }
    env: { KEY: 'key=${{ secrets.TOKEN }}' }
    steps:
      - name: Prepare
        run: |
          echo GREETING=hello >> $GITHUB_ENV
          mkdir bin; printf '#!/bin/sh\\necho tool\\n' > bin/my-tool; chmod +x bin/my-tool
          echo $PWD/bin >> $GITHUB_PATH
          echo x >> /opt/count
      - id: count
        run: echo lines=$(wc -l < /opt/count) >> $GITHUB_OUTPUT
      - name: Test
        working-directory: bin
        env: { STEP: own }
        run: test ${{ matrix.n }} = 1
      - name: After
        run: echo \"after $GREETING ${{ steps.count.outputs.lines }} $(my-tool) ${{ job.status }}\"
  deploy:
    needs: [build, test]
    runs-on: ubuntu-latest
    steps:
      - run: echo \"deploy ${{ needs.build.outputs.version }}\"
";

fn project() -> Option<Containers> {
    let it = Containers::with_networks()?;
    it.context.write(WORKFLOW, CI);
    it.context.git(&["init", "--quiet", "--initial-branch", "main"]).commit("first");
    Some(it)
}

/// A verb that runs, with the secret, as JSON lines.
fn run(it: &Containers, arguments: &[&str]) -> Ended {
    let mut all = arguments.to_vec();
    all.extend(["-s", "TOKEN=hunter2hunter2", "--format", "json"]);
    it.other(&all)
}

/// The conclusions of jobs, in the order of their keys.
fn jobs(it: &Containers, run: &str) -> String {
    let shown: serde_json::Value =
        serde_json::from_str(&it.other_done(&["runs", "show", run, "--format", "json"])).unwrap();
    let jobs = shown["jobs"].as_array().unwrap();
    let text = |job: &serde_json::Value, key: &str| job[key].as_str().unwrap().to_owned();
    let mut jobs: Vec<String> =
        jobs.iter().map(|job| format!("{}={}", text(job, "key"), text(job, "status"))).collect();
    jobs.sort();
    jobs.join(" ")
}

/// The text of all files below a directory.
fn texts(directory: &Path) -> String {
    let entries = std::fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path());
    entries
        .map(|path| {
            if path.is_dir() {
                return texts(&path);
            }
            String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned()
        })
        .collect()
}

#[test]
fn a_failed_job_is_kept_for_a_shell() {
    let Some(it) = project() else { return };
    let ended = run(&it, &["run"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(jobs(&it, "1"), "build=success deploy=skipped test/1=success test/2=failure");
    assert_eq!(it.done(&["ps", "-q"]), "", "nothing runs");
    assert_eq!(it.done(&["ps", "-aq"]).lines().count(), 1, "one is kept");
    assert!(!texts(&it.home().join("runs/1")).contains("hunter2hunter2"), "secrets are not written down");
    let script = "echo $GREETING $STEP $(my-tool) $KEY $(basename $PWD); echo y >> /opt/count; exit 7";
    let ended = it.other(&["shell", "1", "test", "-s", "TOKEN=hunter2hunter2", "--", "sh", "-c", script]);
    let shown = (ended.code, ended.stdout.as_str());
    assert_eq!(shown, (7, "hello own tool key=hunter2hunter2 bin\n"), "{}", ended.stderr);
    // Without the secret its variable is missing, and what was changed is still so.
    let ended = it.other(&["shell", "--last-failed", "--", "sh", "-c", "echo [$KEY]; cat /opt/count"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "[]\nx\ny\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("give `-s TOKEN`"), "{}", ended.stderr);
    assert_eq!(it.done(&["ps", "-q"]), "", "nothing runs after it");
    assert_eq!(it.other(&["shell", "1", "build"]).code, 2, "what passed is not kept");
    it.other_done(&["runs", "rm", "1"]);
    assert_eq!(it.done(&["ps", "-aq"]), "", "with its record it goes");
    assert_eq!(it.other(&["shell"]).code, 2);
}

#[test]
fn a_failed_job_goes_on_after_an_edit() {
    let Some(it) = project() else { return };
    assert_eq!(run(&it, &["run"]).code, 1);
    let mended = CI.replace("test ${{ matrix.n }} = 1", "test -n \"$GREETING\"");
    // What was done must be what the file says.
    it.context.write(WORKFLOW, mended.replace("GREETING=hello", "GREETING=bye"));
    let ended = run(&it, &["run", "--resume", "last"]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("(`Prepare`"), "{}", ended.stdout);
    it.context.write(WORKFLOW, &mended);
    let ended = run(&it, &["run", "--resume", "last"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(jobs(&it, "last"), "build=success deploy=success test/1=success test/2=success");
    assert!(ended.stdout.contains("after hello 1 tool success"), "{}", ended.stdout);
    assert!(ended.stdout.contains("deploy 1.1"), "the build was not carried out again: {}", ended.stdout);
    assert!(!ended.stdout.contains("\"Prepare\""), "{}", ended.stdout);
    assert_eq!(it.done(&["ps", "-aq"]), "", "nothing is kept of what passed");
    assert_eq!(run(&it, &["run", "--resume", "last"]).code, 2, "there is nothing to go on with");
}

#[test]
fn any_step_can_be_gone_on_with() {
    let Some(it) = project() else { return };
    assert_eq!(run(&it, &["run"]).code, 1);
    let ended = run(&it, &["run", "--resume", "last", "--from", "nowhere"]);
    assert!(ended.code == 1 && ended.stdout.contains("has no step `nowhere`"), "{}", ended.stdout);
    // A step that is passed over does not count.
    let ended = run(&it, &["run", "--resume", "last", "--from", "After"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("Files are as `After` found them"), "{}", ended.stdout);
}

#[test]
fn what_failed_is_carried_out_again() {
    let Some(it) = project() else { return };
    assert_eq!(run(&it, &["run", "--keep", "never"]).code, 1);
    let shown = it.other(&["runs", "show", "last"]).stdout;
    assert!(shown.contains("longshore rerun 1 --failed"), "{shown}");
    assert!(!shown.contains("longshore shell") && !shown.contains("--resume"), "{shown}");
    assert_eq!(it.done(&["ps", "-aq"]), "", "nothing is kept");
    it.context.write(WORKFLOW, CI.replace("test ${{ matrix.n }} = 1", "true"));
    let ended = run(&it, &["rerun", "--failed"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("deploy 1.1"), "outputs come from the first attempt: {}", ended.stdout);
    let started = |text: &str| text.matches("\"job.started\"").count();
    assert_eq!(started(&ended.stdout), 2, "the cell that failed, and what needs it");
    let ended = run(&it, &["rerun", "last", "-j", "build"]);
    assert_eq!((ended.code, started(&ended.stdout)), (0, 4), "all need it: {}", ended.stdout);
    assert!(ended.stdout.contains("deploy 1.3"), "{}", ended.stdout);
    let ended = run(&it, &["rerun", "1"]);
    assert_eq!((ended.code, started(&ended.stdout)), (0, 4));
    assert_eq!(run(&it, &["rerun", "last", "--failed"]).code, 2);
    assert_eq!(run(&it, &["rerun", "last", "-j", "nobody"]).code, 2);
}

#[test]
fn the_next_run_takes_the_place_of_what_is_kept() {
    let Some(it) = project() else { return };
    assert_eq!(run(&it, &["run"]).code, 1);
    let first = it.done(&["ps", "-aq"]);
    assert_eq!(run(&it, &["run"]).code, 1);
    let second = it.done(&["ps", "-aq"]);
    assert!(first != second && second.lines().count() == 1, "{first} {second}");
    it.other_done(&["runs", "prune", "--keep", "0", "--keep-days", "0"]);
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn runs_are_written_as_documents() {
    let Some(it) = project() else { return };
    assert_eq!(run(&it, &["run", "--junit", "out.xml", "--html", "out.html"]).code, 1);
    let junit = it.context.read("out.xml");
    assert!(junit.contains("<failure") && junit.contains("exit code 1"), "{junit}");
    let html = it.context.read("out.html");
    assert!(html.contains("test (2)") && !html.contains("hunter2"), "{html}");
    it.other_done(&["runs", "show", "last", "--html", "shown.html"]);
    assert_eq!(it.context.read("shown.html"), html);
    let ended = run(&it, &["run", "--junit", "nowhere/out.xml"]);
    assert_eq!(ended.code, 4, "it is found out before anything runs: {}", ended.stderr);
    assert!(!ended.stdout.contains("run.started"), "{}", ended.stdout);
}
