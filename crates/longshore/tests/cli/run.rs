//! `longshore run`: workflows in real containers.

use serde_json::Value;

use crate::containers::Containers;
use crate::context::Ended;

/// Writes a workflow and gives what running it brings, with its events.
pub(crate) fn run(it: &Containers, workflow: &str, arguments: &[&str]) -> (Ended, Vec<Value>) {
    it.context.write(".github/workflows/ci.yml", workflow);
    commit(it);
    let ended = it.other(&[&["run", "--format", "json"][..], arguments].concat());
    let events = ended.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    (ended, events)
}

/// Makes the project a repository whose files are committed. It belongs to whom the project belongs to.
pub(crate) fn commit(it: &Containers) {
    if !it.context.project().join(".git/HEAD").exists() {
        it.context.git(&["init", "--quiet", "--initial-branch", "main"]);
    }
    for arguments in [&["add", "--all"][..], &["commit", "--quiet", "--allow-empty", "--message", "change"]] {
        it.context.git(&[&["-c", "safe.directory=*"][..], arguments].concat());
    }
    let project = it.context.project();
    let owned =
        std::process::Command::new("chown").arg("-R").arg("--reference").args([&project, &project]).status();
    assert!(owned.unwrap().success());
}

/// How each job ended, by key.
pub(crate) fn jobs(events: &[Value]) -> Vec<(String, String)> {
    let ends =
        events.iter().filter(|event| event["type"] == "job.finished" || event["type"] == "job.skipped");
    let mut jobs: Vec<(String, String)> = ends
        .map(|event| {
            let conclusion = event["conclusion"].as_str().unwrap_or("skipped");
            (event["job"].as_str().unwrap().to_owned(), conclusion.to_owned())
        })
        .collect();
    jobs.sort();
    jobs
}

pub(crate) fn pairs(jobs: &[(&str, &str)]) -> Vec<(String, String)> {
    jobs.iter().map(|(key, conclusion)| ((*key).to_owned(), (*conclusion).to_owned())).collect()
}

/// Everything that steps wrote to their logs.
pub(crate) fn log(events: &[Value]) -> String {
    let chunks = events.iter().filter(|event| event["type"] == "log");
    let lines = chunks.flat_map(|event| event["lines"].as_array().unwrap());
    lines.map(|line| line.as_str().unwrap().to_owned() + "\n").collect()
}

#[test]
fn steps_and_jobs_hand_on_what_they_made() {
    let Some(it) = Containers::with_networks() else { return };
    let (ended, events) = run(
        &it,
        r###"
on: push
env: { TOP: top, AT: '${{ github.workspace }}/at' }
jobs:
  make:
    runs-on: ubuntu-latest
    outputs: { version: '${{ steps.v.outputs.version }}' }
    steps:
      - id: v
        run: |
          echo "version=1.2.3" >> "$GITHUB_OUTPUT"
          echo "ADDED=from $TOP" >> "$GITHUB_ENV"
          echo "/added/path" >> "$GITHUB_PATH"
          echo "## Made" >> "$GITHUB_STEP_SUMMARY"
      - run: echo "added is $ADDED, path begins ${PATH%%:*}, here is $PWD"
      - run: echo "::warning file=a.py,line=3::careful"
      - run: test "$AT" = "$GITHUB_WORKSPACE/at"
  use:
    needs: make
    runs-on: ubuntu-latest
    strategy: { matrix: { n: [1, 2] } }
    steps:
      - run: echo "cell ${{ matrix.n }} of ${{ needs.make.outputs.version }}"
"###,
        &[],
    );
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(jobs(&events), pairs(&[("make", "success"), ("use/1", "success"), ("use/2", "success")]));
    let log = log(&events);
    assert!(log.contains("added is from top, path begins /added/path, here is /home/runner/work/"), "{log}");
    assert!(log.contains("cell 1 of 1.2.3") && log.contains("cell 2 of 1.2.3"), "{log}");
    let of_type = |name: &str| events.iter().find(|event| event["type"] == name).unwrap_or(&Value::Null);
    assert_eq!(of_type("step.summary")["markdown"], "## Made\n");
    let warning = of_type("annotation");
    assert_eq!(
        (&warning["level"], &warning["file"], &warning["line"]),
        (&"warning".into(), &"a.py".into(), &3.into())
    );
    assert_eq!(events.last().unwrap()["type"], "run.finished");
    assert_eq!(it.done(&["ps", "-aq"]), "", "nothing is left of the jobs");
}

