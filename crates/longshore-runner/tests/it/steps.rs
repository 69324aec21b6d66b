//! Steps: what they hand on, how they end, and those that run beside others.

use longshore_event::{EventKind, StepEvent};

use crate::bench::Bench;

fn job(steps: &str) -> Bench {
    Bench::new(&format!(
        "env: {{ TOP: top, OVER: top }}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    env: {{ OVER: job }}\n    steps:\n{steps}"
    ))
}

#[test]
fn steps_hand_on_what_they_set() {
    let outcome = job(r"
      - { id: one, env: { OVER: step }, run: 'show OVER' }
      - id: two
        run: |
          set ENV OVER=file
          set PATH /added
          set OUTPUT out=1
          set STEP_SUMMARY made
      - id: three
        run: |
          show OVER
          show TOP
          show PATH
          say out ${{ steps.two.outputs.out }} ${{ env.OVER }} ${{ steps.one.outcome }}
")
    .run();
    let log = outcome.log();
    for line in ["OVER=step\n", "OVER=file\n", "TOP=top\n", "PATH=/added:", "out 1 file success\n"] {
        assert!(log.contains(line), "{line} in {log}");
    }
    assert_eq!(outcome.steps(), "one:success two:success three:success");
    outcome.is_whole();
}

#[test]
fn a_faulty_line_fails_its_step_and_not_what_stood_before_it() {
    let outcome = job(r"
      - id: bad
        continue-on-error: true
        run: |
          set ENV GOOD=1
          set ENV no assignment
      - { id: next, run: 'show GOOD' }
      - { id: blocked, run: 'set ENV NODE_OPTIONS=--x' }
      - { id: last, run: 'show NODE_OPTIONS' }
")
    .run();
    assert_eq!(outcome.steps(), "bad:success next:success blocked:success last:success");
    assert!(outcome.log().contains("Invalid format 'no assignment'"), "{}", outcome.log());
    assert!(outcome.log().contains("GOOD=1\n") && outcome.log().contains("NODE_OPTIONS=\n"));
}

#[test]
fn contexts_hold_what_github_puts_into_them() {
    let outcome = job(r"
      - { run: 'set OUTPUT out=1' }
      - id: two
        env: { ACTION: '${{ github.action }}', FILE: '${{ github.output }}' }
        run: |
          set OUTPUT out=2
          show ACTION
          show FILE
          show GITHUB_OUTPUT
          show GITHUB_ACTION_REPOSITORY
          say ids ${{ github.actor_id != '' && github.repository_id != github.repository_owner_id }}
      - { id: three, run: 'say made up [${{ steps.__run.outcome }}] given ${{ join(steps.*.outputs.out) }}' }
      - { id: four, run: 'say in ${{ job.workflow_ref }} ${{ job.workflow_file_path }} [${{ toJSON(job.services) }}]' }
")
    .run();
    let log = outcome.log();
    assert!(log.contains("ACTION=two\n") && log.contains("GITHUB_ACTION_REPOSITORY=\n"), "{log}");
    let value = |name: &str| log.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    assert!(value("FILE=").is_some_and(|file| !file.is_empty()), "{log}");
    assert_eq!(value("FILE="), value("GITHUB_OUTPUT="));
    assert!(log.contains("ids true\n"), "{log}");
    assert!(log.contains("made up [] given 2\n"), "{log}");
    assert!(log.contains("in o/r/.github/workflows/ci.yml@ .github/workflows/ci.yml [null]\n"), "{log}");
}

#[test]
fn status_functions_follow_the_steps_before() {
    let outcome = job(r"
      - { id: soft, continue-on-error: true, run: 'exit 1' }
      - { id: fine, run: 'say ${{ steps.soft.outcome }} ${{ steps.soft.conclusion }}' }
      - { id: hard, run: 'exit 2' }
      - { id: not, run: 'say no' }
      - { id: yes, if: failure(), run: 'say ${{ job.status }}' }
      - { id: also, if: always(), run: 'say x' }
      - { id: never, if: cancelled(), run: 'say x' }
")
    .run();
    assert_eq!(
        outcome.steps(),
        "soft:success fine:success hard:failure not:skipped yes:success also:success never:skipped"
    );
    assert!(outcome.log().contains("failure success\n") && outcome.log().contains("failure\n"));
    assert_eq!(outcome.conclusion, "failure");
}

#[test]
fn what_a_background_step_sets_is_seen_once_it_is_joined() {
    let outcome = job(
        r"
      - id: side
        background: true
        run: |
          set OUTPUT o=1
          set ENV V=side
          exit 3
      - { id: before, run: 'say before [${{ steps.side.outputs.o }}] [${{ env.V }}]' }
      - { id: join, wait: side }
      - { id: after, if: always(), run: 'say after [${{ steps.side.outputs.o }}] [${{ env.V }}] ${{ job.status }}' }
",
    )
    .run();
    assert!(outcome.log().contains("before [] []\n"), "{}", outcome.log());
    assert!(outcome.log().contains("after [1] [side] failure\n"), "{}", outcome.log());
    assert_eq!(outcome.steps(), "side:failure before:success join:failure after:success");
    outcome.is_whole();
}

#[test]
fn what_a_cancel_step_ends_fails_nothing() {
    let outcome = job(r"
      - { id: server, background: true, run: forever }
      - { id: use, run: 'say using' }
      - { id: stop, cancel: server }
      - { id: after, run: 'say server was ${{ steps.server.outcome }}' }
")
    .run();
    assert_eq!(outcome.steps(), "server:cancelled use:success stop:success after:success");
    // GitHub documents SIGTERM here, and SIGINT where a job is cancelled.
    let codes = outcome.events.iter().filter_map(|event| match &event.kind {
        EventKind::Step(StepEvent::Finished { exit_code, .. }) => *exit_code,
        _ => None,
    });
    assert_eq!(codes.max(), Some(128 + 15));
    assert_eq!(outcome.conclusion, "success");
    outcome.is_whole();
}

#[test]
fn a_failure_that_nobody_joined_fails_the_job() {
    let outcome =
        job("      - { id: side, background: true, run: 'exit 1' }\n      - { id: next, run: 'say hi' }\n")
            .run();
    assert_eq!(outcome.steps(), "side:failure next:success");
    assert_eq!(outcome.line(), "a:failure");
}

#[test]
fn more_background_steps_than_places_all_run() {
    let mut steps = String::new();
    for number in 0..25 {
        steps += &format!("      - {{ id: s{number}, background: true, run: 'say done {number}.' }}\n");
    }
    let outcome = job(&(steps + "      - { id: all, wait-all: true }\n")).run();
    assert_eq!(outcome.line(), "a:success");
    assert!((0..25).all(|number| outcome.log().contains(&format!("done {number}.\n"))));
}

#[test]
fn time_ends_steps_and_jobs() {
    let outcome = job(r"
      - { id: slow, timeout-minutes: 0.0005, continue-on-error: true, run: forever }
      - { id: next, run: 'say ${{ steps.slow.outcome }}' }
")
    .run();
    assert_eq!(outcome.steps(), "slow:success next:success");
    assert!(outcome.log().contains("failure\n"));
    let told = "##[error]The action 'Run forever' has timed out after 0.0005 minutes.\n";
    assert!(outcome.log().contains(told), "{}", outcome.log());
    let outcome = Bench::new(
        "jobs:\n  a:\n    runs-on: ubuntu-latest\n    timeout-minutes: 0.005\n    steps:\n      - { id: slow, run: forever }\n      - { id: clean, if: always(), run: 'say cleaning' }\n",
    )
    .run();
    assert_eq!(outcome.steps(), "slow:cancelled clean:success");
    assert_eq!(outcome.line(), "a:cancelled");
    outcome.is_whole();
}
