//! Runs of several processes: concurrency groups join them, and nothing else does.

use rustix::process::Signal;

use crate::containers::Containers;
use crate::run::commit;
use crate::underway::Underway;

const CI: &str = ".github/workflows/ci.yml";

/// A workflow whose first run goes on until it is cancelled, in a concurrency group.
fn grouped(concurrency: &str) -> Option<Containers> {
    let it = Containers::with_networks()?;
    let text = format!(
        "on: push\nconcurrency: {concurrency}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      \
         - run: echo \"here $GITHUB_RUN_ID\"; test \"$GITHUB_RUN_ID\" != 1 || sleep 1000\n"
    );
    it.context.write(CI, text);
    commit(&it);
    Some(it)
}

#[test]
fn a_group_lets_one_run_and_one_wait() {
    let Some(it) = grouped("'group of ${{ github.ref }}'") else { return };
    let mut first = Underway::start(&it, &["run"]);
    first.until_log("here 1");
    let mut second = Underway::start(&it, &["run"]);
    let reason = second.until("run.waiting")["reason"].to_string();
    assert!(reason.contains("group of refs/heads/main"), "{reason}");
    // The newest takes the place of the one that waits.
    let mut third = Underway::start(&it, &["run"]);
    third.until("run.waiting");
    assert_eq!(second.end(), 1);
    assert_eq!(second.conclusions(), [(2, "cancelled")]);
    assert!(!second.seen.iter().any(|event| event["type"] == "job.started"), "{:?}", second.seen);
    first.signal(Signal::INT);
    assert_eq!((first.end(), first.conclusions()), (1, vec![(1, "cancelled")]));
    third.until_log("here 3");
    assert_eq!((third.end(), third.conclusions()), (0, vec![(3, "success")]));
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn a_group_cancels_the_one_that_runs() {
    let Some(it) = grouped("{ group: g, cancel-in-progress: true }") else { return };
    let mut first = Underway::start(&it, &["run"]);
    first.until_log("here 1");
    let mut second = Underway::start(&it, &["run"]);
    first.until("run.cancelling");
    assert_eq!((first.end(), first.conclusions()), (1, vec![(1, "cancelled")]));
    second.until_log("here 2");
    assert_eq!((second.end(), second.conclusions()), (0, vec![(2, "success")]));
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn a_run_that_was_killed_holds_no_group() {
    let Some(it) = grouped("g") else { return };
    let mut first = Underway::start(&it, &["run"]);
    first.until_log("here 1");
    first.signal(Signal::KILL);
    first.end();
    let mut second = Underway::start(&it, &["run"]);
    assert_eq!((second.end(), second.conclusions()), (0, vec![(2, "success")]), "{:?}", second.seen);
    assert_eq!(it.done(&["ps", "-aq"]), "");
}

#[test]
fn two_runs_with_the_same_names_and_ports_never_meet() {
    let Some(it) = Containers::with_networks() else { return };
    if it.run(&["run", "--rm", "--network", "none", "host", "busybox", "true"]).code != 0 {
        eprintln!("skipped: there is no busybox to serve something");
        return;
    }
    it.context.write(
        CI,
        r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    services:
      web:
        image: host
        ports: ["18081:80"]
        env: { OWNER: '${{ github.run_id }}' }
        command: sh -c "mkdir /tmp/www && echo served by $OWNER > /tmp/www/index.html && exec busybox httpd -f -p 80 -h /tmp/www"
        options: --name web --health-cmd "busybox wget -q -O /dev/null http://127.0.0.1/" --health-interval 10s
    steps:
      - run: |
          test ! -e mark && echo "$GITHUB_RUN_ID" > mark && echo "$GITHUB_RUN_ID" > /opt/mark
          for place in localhost:18081 web:80; do echo "$place $(busybox wget -q -O- "http://$place/")"; done
      - run: test "$GITHUB_RUN_ID" != 1 || { echo "here"; sleep 1000; }
      - if: always()
        run: echo "still $(busybox wget -q -O- http://localhost:18081/) $(cat mark /opt/mark | tr '\n' ' ')"
"#,
    );
    commit(&it);
    let mut first = Underway::start(&it, &["run"]);
    first.until_log("here");
    let mut second = Underway::start(&it, &["run"]);
    assert_eq!(second.end(), 0, "{:#?}", second.seen);
    first.signal(Signal::INT);
    assert_eq!(first.end(), 1);
    for (run, underway) in [(1, &first), (2, &second)] {
        let log = crate::run::log(&underway.seen);
        for line in [
            format!("localhost:18081 served by {run}"),
            format!("web:80 served by {run}"),
            format!("still served by {run} {run} {run}"),
        ] {
            assert!(log.contains(&line), "{line}: {log}");
        }
    }
    assert_eq!(it.done(&["ps", "-aq"]), "");
}