#[test]
fn failures_decide_as_on_github() {
    let Some(it) = Containers::with_networks() else { return };
    let (ended, events) = run(
        &it,
        r#"
on: push
jobs:
  soft:
    runs-on: ubuntu-latest
    continue-on-error: true
    steps: [ run: exit 3 ]
  hard:
    runs-on: ubuntu-latest
    steps:
      - { id: soft, run: exit 1, continue-on-error: true }
      - run: echo "outcome ${{ steps.soft.outcome }} conclusion ${{ steps.soft.conclusion }}"
      - run: exit 7
      - run: echo never
      - { if: failure(), run: echo "after the failure" }
      - { if: always(), run: 'echo "status ${{ job.status }}"' }
  skipped:
    needs: hard
    runs-on: ubuntu-latest
    steps: [ run: echo never ]
  after:
    needs: [hard, soft]
    if: always()
    runs-on: ubuntu-latest
    steps: [ run: 'echo "hard ${{ needs.hard.result }} soft ${{ needs.soft.result }}"' ]
"#,
        &[],
    );
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(
        jobs(&events),
        pairs(&[("after", "success"), ("hard", "failure"), ("skipped", "skipped"), ("soft", "failure")])
    );
    let log = log(&events);
    for line in [
        "outcome failure conclusion success",
        "after the failure",
        "status failure",
        "hard failure soft success",
    ] {
        assert!(log.contains(&format!("\n{line}\n")), "{line}: {log}");
    }
    assert!(!log.contains("\nnever\n"), "{log}");
    let codes: Vec<&Value> = events
        .iter()
        .filter(|event| event["outcome"] == "failure")
        .map(|event| &event["exit_code"])
        .collect();
    assert!(codes.contains(&&Value::from(7)) && codes.contains(&&Value::from(3)), "{codes:?}");
}

#[test]
fn secrets_are_nowhere_to_be_read() {
    let Some(it) = Containers::with_networks() else { return };
    let (ended, events) = run(
        &it,
        r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    outputs: { leak: '${{ steps.s.outputs.leak }}' }
    steps:
      - id: s
        env: { TOKEN: '${{ secrets.TOKEN }}' }
        run: |
          echo "plain $TOKEN, encoded $(printf %s "$TOKEN" | base64), length ${#TOKEN}"
          echo "leak=$TOKEN" >> "$GITHUB_OUTPUT"
          echo "::add-mask::made-here"
          echo "and made-here"
"#,
        &["-s", "TOKEN=hunter2-very-secret"],
    );
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(log(&events).contains("plain ***, encoded ***==, length 19\nand ***\n"), "{}", ended.stdout);
    for hidden in ["hunter2", "made-here\"", "aHVudGVyMi"] {
        let lines: Vec<&str> = ended.stdout.lines().filter(|line| line.contains(hidden)).collect();
        // The script itself is shown, with the name that it masks.
        assert!(lines.iter().all(|line| line.contains("add-mask")), "{hidden}: {lines:?}");
    }
    let found = std::process::Command::new("grep").args(["-r", "hunter2"]).arg(it.home()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "nothing of it is on disk");
}

#[test]
fn jobs_find_their_services() {
    let Some(it) = Containers::with_networks() else { return };
    if it.run(&["run", "--rm", "--network", "none", "host", "busybox", "true"]).code != 0 {
        eprintln!("skipped: there is no busybox to serve something");
        return;
    }
    let (ended, events) = run(
        &it,
        r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    services:
      web:
        image: host
        ports: ["18080:80"]
        command: sh -c "mkdir /tmp/www && echo served > /tmp/www/index.html && exec busybox httpd -f -p 80 -h /tmp/www"
        options: --health-cmd "busybox wget -q -O /dev/null http://127.0.0.1/" --health-interval 10s --name shop --network-alias site
    steps:
      - run: |
          for place in localhost:18080 127.0.0.1:${{ job.services.web.ports['80'] }} web:80 shop:80 site:80; do
            echo "$place $(busybox wget -q -O- "http://$place/")"
          done
"#,
        &[],
    );
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let log = log(&events);
    for line in ["localhost:18080", "127.0.0.1:18080", "web:80", "shop:80", "site:80"] {
        let line = &format!("{line} served");
        assert!(log.contains(line), "{line}: {log}");
    }
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn a_service_that_fails_shows_its_log() {
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
    steps: [ run: echo never ]
"#,
        &[],
    );
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let log = log(&events);
    assert!(log.contains("\nno disk\n") && log.contains("the service `db` ended with exit code 4"), "{log}");
    assert!(!log.contains("\nnever\n"), "{log}");
}

