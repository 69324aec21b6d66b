//! Runs that somebody ends.

use longshore_event::{EventKind, StepEvent};

use crate::bench::Bench;

const WORKFLOW: &str = r"
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - { id: long, run: forever }
      - { id: not, run: 'say no' }
      - { id: clean, if: always(), run: 'say cleaning' }
      - { id: told, if: cancelled(), run: 'say told' }
  b: { runs-on: ubuntu-latest, needs: a, steps: [ run: 'say no' ] }
  c: { runs-on: ubuntu-latest, needs: a, if: always(), steps: [ run: 'say yes' ] }
";

/// Runs it; asks for its end so often when a step begins.
fn ended(asks: u32) -> crate::bench::Outcome {
    let bench = Bench::new(WORKFLOW);
    let shutdown = bench.shutdown.clone();
    bench.run_with(&mut |event| {
        if event.is_some_and(
            |event| matches!(&event.kind, EventKind::Step(StepEvent::Started { id, .. }) if id == "long"),
        ) {
            (0..asks).for_each(|_| {
                shutdown.ask();
            });
        }
    })
}

#[test]
fn cancelling_lets_those_steps_run_that_always_do() {
    let outcome = ended(1);
    assert_eq!(outcome.line(), "a:cancelled b:cancelled c:success");
    let log = outcome.log();
    assert!(log.contains("cleaning\n") && log.contains("told\n") && !log.contains("say no\n"), "{log}");
    assert_eq!(outcome.conclusion, "cancelled");
    outcome.is_whole();
}

#[test]
fn killing_runs_nothing_more() {
    let outcome = ended(2);
    assert_eq!(outcome.line(), "a:cancelled b:cancelled c:cancelled");
    assert!(!outcome.log().contains("cleaning"), "{}", outcome.log());
    assert_eq!(outcome.conclusion, "cancelled");
    outcome.is_whole();
}