#[test]
fn what_nothing_here_runs_is_said() {
    let Some(it) = Containers::with_networks() else { return };
    let workflow = r"
on: push
jobs:
  win: { runs-on: windows-latest, steps: [ run: echo never ] }
  lin: { runs-on: ubuntu-latest, steps: [ run: echo here ] }
";
    let (ended, events) = run(&it, workflow, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(jobs(&events), pairs(&[("lin", "success"), ("win", "skipped")]));
    assert!(ended.stdout.contains("--runs-on windows-latest=IMAGE"), "{}", ended.stdout);
    let (ended, events) = run(&it, workflow, &["--runs-on", "windows-latest=host"]);
    assert_eq!((ended.code, jobs(&events)), (0, pairs(&[("lin", "success"), ("win", "success")])));
}

#[test]
fn what_cannot_begin_has_a_code() {
    let Some(it) = Containers::with_networks() else { return };
    it.context.write(
        ".github/workflows/broken.yml",
        "on: push\njobs: { a: { runs-on: x, steps: [ { rum: x } ] } }\n",
    );
    commit(&it);
    let ended = it.other(&["run"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("broken.yml"), "{}", ended.stderr);
    // Beside a good one it does not stop the good one, and still counts.
    let (ended, events) =
        run(&it, "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [ run: echo here ] } }\n", &[]);
    assert_eq!((ended.code, jobs(&events)), (1, pairs(&[("a", "success")])));
    assert_eq!(it.other(&["run", "nosuch.yml"]).code, 2);
    assert_eq!(it.other(&["run", "-j", "nosuch"]).code, 2);
    assert_eq!(it.other(&["run", "-e", "release", "ci.yml"]).code, 2, "it does not start");
}

#[test]
fn why_nothing_starts_is_said_of_each_workflow() {
    let Some(it) = Containers::with_networks() else { return };
    for (name, on) in [("a.yml", "release"), ("b.yml", "{ push: { branches: [ other ] } }")] {
        let workflow =
            format!("on: {on}\njobs: {{ a: {{ runs-on: ubuntu-latest, steps: [ run: echo here ] }} }}\n");
        it.context.write(&format!(".github/workflows/{name}"), &workflow);
    }
    commit(&it);
    let ended = it.other(&["run"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let reasons: Vec<&str> =
        ended.stderr.lines().filter(|line| line.starts_with("    ")).map(str::trim).collect();
    let expected = [
        "`.github/workflows/a.yml`: `on` does not name `push`, only `release`",
        "`.github/workflows/b.yml`: branch `main` matches no pattern of `branches`",
    ];
    assert_eq!(reasons, expected, "{}", ended.stderr);
}

#[test]
fn what_filters_hold_back_is_no_mistake() {
    let Some(it) = Containers::with_networks() else { return };
    let job = "jobs: { a: { runs-on: ubuntu-latest, steps: [ run: echo here ] } }";
    for on in ["push: { branches: [other] }", "push: { tags: ['v*'] }", "push: { paths: [nowhere] }"] {
        let (ended, events) = run(&it, &format!("on: {{ {on} }}\n{job}\n"), &[]);
        assert_eq!((ended.code, jobs(&events)), (0, pairs(&[])), "{on}: {}", ended.stderr);
        assert!(ended.stderr.contains("ci.yml` does not start"), "{}", ended.stderr);
    }
}

#[test]
fn a_shell_that_cannot_be_used_fails_its_step() {
    let Some(it) = Containers::with_networks() else { return };
    let workflow = r"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - { run: echo no, shell: fish, continue-on-error: true }
      - { run: echo no, shell: fish, if: false }
      - { run: pwd, working-directory: nowhere, continue-on-error: true }
      - run: echo reached
";
    let (ended, events) = run(&it, workflow, &[]);
    assert_eq!((ended.code, jobs(&events)), (0, pairs(&[("a", "success")])), "{}", ended.stderr);
    let log = log(&events);
    assert!(log.contains("Invalid shell option.") && log.contains("reached\n"), "{log}");
    assert!(log.contains("failed to start `bash` in the directory"), "{log}");
}

#[test]
fn an_ordinary_user_runs_workflows() {
    let Some(it) = Containers::of_an_ordinary_user() else { return };
    let workflow = r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo "user $(id -u)" > made; cat made; echo "k=v" >> "$GITHUB_OUTPUT"
        id: s
      - run: test "${{ steps.s.outputs.k }}" = v && test -f made
"#;
    let (ended, events) = run(&it, workflow, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(log(&events).contains("\nuser 0\n"), "{}", ended.stdout);
    assert_eq!(it.done(&["ps", "-aq"]), "");
}
